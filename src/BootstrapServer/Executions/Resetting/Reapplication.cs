using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>
/// What others did to a workflow after the point to which it is reset happens to the new run again, unless the caller wants
/// otherwise. Cancellations and terminations are not repeated, as on the real server: a reset means to go on.
/// </summary>
internal sealed class Reapplication(WorkflowRun run, IReadOnlySet<ResetReapplyExcludeType> excluded)
{
    /// <summary>True when the caller excluded everything: then not even the news of children are brought along.</summary>
    public bool ExcludesAll { get; } = System.Enum.GetValues<ResetReapplyExcludeType>().All(t => t == ResetReapplyExcludeType.Unspecified || excluded.Contains(t));

    /// <summary>The set that a request means; its older field says what to include, the newer what to leave out.</summary>
    public static IReadOnlySet<ResetReapplyExcludeType> Excluded(ResetWorkflowExecutionRequest request)
    {
        var excluded = request.ResetReapplyExcludeTypes.ToHashSet();
#pragma warning disable CS0612 // The older field.
        var include = request.ResetReapplyType;
#pragma warning restore CS0612
        if (include is ResetReapplyType.Signal or ResetReapplyType.None)
            excluded.Add(ResetReapplyExcludeType.Update);
        if (include is ResetReapplyType.None)
            excluded.Add(ResetReapplyExcludeType.Signal);
        return excluded;
    }

    public void Apply(IEnumerable<HistoryEvent> events)
    {
        if (ExcludesAll)
            return;
        foreach (var item in events)
        {
            Apply(item);
            run.Events.Flush(); // no workflow task is in flight: each gets its place at once, in order
        }
    }

    private void Apply(HistoryEvent item)
    {
        switch (item.EventType)
        {
            case EventType.WorkflowExecutionSignaled when !excluded.Contains(ResetReapplyExcludeType.Signal):
                var signal = item.WorkflowExecutionSignaledEventAttributes;
                Incoming.AddSignal(run, signal.SignalName, signal.Input, signal.Header, signal.Identity, signal.RequestId, item.Links, signal.ExternalWorkflowExecution);
                break;
            case EventType.WorkflowExecutionUpdateAdmitted when !excluded.Contains(ResetReapplyExcludeType.Update):
                var admitted = item.WorkflowExecutionUpdateAdmittedEventAttributes;
                run.Updates.AdmitAgain(admitted.Request, admitted.Origin);
                break;
            // One that had been admitted by an event has no request: that event is applied again, not this.
            case EventType.WorkflowExecutionUpdateAccepted when !excluded.Contains(ResetReapplyExcludeType.Update)
                && item.WorkflowExecutionUpdateAcceptedEventAttributes.AcceptedRequest is { } request:
                run.Updates.AdmitAgain(request, UpdateAdmittedEventOrigin.Reapply);
                break;
            case EventType.WorkflowExecutionOptionsUpdated:
                Incoming.AddOptions(run, item.WorkflowExecutionOptionsUpdatedEventAttributes, item.Links);
                break;
            case EventType.StartChildWorkflowExecutionFailed or EventType.ChildWorkflowExecutionStarted
                or EventType.ChildWorkflowExecutionCompleted or EventType.ChildWorkflowExecutionFailed
                or EventType.ChildWorkflowExecutionCanceled or EventType.ChildWorkflowExecutionTimedOut
                or EventType.ChildWorkflowExecutionTerminated:
                run.Children.Reapply(item);
                break;
        }
    }
}
