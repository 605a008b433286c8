namespace PlatformOps.Platform.Bootstrap;

/// <summary>What comes next of a move.</summary>
public abstract record PivotDecision
{
    private PivotDecision()
    {
    }

    /// <summary>The one next effect.</summary>
    public sealed record Act(PivotStep Step) : PivotDecision;

    /// <summary>Nothing may be done until both clusters have looked the same for so long.</summary>
    public sealed record Settle(TimeSpan For, string Reason) : PivotDecision;

    /// <summary>Somebody else has to end something first.</summary>
    public sealed record Wait(string Reason, IReadOnlyList<string> For) : PivotDecision;

    /// <summary>It cannot be.</summary>
    public sealed record Refuse(string Reason, string Next) : PivotDecision;

    /// <summary>Nothing is left to do.</summary>
    public sealed record Done(string Reason) : PivotDecision;
}

/// <summary>Where a move is to lead.</summary>
public enum PivotDirection
{
    /// <summary>The target becomes active.</summary>
    Forward,

    /// <summary>The source stays active; what came to the target is removed there.</summary>
    Back,
}

/// <summary>How long a move waits for what nobody tells it.</summary>
/// <param name="Settled">Before it hands over: lists of a Temporal cluster may be so old. Default 3 s.</param>
/// <param name="WorkersGone">After it has handed over, before the target opens: workers of the source look at its record every 2 s, and give their activities 5 s to come to an end. Default 10 s.</param>
public sealed record PivotTiming(TimeSpan Settled, TimeSpan WorkersGone)
{
    /// <summary>What the product uses.</summary>
    public static PivotTiming Default { get; } = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
}

/// <summary>All that a decision rests on.</summary>
/// <param name="Unchanged">For how long both have looked like this.</param>
public sealed record PivotFacts(PivotDirection Direction, BootstrapSight Source, BootstrapSight Target, TimeSpan Unchanged, PivotTiming Timing)
{
    /// <summary>What the source has and the target lacks.</summary>
    public IReadOnlyList<string> Missing =>
    [
        .. Target.NamespaceId is null ? [$"namespace {Target.Name}"] : Array.Empty<string>(),
        .. Source.Attributes.Keys.Where(name => !Target.Attributes.ContainsKey(name)).Order(StringComparer.Ordinal).Select(name => $"search attribute {name}"),
    ];

    /// <summary>What the target has otherwise than the source, and cannot change.</summary>
    public IReadOnlyList<string> Contradictions =>
    [
        .. Source.Attributes.Where(known => Target.Attributes.TryGetValue(known.Key, out var there) && there != known.Value)
            .OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => $"search attribute {known.Key} of type {Target.Attributes[known.Key]} instead of {known.Value}"),
    ];
}
