namespace PlatformOps.Platform.Scaling;

/// <summary>How busy a component was found.</summary>
/// <param name="Replicas">How many there are to be, as its workload says; null: it could not be seen.</param>
/// <param name="Ready">How many of them are ready; null: it could not be seen.</param>
/// <param name="Owner">Who else sets the number, such as a HorizontalPodAutoscaler; null: nobody but us.</param>
/// <param name="SeenAt">By the clock of whoever decides.</param>
public sealed record ObservedScaling(int? Replicas, int? Ready, IReadOnlyList<SignalReading> Signals, string? Owner, DateTimeOffset SeenAt);

/// <summary>What a signal said.</summary>
/// <param name="Value">Null: it said nothing, or nobody could be asked.</param>
/// <param name="At">When the number was true; null: there is none.</param>
/// <param name="Trouble">Why there is no number; null: there is one.</param>
public sealed record SignalReading(string Name, double? Value, DateTimeOffset? At, string? Trouble = null);

/// <summary>In which range a component may be in an environment, both included.</summary>
public sealed record ScaleRange(int Minimum, int Maximum);
