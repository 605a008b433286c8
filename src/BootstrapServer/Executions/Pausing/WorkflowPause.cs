using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Pausing;

/// <summary>
/// Pauses a whole run: no workflow task and no activity attempt begins until it goes on. What a worker has already may end;
/// signals and timers get their place in history and wait for the workflow.
/// </summary>
internal static class WorkflowPause
{
    /// <exception cref="Grpc.Core.RpcException">FAILED_PRECONDITION when another request paused it.</exception>
    public static void Pause(WorkflowRun run, string identity, string reason, string requestId)
    {
        run.RequireOpen();
        if (run.State.Pause is { } paused)
        {
            if (requestId.Length > 0 && paused.RequestId == requestId)
                return;
            throw ServiceError.FailedPrecondition("workflow is already paused.");
        }
        run.WorkflowTasks.FailForPause();
        var item = run.Events.Add(EventType.WorkflowExecutionPaused, new HistoryEvent
        {
            WorkflowExecutionPausedEventAttributes = new WorkflowExecutionPausedEventAttributes { Identity = identity, Reason = reason, RequestId = requestId },
        });
        Note(run, item);
        run.Activities.WithdrawWaiting();
    }

    /// <exception cref="Grpc.Core.RpcException">FAILED_PRECONDITION when it is not paused.</exception>
    public static void Unpause(WorkflowRun run, string identity, string reason, string requestId)
    {
        run.RequireOpen();
        if (run.State.Pause is null)
            throw ServiceError.FailedPrecondition("workflow is not paused.");
        var item = run.Events.Add(EventType.WorkflowExecutionUnpaused, new HistoryEvent
        {
            WorkflowExecutionUnpausedEventAttributes = new WorkflowExecutionUnpausedEventAttributes { Identity = identity, Reason = reason, RequestId = requestId },
        });
        Note(run, item);
        run.Activities.DispatchWaiting();
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>What follows from the event for the run's state.</summary>
    public static void Note(WorkflowRun run, HistoryEvent item)
    {
        if (item.WorkflowExecutionPausedEventAttributes is { } paused)
        {
            run.State.Status = WorkflowExecutionStatus.Paused;
            run.State.Pause = new PauseState { Since = item.EventTime.ToDateTimeOffset(), Identity = paused.Identity, Reason = paused.Reason, RequestId = paused.RequestId };
        }
        else
        {
            run.State.Status = WorkflowExecutionStatus.Running;
            run.State.Pause = null;
        }
        run.Touch();
        PauseInfo.Show(run);
    }
}
