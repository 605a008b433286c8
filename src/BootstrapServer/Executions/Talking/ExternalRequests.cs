using Grpc.Core;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Talking;

/// <summary>Delivers signals and cancellations from one workflow to another, and tells the sender how it went.</summary>
internal sealed class ExternalRequests(Engine engine)
{
    public async Task SignalAsync(WorkflowRun sender, ExternalRequestState state, HistoryEvent initiated)
    {
        var asked = initiated.SignalExternalWorkflowExecutionInitiatedEventAttributes;
        SignalExternalWorkflowExecutionFailedCause? failed = null;
        try
        {
            var target = Target(sender, asked.NamespaceId, asked.WorkflowExecution);
            if (target is null)
            {
                failed = SignalExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound;
            }
            else
            {
                await target.StepAsync(() =>
                {
                    if (asked.ChildWorkflowOnly)
                        Incoming.RequireParent(target, sender);
                    Incoming.Signal(target, asked.SignalName, asked.Input, asked.Header, "history-service", state.RequestId, sender: Self(sender));
                });
            }
        }
        catch (RpcException e)
        {
            failed = e.StatusCode == StatusCode.InvalidArgument
                ? SignalExternalWorkflowExecutionFailedCause.SignalCountLimitExceeded
                : SignalExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound;
        }
        await sender.StepAsync(() => sender.ExternalSignals.Ended(initiated, failed));
    }

    public async Task CancelAsync(WorkflowRun sender, ExternalRequestState state, HistoryEvent initiated)
    {
        var asked = initiated.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes;
        CancelExternalWorkflowExecutionFailedCause? failed = null;
        try
        {
            var target = Target(sender, asked.NamespaceId, asked.WorkflowExecution);
            if (target is null)
            {
                failed = CancelExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound;
            }
            else
            {
                await target.StepAsync(() =>
                {
                    if (target.IsOpen && asked.ChildWorkflowOnly)
                        Incoming.RequireParent(target, sender);
                    Incoming.Cancel(target, asked.Reason, "history-service", state.RequestId, sender: Self(sender), senderEventId: initiated.EventId);
                });
            }
        }
        catch (RpcException)
        {
            failed = CancelExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound;
        }
        await sender.StepAsync(() => sender.ExternalCancels.Ended(initiated, failed));
    }

    private static WorkflowExecution Self(WorkflowRun run) => new() { WorkflowId = run.WorkflowId, RunId = run.RunId };

    /// <summary>The target, unless there is none, or a workflow means itself.</summary>
    private WorkflowRun? Target(WorkflowRun sender, string namespaceId, WorkflowExecution target)
    {
        if (engine.Namespaces.FindById(namespaceId) is not { } ns || (ns.Id == sender.Name.NamespaceId && target.WorkflowId == sender.WorkflowId))
            return null;
        return engine.TryFind(ns, target.WorkflowId, target.RunId);
    }
}
