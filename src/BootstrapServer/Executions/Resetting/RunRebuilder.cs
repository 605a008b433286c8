using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Completing;
using PlatformOps.BootstrapServer.Executions.Pausing;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>
/// Makes a run that stands where another one stood before an event: the same history, and the state that follows from it.
/// Nothing is sent, queued or timed yet, since the new run may turn out to be impossible.
/// </summary>
internal sealed class RunRebuilder
{
    private readonly WorkflowRun run;

    private RunRebuilder(WorkflowRun run) => this.run = run;

    /// <param name="origin">The run that is reset.</param>
    /// <param name="events">Its history up to the reset point.</param>
    public static WorkflowRun Rebuild(WorkflowRun origin, string runId, IReadOnlyList<HistoryEvent> events)
    {
        var engine = origin.Engine;
        var now = engine.Clock.GetUtcNow();
        var started = events[0].WorkflowExecutionStartedEventAttributes;
        var start = Engine.Kept(started);
        // Its timeouts begin anew, and it has waited for its first task already.
        if (start.WorkflowExecutionTimeout?.ToTimeSpan() is { Ticks: > 0 } timeout)
            start.WorkflowExecutionExpirationTime = Timestamp.FromDateTimeOffset(now + timeout);
        start.FirstWorkflowTaskBackoff = new Duration();
        var state = new RunState
        {
            StartTime = now,
            OriginalStartTime = events[0].EventTime.ToDateTimeOffset(),
            StartRequestId = origin.State.StartRequestId,
            Memo = started.Memo,
            SearchAttributes = started.SearchAttributes,
            UserMetadata = events[0].UserMetadata,
            Priority = started.Priority,
            Versioning = VersionInheritance.AtStart(started),
            ResetPoints = AutoResetPoints.Inherit(started, now, origin.Namespace.Retention),
        };
        var name = new RunName(origin.Name.NamespaceId, origin.WorkflowId, runId);
        var run = new WorkflowRun(engine, origin.Namespace, name, engine.Store.NextRunKey(), start, state);
        run.Callbacks.Attach(state.StartRequestId, started.CompletionCallbacks);
        run.Events.TakeOver(events);
        var rebuilder = new RunRebuilder(run);
        foreach (var item in events)
            rebuilder.Apply(item);
        return run;
    }

    private void Apply(HistoryEvent item)
    {
        switch (item.EventType)
        {
            case EventType.WorkflowTaskScheduled or EventType.WorkflowTaskStarted or EventType.WorkflowTaskCompleted
                or EventType.WorkflowTaskFailed or EventType.WorkflowTaskTimedOut:
                WorkflowTask(item);
                break;
            case EventType.ActivityTaskScheduled or EventType.ActivityTaskStarted or EventType.ActivityTaskCompleted
                or EventType.ActivityTaskFailed or EventType.ActivityTaskTimedOut or EventType.ActivityTaskCanceled
                or EventType.ActivityTaskCancelRequested:
                run.Activities.Rebuild(item);
                break;
            case EventType.TimerStarted or EventType.TimerFired or EventType.TimerCanceled:
                run.Timers.Rebuild(item);
                break;
            case EventType.StartChildWorkflowExecutionInitiated or EventType.StartChildWorkflowExecutionFailed
                or EventType.ChildWorkflowExecutionStarted or EventType.ChildWorkflowExecutionCompleted
                or EventType.ChildWorkflowExecutionFailed or EventType.ChildWorkflowExecutionCanceled
                or EventType.ChildWorkflowExecutionTimedOut or EventType.ChildWorkflowExecutionTerminated:
                run.Children.Rebuild(item);
                break;
            case EventType.SignalExternalWorkflowExecutionInitiated or EventType.SignalExternalWorkflowExecutionFailed
                or EventType.ExternalWorkflowExecutionSignaled:
                run.ExternalSignals.Rebuild(item);
                break;
            case EventType.RequestCancelExternalWorkflowExecutionInitiated or EventType.RequestCancelExternalWorkflowExecutionFailed
                or EventType.ExternalWorkflowExecutionCancelRequested:
                run.ExternalCancels.Rebuild(item);
                break;
            case EventType.WorkflowExecutionUpdateAdmitted or EventType.WorkflowExecutionUpdateAccepted or EventType.WorkflowExecutionUpdateCompleted:
                run.Updates.Rebuild(item);
                break;
            default:
                Note(item);
                break;
        }
    }

    /// <summary>Events that change the run's own facts.</summary>
    private void Note(HistoryEvent item)
    {
        switch (item.EventType)
        {
            case EventType.WorkflowExecutionSignaled:
                run.State.SignalCount++;
                run.Requests.Add(item.WorkflowExecutionSignaledEventAttributes.RequestId, item.EventType);
                run.Requests.Placed(item);
                break;
            case EventType.WorkflowExecutionCancelRequested:
                run.State.CancelRequested = true;
                break;
            case EventType.WorkflowExecutionOptionsUpdated:
                Incoming.NoteOptions(run, item.WorkflowExecutionOptionsUpdatedEventAttributes);
                run.Requests.Placed(item);
                break;
            case EventType.WorkflowExecutionPaused or EventType.WorkflowExecutionUnpaused:
                WorkflowPause.Note(run, item);
                break;
            case EventType.UpsertWorkflowSearchAttributes:
                Attributes.Merge(run, item.UpsertWorkflowSearchAttributesEventAttributes.SearchAttributes);
                break;
            case EventType.WorkflowPropertiesModified:
                Attributes.Merge(run, item.WorkflowPropertiesModifiedEventAttributes.UpsertedMemo);
                break;
        }
    }

    private void WorkflowTask(HistoryEvent item)
    {
        var (state, at) = (run.State, item.EventTime.ToDateTimeOffset());
        switch (item.EventType)
        {
            case EventType.WorkflowTaskScheduled:
                state.WorkflowTask = new WorkflowTaskState
                {
                    ScheduledEventId = item.EventId,
                    Timeout = item.WorkflowTaskScheduledEventAttributes.StartToCloseTimeout.ToTimeSpan(),
                    ScheduledTime = at,
                    OriginalScheduledTime = at,
                };
                break;
            case EventType.WorkflowTaskStarted:
                state.WorkflowTask.StartedEventId = item.EventId;
                state.WorkflowTask.StartedTime = at;
                state.WorkflowTask.Identity = item.WorkflowTaskStartedEventAttributes.Identity;
                state.WorkflowTask.RequestId = item.WorkflowTaskStartedEventAttributes.RequestId;
                break;
            case EventType.WorkflowTaskCompleted:
                state.WorkflowTask = new WorkflowTaskState();
                state.LastCompletedStartedEventId = item.WorkflowTaskCompletedEventAttributes.StartedEventId;
                state.LastCompletedEventId = item.EventId;
                RunVersions.Learn(run, item.WorkflowTaskCompletedEventAttributes);
                AutoResetPoints.Note(run, item);
                break;
            default:
                state.WorkflowTask = new WorkflowTaskState();
                break;
        }
    }
}
