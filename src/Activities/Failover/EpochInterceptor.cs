using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Worker.Interceptors;

namespace PlatformOps.Activities.Failover;

/// <summary>Refuses every activity of a failover that changes something and carries no epoch: actuators could not tell it from one of an older failover.</summary>
internal sealed class EpochInterceptor : IWorkerInterceptor
{
    /// <summary>What changes nothing, and what acts on a drill's copy, of which the actuators know no epoch.</summary>
    private static readonly HashSet<string> WithoutEpoch =
    [
        Name(nameof(IFailoverActivities.PrepareDrillAsync)), Name(nameof(IFailoverActivities.LoseDrillPrimaryAsync)), Name(nameof(IFailoverActivities.ReturnDrillNodeAsync)),
        Name(nameof(IFailoverActivities.AccountForDrillAsync)), Name(nameof(IFailoverActivities.RemoveDrillAsync)),
        Name(nameof(IFailoverActivities.ReadFailoverSettingsAsync)), Name(nameof(IFailoverActivities.ObserveRegionAsync)), Name(nameof(IFailoverActivities.CheckReadinessAsync)),
        Name(nameof(IFailoverActivities.ReadUnfinishedAsync)), Name(nameof(IFailoverActivities.ReadCapacityAsync)),
    ];

    private static readonly HashSet<string> Known = [.. typeof(IFailoverActivities).GetMethods().Select(method => Name(method.Name))];

    public ActivityInboundInterceptor InterceptActivity(ActivityInboundInterceptor nextInterceptor) => new Inbound(nextInterceptor);

    private static string Name(string method) => method[..^"Async".Length];

    private sealed class Inbound(ActivityInboundInterceptor next) : ActivityInboundInterceptor(next)
    {
        public override Task<object?> ExecuteActivityAsync(ExecuteActivityInput input)
        {
            var name = input.Activity.Name!;
            return Known.Contains(name) && !WithoutEpoch.Contains(name) && input.Args is not [FailoverOrder { Epoch: > 0 }]
                ? throw new ApplicationFailureException($"{name} changes something and carries no epoch. Nothing was changed. Give a {nameof(FailoverOrder)} with the epoch that was claimed.", FailureTypes.InvalidInput, nonRetryable: true)
                : base.ExecuteActivityAsync(input);
        }
    }
}
