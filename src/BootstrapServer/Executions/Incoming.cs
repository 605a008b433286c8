using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What comes to a run from outside: signals and cancellations. Called within a step.</summary>
internal static class Incoming
{
    /// <param name="sender">The workflow that sends it, when a workflow does.</param>
    public static void Signal(
        WorkflowRun run, string name, Payloads? input, Header? header, string identity, string requestId, IEnumerable<Link>? links = null, WorkflowExecution? sender = null)
    {
        if (run.Requests.Seen(requestId))
            return;
        run.RequireOpen();
        if (run.State.SignalCount >= run.Engine.Limits.SignalsPerRun)
            throw ServiceError.InvalidArgument("exceeded workflow execution limit for signal events");
        run.Requests.Add(requestId);
        run.State.SignalCount++;
        var item = new HistoryEvent
        {
            WorkflowExecutionSignaledEventAttributes = new WorkflowExecutionSignaledEventAttributes
            {
                SignalName = name,
                Input = input,
                Identity = identity,
                Header = header,
                ExternalWorkflowExecution = sender,
                RequestId = requestId,
            },
        };
        item.Links.AddRange(links ?? []);
        run.Events.Add(EventType.WorkflowExecutionSignaled, item);
        run.Touch();
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>Asks the run to cancel. One that ended, or was asked before, is fine as it is.</summary>
    public static void Cancel(
        WorkflowRun run, string reason, string identity, string requestId, IEnumerable<Link>? links = null, WorkflowExecution? sender = null, long senderEventId = 0)
    {
        if (!run.IsOpen || run.State.CancelRequested)
            return;
        run.State.CancelRequested = true;
        run.State.CancelRequestId = requestId;
        var item = new HistoryEvent
        {
            WorkflowExecutionCancelRequestedEventAttributes = new WorkflowExecutionCancelRequestedEventAttributes
            {
                Cause = reason,
                Identity = identity,
                ExternalInitiatedEventId = senderEventId,
                ExternalWorkflowExecution = sender,
            },
        };
        item.Links.AddRange(links ?? []);
        run.Events.Add(EventType.WorkflowExecutionCancelRequested, item);
        run.Touch();
        run.WorkflowTasks.EndFirstWait();
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>Refuses a request for a chain of runs that this run is not of.</summary>
    public static void RequireChain(WorkflowRun run, string firstRunId)
    {
        if (firstRunId.Length > 0 && run.Start.FirstExecutionRunId != firstRunId)
            throw ServiceError.NotFound("workflow execution not found");
    }

    /// <summary>Refuses a request that only a child of the sender may get.</summary>
    public static void RequireParent(WorkflowRun run, WorkflowExecution parent)
    {
        if (run.Start.ParentWorkflowExecution is not { } actual || actual.WorkflowId != parent.WorkflowId || actual.RunId != parent.RunId)
            throw ServiceError.NotFound("workflow parent does not match");
    }
}
