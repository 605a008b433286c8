using System.Globalization;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using Temporalio.Activities;

namespace PlatformOps.Activities.Failover;

/// <summary>The Temporal namespaces that go with the database. What was seen is in the heartbeats: a worker that takes over goes on counting for how long one has been closed.</summary>
public sealed partial class FailoverActivities
{
    /// <inheritdoc/>
    public Task<FailoverStepResult> MoveNamespacesAsync(FailoverOrder order) =>
        ActivityFailures.MappedAsync(() => SeeingAsync((known, seen) => Around(order.Environment, order.Drill).Namespaces(order, time).MoveAsync(known, seen, Cancellation)));

    /// <inheritdoc/>
    public Task<WatchedHandover> GuardHandoverAsync(GuardHandoverOrder order) => ActivityFailures.MappedAsync(async () =>
    {
        var sights = await SeeingAsync((known, seen) => Around(order.Environment, order.Drill).Namespaces(order, time).GuardAsync(known, order.Quiet, seen, Cancellation));
        return new WatchedHandover(string.Join(" ", sights.Select(sight => string.Create(CultureInfo.InvariantCulture, $"{sight.Key} was closed for {sight.Value.ShutSeconds:0.0} s at most.{(sight.Value.Done is { } done ? $" {done}" : "")}"))));
    });

    /// <summary>Heartbeats what is seen, also while a cluster takes its time to answer.</summary>
    private async Task<T> SeeingAsync<T>(Func<IReadOnlyDictionary<string, HandoverSight>?, Action<IReadOnlyDictionary<string, HandoverSight>>, Task<T>> work)
    {
        var activity = ActivityExecutionContext.Current;
        var known = activity.Info.HeartbeatDetails.Count > 0 ? await activity.Info.HeartbeatDetailAtAsync<Dictionary<string, HandoverSight>>(0) : null;
        IReadOnlyDictionary<string, HandoverSight> latest = known ?? [];
        var working = work(known, sights => latest = sights);
        while (!Cancellation.IsCancellationRequested && await Task.WhenAny(working, Task.Delay(HeartbeatRhythm, time, Cancellation)) != working)
            activity.Heartbeat(latest);
        return await working;
    }
}
