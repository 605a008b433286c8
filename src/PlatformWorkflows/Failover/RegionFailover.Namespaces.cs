using PlatformOps.Platform.Failover;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Failover;

/// <summary>How the Temporal namespaces go with the database.</summary>
public sealed partial class RegionFailover
{
    /// <summary>For all of them, each with the time in which the other cluster catches up.</summary>
    private static readonly TimeSpan MoveWithin = TimeSpan.FromHours(1);

    private IReadOnlyList<MovedNamespace> movedNamespaces = [];

    private async Task<string> MoveNamespacesAsync(FailoverOrder order, CancellationToken ct)
    {
        // Only a handover closes anything.
        var watched = order.Kind != FailoverKind.Failover && Workflow.Patched("handover-watchdog");
        if (watched)
            await StartWatchdogAsync(order);
        var result = await Workflow.ExecuteActivityAsync(
            (IFailoverActivities activities) => activities.MoveNamespacesAsync(order),
            Options(Doing(FailoverStep.Namespaces), watched ? MoveWithin : TimeSpan.FromMinutes(2), attempts: 5, ct, Silent));
        movedNamespaces = result.Namespaces ?? [];
        if (watched)
            await TryAsync(() => Workflow.GetExternalWorkflowHandle<HandoverWatchdog>(HandoverWatchdog.WorkflowId(Environment, operationId)).SignalAsync(watchdog => watchdog.HandedOverAsync()));
        return result.Detail;
    }

    /// <summary>Nothing is closed before somebody else watches too, whom neither the end of this run nor a cancellation ends.</summary>
    private async Task StartWatchdogAsync(FailoverOrder order)
    {
        try
        {
            await Workflow.StartChildWorkflowAsync((HandoverWatchdog watchdog) => watchdog.RunAsync(order), new()
            {
                Id = HandoverWatchdog.WorkflowId(Environment, operationId),
                ParentClosePolicy = ParentClosePolicy.Abandon,
                StaticSummary = $"See that no namespace of {Environment} stays closed",
                CancellationToken = CancellationToken.None,
            });
        }
        catch (WorkflowAlreadyStartedException)
        {
            // By an earlier attempt at this step.
        }
    }
}
