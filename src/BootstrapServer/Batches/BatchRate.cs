namespace PlatformOps.BootstrapServer.Batches;

/// <summary>
/// Lets so many operations pass in a second, the first second's at once. It goes by the wall clock, whatever the clock of
/// workflows does: what it protects is the load on this machine.
/// </summary>
internal sealed class BatchRate(double perSecond)
{
    /// <summary>What a batch may do in a second when it does not say, and at most: the limit of the real server.</summary>
    public const double Highest = 50;

    private readonly double perSecond = perSecond is > 0 and < Highest ? perSecond : Highest;
    private readonly long started = TimeProvider.System.GetTimestamp();
    private double spent;

    public Task WaitAsync(CancellationToken ct)
    {
        var elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        // What was not used is not saved up beyond one second.
        spent = Math.Max(spent, (elapsed * perSecond) - Math.Max(1, perSecond)) + 1;
        var due = TimeSpan.FromSeconds(((spent - Math.Max(1, perSecond)) / perSecond) - elapsed);
        return due > TimeSpan.Zero ? Task.Delay(due, TimeProvider.System, ct) : Task.CompletedTask;
    }
}
