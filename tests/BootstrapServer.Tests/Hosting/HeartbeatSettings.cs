using Temporalio.Worker;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>How often workers send the heartbeats of their activities.</summary>
internal static class HeartbeatSettings
{
    /// <summary>
    /// Heartbeats leave soon after an activity made them. A worker otherwise keeps them back for four fifths of their timeout, so that only a
    /// short timeout lets an activity hear of something soon, and a busy machine runs into that.
    /// </summary>
    public static TemporalWorkerOptions Prompt(TemporalWorkerOptions options)
    {
        options.MaxHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(100);
        return options;
    }
}
