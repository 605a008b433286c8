using PlatformOps.BootstrapServer.Executions.Resetting;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The ways in which a run ends. A run that is continued (as new, by retry, by cron) and its successor are one
/// transaction: there is never a moment without, or with two, open runs.
/// </summary>
internal sealed class Closing(WorkflowRun run)
{
    /// <summary>The run that continues this one, created by this step and committed with it.</summary>
    public WorkflowRun? Successor { get; private set; }

    public void Complete(Command command, long completedEventId)
    {
        var result = command.CompleteWorkflowExecutionCommandAttributes.Result;
        var successor = run.Engine.Successors.ByCron(run, result, null);
        var close = run.Events.Add(EventType.WorkflowExecutionCompleted, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            WorkflowExecutionCompletedEventAttributes = new WorkflowExecutionCompletedEventAttributes
            {
                Result = result,
                WorkflowTaskCompletedEventId = completedEventId,
                NewExecutionRunId = successor?.RunId ?? "",
            },
        });
        Close(WorkflowExecutionStatus.Completed, close, successor);
    }

    public void Fail(Command command, long completedEventId)
    {
        var failure = command.FailWorkflowExecutionCommandAttributes.Failure;
        var (successor, retryState) = run.Engine.Successors.AfterFailure(run, failure);
        var close = run.Events.Add(EventType.WorkflowExecutionFailed, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            WorkflowExecutionFailedEventAttributes = new WorkflowExecutionFailedEventAttributes
            {
                Failure = failure,
                RetryState = retryState,
                WorkflowTaskCompletedEventId = completedEventId,
                NewExecutionRunId = successor?.RunId ?? "",
            },
        });
        Close(WorkflowExecutionStatus.Failed, close, successor);
    }

    public void Cancel(Command command, long completedEventId)
    {
        var close = run.Events.Add(EventType.WorkflowExecutionCanceled, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            WorkflowExecutionCanceledEventAttributes = new WorkflowExecutionCanceledEventAttributes
            {
                Details = command.CancelWorkflowExecutionCommandAttributes.Details,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        Close(WorkflowExecutionStatus.Canceled, close, null);
    }

    public void ContinueAsNew(Command command, long completedEventId)
    {
        var asked = command.ContinueAsNewWorkflowExecutionCommandAttributes;
        var successor = run.Engine.Successors.AsNew(run, asked);
        var close = run.Events.Add(EventType.WorkflowExecutionContinuedAsNew, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            WorkflowExecutionContinuedAsNewEventAttributes = new WorkflowExecutionContinuedAsNewEventAttributes
            {
                NewExecutionRunId = successor.RunId,
                WorkflowType = successor.Start.WorkflowType,
                TaskQueue = successor.Start.TaskQueue,
                Input = asked.Input,
                WorkflowRunTimeout = successor.Start.WorkflowRunTimeout,
                WorkflowTaskTimeout = successor.Start.WorkflowTaskTimeout,
                WorkflowTaskCompletedEventId = completedEventId,
                BackoffStartInterval = asked.BackoffStartInterval,
                Initiator = asked.Initiator == ContinueAsNewInitiator.Unspecified ? ContinueAsNewInitiator.Workflow : asked.Initiator,
                LastCompletionResult = asked.LastCompletionResult,
                Header = asked.Header,
                Memo = successor.Start.Memo,
                SearchAttributes = successor.Start.SearchAttributes,
                InitialVersioningBehavior = asked.InitialVersioningBehavior,
            },
        });
        Close(WorkflowExecutionStatus.ContinuedAsNew, close, successor);
    }

    public void Terminate(string reason, Payloads? details, string identity, IEnumerable<Link>? links = null)
    {
        run.WorkflowTasks.FailForClose();
        run.Events.Flush();
        var item = new HistoryEvent
        {
            WorkflowExecutionTerminatedEventAttributes = new WorkflowExecutionTerminatedEventAttributes { Reason = reason, Details = details, Identity = identity },
        };
        item.Links.AddRange(links ?? []);
        Close(WorkflowExecutionStatus.Terminated, run.Events.Add(EventType.WorkflowExecutionTerminated, item), null);
    }

    /// <summary>The run took longer than it may. A retry policy or cron schedule starts the next; the execution timeout lets none.</summary>
    public void TimeOut(bool executionTimeout)
    {
        run.WorkflowTasks.FailForClose();
        run.Events.Flush();
        var failure = new Failure
        {
            Message = "workflow timeout",
            Source = "Server",
            TimeoutFailureInfo = new TimeoutFailureInfo { TimeoutType = TimeoutType.StartToClose },
        };
        var (successor, retryState) = executionTimeout ? (null, RetryState.Timeout) : run.Engine.Successors.AfterFailure(run, failure);
        var close = run.Events.Add(EventType.WorkflowExecutionTimedOut, new HistoryEvent
        {
            WorkflowExecutionTimedOutEventAttributes = new WorkflowExecutionTimedOutEventAttributes
            {
                RetryState = retryState,
                NewExecutionRunId = successor?.RunId ?? "",
            },
        });
        Close(WorkflowExecutionStatus.TimedOut, close, successor);
    }

    private void Close(WorkflowExecutionStatus status, HistoryEvent close, WorkflowRun? successor)
    {
        Successor = successor;
        var state = run.State;
        state.Status = status;
        state.CloseTime = close.EventTime.ToDateTimeOffset();
        state.CloseEventId = close.EventId;
        state.SuccessorRunId = successor?.RunId;
        state.FirstTaskAt = null;
        state.Pause = null;
        run.VisibleChange = true;
        run.Touch();
        run.Events.DropBuffer();
        run.CancelTimers();
        run.Updates.AbortAll(continues: successor is not null);
        run.Queries.ReleaseAll();
        // A run that is reset goes on as another: its children are that one's, and nobody hears of an end.
        var reset = close.WorkflowExecutionTerminatedEventAttributes?.Identity == WorkflowResetter.Identity;
        if (!reset || state.ResetRunId is null)
        {
            foreach (var child in run.Children.All)
                run.Outgoing.OweClosing(child);
        }
        if (run.Start.ParentWorkflowExecution is not null && successor is null && !reset)
            run.Outgoing.OweNews(close);
        if (successor is null && !reset)
        {
            run.Engine.Schedules.WorkflowEnded(run, close);
            run.Callbacks.RunClosed(close);
        }
        run.Engine.Closed(run);
    }
}
