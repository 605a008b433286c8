namespace PlatformOps.Starter.Runs;

/// <summary>Shows a run while it is followed.</summary>
internal interface IRunView
{
    /// <summary>Runs <paramref name="follow"/> and shows every snapshot that it hands over; what was shown last stays.</summary>
    Task<RunSnapshot> ShowAsync(Func<Action<RunSnapshot>, Task<RunSnapshot>> follow);
}
