using System.Collections.Concurrent;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace PlatformOps.Starter.Capacity;

/// <summary>What one workflow of the load is to do.</summary>
/// <param name="Activities">How many it carries out, one after the other.</param>
/// <param name="Open">How long it stays open in all.</param>
public sealed record CanaryLoad(int Activities, TimeSpan Open);

/// <summary>A workflow of the load: some activities that do nothing, and a wait. What is measured is everything around them.</summary>
[Workflow(TypeName)]
public sealed class CapacityCanary
{
    /// <summary>By which what a killed load has left is found.</summary>
    public const string TypeName = "PlatformOpsCapacityCanary";

    private DateTime until;

    /// <summary>The activities, and the wait.</summary>
    [WorkflowRun]
    public async Task RunAsync(CanaryLoad load)
    {
        until = Workflow.UtcNow + load.Open;
        for (var done = 0; done < load.Activities; done++)
            await Workflow.ExecuteActivityAsync((CanaryActivities activities) => activities.Beat(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), DisableEagerActivityExecution = true });
        if (until > Workflow.UtcNow)
            await Workflow.DelayAsync(until - Workflow.UtcNow);
        await Workflow.ExecuteLocalActivityAsync((CanaryActivities activities) => activities.End(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }
}

/// <summary>The activities of the load: they count themselves.</summary>
public sealed class CanaryActivities
{
    private int beats, ended;

    /// <summary>How long each waited for a worker, by the server's clock, in milliseconds. Emptied by whoever reads it.</summary>
    public ConcurrentQueue<double> Waited { get; } = [];

    public int Beats => Volatile.Read(ref beats);

    /// <summary>Workflows that have ended.</summary>
    public int Ended => Volatile.Read(ref ended);

    /// <summary>Does nothing.</summary>
    [Activity("PlatformOpsCapacityBeat")]
    public void Beat()
    {
        var info = ActivityExecutionContext.Current.Info;
        Waited.Enqueue(Math.Max(0, (info.StartedTime - info.CurrentAttemptScheduledTime).TotalMilliseconds));
        Interlocked.Increment(ref beats);
    }

    /// <summary>The workflow ends now.</summary>
    [Activity("PlatformOpsCapacityEnd")]
    public void End() => Interlocked.Increment(ref ended);
}
