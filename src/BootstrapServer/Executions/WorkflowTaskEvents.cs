using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What history says of the current workflow task of a run (<see cref="WorkflowTasks"/> decides when).</summary>
internal sealed class WorkflowTaskEvents(WorkflowRun run)
{
    private WorkflowTaskState Current => run.State.WorkflowTask;

    public HistoryEvent AddScheduled(DateTimeOffset at) => run.Events.Add(EventType.WorkflowTaskScheduled, new HistoryEvent
    {
        EventTime = Timestamp.FromDateTimeOffset(at),
        WorkflowTaskScheduledEventAttributes = ScheduledAttributes(),
    });

    public HistoryEvent AddStarted(string identity, long? scheduledEventId = null) => run.Events.Add(EventType.WorkflowTaskStarted, new HistoryEvent
    {
        EventTime = Timestamp.FromDateTimeOffset(Current.StartedTime),
        WorkflowTaskStartedEventAttributes = StartedAttributes(identity, scheduledEventId ?? Current.ScheduledEventId),
    });

    public void AddFailed(WorkflowTaskFailedCause cause, Failure? failure, string identity, string baseRunId, string newRunId) => run.Events.Add(EventType.WorkflowTaskFailed, new HistoryEvent
    {
        WorkflowTaskFailedEventAttributes = new WorkflowTaskFailedEventAttributes
        {
            ScheduledEventId = Current.ScheduledEventId,
            StartedEventId = Current.StartedEventId,
            Cause = cause,
            Failure = failure,
            Identity = identity,
            BaseRunId = baseRunId,
            NewRunId = newRunId,
        },
    });

    public void AddTimedOut(TimeoutType type) => run.Events.Add(EventType.WorkflowTaskTimedOut, new HistoryEvent
    {
        WorkflowTaskTimedOutEventAttributes = new WorkflowTaskTimedOutEventAttributes
        {
            ScheduledEventId = Current.ScheduledEventId,
            StartedEventId = Current.StartedEventId,
            TimeoutType = type,
        },
    });

    private WorkflowTaskScheduledEventAttributes ScheduledAttributes() => new()
    {
        TaskQueue = run.WorkflowTasks.Queue,
        StartToCloseTimeout = Duration.FromTimeSpan(Current.Timeout),
        Attempt = Current.Attempt,
    };

    private WorkflowTaskStartedEventAttributes StartedAttributes(string identity, long scheduledEventId) => new()
    {
        ScheduledEventId = scheduledEventId,
        Identity = identity,
        RequestId = Current.RequestId,
        SuggestContinueAsNew = Current.ReasonsToContinueAsNew is not null,
        SuggestContinueAsNewReasons = { Current.ReasonsToContinueAsNew ?? [] },
        TargetWorkerDeploymentVersionChanged = Current.TargetVersionChanged,
        HistorySizeBytes = Current.HistorySize,
    };

    /// <summary>The scheduled and started events of a task that history does not have (yet).</summary>
    public List<HistoryEvent> Unwritten()
    {
        var task = Current;
        return
        [
            new HistoryEvent
            {
                EventId = task.ScheduledEventId,
                EventTime = Timestamp.FromDateTimeOffset(task.ScheduledTime),
                EventType = EventType.WorkflowTaskScheduled,
                WorkflowTaskScheduledEventAttributes = ScheduledAttributes(),
            },
            new HistoryEvent
            {
                EventId = task.StartedEventId,
                EventTime = Timestamp.FromDateTimeOffset(task.StartedTime),
                EventType = EventType.WorkflowTaskStarted,
                WorkflowTaskStartedEventAttributes = StartedAttributes(task.Identity, task.ScheduledEventId),
            },
        ];
    }
}
