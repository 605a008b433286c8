using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>When workers that scale their polls are told to poll more or less. The numbers are the real server's.</summary>
internal static class PollerScaling
{
    /// <summary>A poll that waited so long for its task was one too many.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan OldBacklog = TimeSpan.FromMilliseconds(200);

    private const double FasterThanServed = 1.2;

    private const int DecisionsPerSecondAndPoller = 10;

    /// <summary>How long after one decision the next may come, as a difference of timestamps.</summary>
    public static long Pause(int pollers) => Stopwatch.Frequency / (DecisionsPerSecondAndPoller * Math.Max(1, pollers));

    /// <summary>Tasks wait for long, or come faster than they go.</summary>
    public static bool NeedsMore(LaneStatus lane) =>
        lane.Age > OldBacklog || (lane.DispatchRate > 0 && lane.AddRate / lane.DispatchRate > FasterThanServed);
}
