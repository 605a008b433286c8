using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The history of one run as its next events are added. Events that come from outside while a workflow task is in flight
/// wait in a buffer, because the worker decides on the history that it was given; they get their ids when the task ends.
/// </summary>
internal sealed class EventLog(RunState state, RowSet rows, TimeProvider clock)
{
    /// <summary>Stands for "started, but the event waits in the buffer" where an event id is wanted.</summary>
    public const long Waiting = -1;

    /// <summary>Events that another run's history is cut into: what a reader reads at least.</summary>
    private const int TakenOverBatch = 100;

    private readonly List<List<HistoryEvent>> batches = [];
    private List<HistoryEvent> batch = [];
    private readonly List<(long Number, HistoryEvent Event)> buffer = [];
    private long lastBuffered;

    /// <summary>Started event ids by scheduled or initiated event id, of the events that left the buffer in this transaction.</summary>
    private readonly Dictionary<long, long> startedIds = [];

    public long NextEventId => state.NextEventId;

    public bool HasBuffered => buffer.Count > 0;

    public bool HasNewEvents => batch.Count > 0 || batches.Count > 0;

    /// <summary>Called with the initiated event id and the started event id of a child whose start left the buffer.</summary>
    public Action<long, long>? ChildStarted { get; set; }

    /// <summary>Called with each event that came from outside, when it has its place.</summary>
    public Action<HistoryEvent>? Placed { get; set; }

    /// <summary>Adds an event, to history or to the buffer, by what kind of event it is.</summary>
    public HistoryEvent Add(EventType type, HistoryEvent item)
    {
        item.EventType = type;
        item.WorkerMayIgnore |= ConcernsNoWorker(type);
        item.EventTime ??= Timestamp.FromDateTimeOffset(clock.GetUtcNow());
        if (WaitsForWorkflowTask(type))
        {
            item.EventId = 0;
            buffer.Add((++lastBuffered, item));
            rows.Put(RowKind.BufferedEvent, Key(lastBuffered), item.ToByteArray);
        }
        else
        {
            Append(item);
        }
        return item;
    }

    /// <summary>Takes over the beginning of another run's history.</summary>
    public void TakeOver(IEnumerable<HistoryEvent> events)
    {
        foreach (var item in events)
        {
            batch.Add(item);
            state.NextEventId = item.EventId + 1;
            if (batch.Count >= TakenOverBatch)
                EndBatch();
        }
        EndBatch();
    }

    /// <summary>Gives the buffered events their place in history. Ends of activities and children come after everything else.</summary>
    public void Flush()
    {
        if (buffer.Count == 0)
            return;
        foreach (var (_, item) in buffer.Where(b => !EndsSomething(b.Event.EventType)))
            Place(item);
        foreach (var (_, item) in buffer.Where(b => EndsSomething(b.Event.EventType)))
            Place(item);
        foreach (var (number, _) in buffer)
            rows.Delete(RowKind.BufferedEvent, Key(number));
        buffer.Clear();
        startedIds.Clear();
    }

    /// <summary>Drops what waits: the run closed first.</summary>
    public void DropBuffer()
    {
        foreach (var (number, _) in buffer)
            rows.Delete(RowKind.BufferedEvent, Key(number));
        buffer.Clear();
    }

    public int BufferedCount => buffer.Count;

    /// <summary>True when the timer fired but its event still waits.</summary>
    public bool TimerFiredIsBuffered(string timerId) => buffer.Exists(b => b.Event.TimerFiredEventAttributes?.TimerId == timerId);

    /// <summary>Takes back the waiting event of a timer that fired while the workflow cancelled it; returns the timer's started event id.</summary>
    public long TakeBackTimerFired(string timerId)
    {
        var index = buffer.FindIndex(b => b.Event.TimerFiredEventAttributes?.TimerId == timerId);
        var (number, item) = buffer[index];
        rows.Delete(RowKind.BufferedEvent, Key(number));
        buffer.RemoveAt(index);
        return item.TimerFiredEventAttributes.StartedEventId;
    }

    /// <summary>True when the end of this activity waits in the buffer.</summary>
    public bool ActivityEndIsBuffered(long scheduledEventId) =>
        buffer.Exists(b => EndsSomething(b.Event.EventType) && EndedActivity(b.Event) == scheduledEventId);

    public bool AnyBuffered(Predicate<HistoryEvent> match) => buffer.Exists(b => match(b.Event));

    /// <summary>Ends the current batch: events of one batch are written, read and paged together.</summary>
    public void EndBatch()
    {
        if (batch.Count == 0)
            return;
        batches.Add(batch);
        batch = [];
    }

    /// <summary>Hands over the batches of this transaction.</summary>
    public List<List<HistoryEvent>> TakeBatches()
    {
        EndBatch();
        var taken = new List<List<HistoryEvent>>(batches);
        batches.Clear();
        return taken;
    }

    /// <summary>Puts buffered events back, on recovery.</summary>
    public void RestoreBuffered(string id, byte[] data)
    {
        var number = long.Parse(id, CultureInfo.InvariantCulture);
        buffer.Add((number, HistoryEvent.Parser.ParseFrom(data)));
        buffer.Sort((a, b) => a.Number.CompareTo(b.Number));
        lastBuffered = Math.Max(lastBuffered, number);
    }

    private static string Key(long number) => number.ToString(CultureInfo.InvariantCulture);

    private void Append(HistoryEvent item)
    {
        item.EventId = state.NextEventId++;
        item.TaskId = item.EventId + 1048575;
        batch.Add(item);
    }

    private void Place(HistoryEvent item)
    {
        Append(item);
        Placed?.Invoke(item);
        switch (item.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.ActivityTaskStartedEventAttributes:
                startedIds[item.ActivityTaskStartedEventAttributes.ScheduledEventId] = item.EventId;
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskCompletedEventAttributes:
                Wire(item.ActivityTaskCompletedEventAttributes.ScheduledEventId, id => item.ActivityTaskCompletedEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskFailedEventAttributes:
                Wire(item.ActivityTaskFailedEventAttributes.ScheduledEventId, id => item.ActivityTaskFailedEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskTimedOutEventAttributes:
                Wire(item.ActivityTaskTimedOutEventAttributes.ScheduledEventId, id => item.ActivityTaskTimedOutEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskCanceledEventAttributes:
                Wire(item.ActivityTaskCanceledEventAttributes.ScheduledEventId, id => item.ActivityTaskCanceledEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionStartedEventAttributes:
                startedIds[item.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId] = item.EventId;
                ChildStarted?.Invoke(item.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId, item.EventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCompletedEventAttributes:
                Wire(item.ChildWorkflowExecutionCompletedEventAttributes.InitiatedEventId, id => item.ChildWorkflowExecutionCompletedEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionFailedEventAttributes:
                Wire(item.ChildWorkflowExecutionFailedEventAttributes.InitiatedEventId, id => item.ChildWorkflowExecutionFailedEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCanceledEventAttributes:
                Wire(item.ChildWorkflowExecutionCanceledEventAttributes.InitiatedEventId, id => item.ChildWorkflowExecutionCanceledEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTimedOutEventAttributes:
                Wire(item.ChildWorkflowExecutionTimedOutEventAttributes.InitiatedEventId, id => item.ChildWorkflowExecutionTimedOutEventAttributes.StartedEventId = id);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTerminatedEventAttributes:
                Wire(item.ChildWorkflowExecutionTerminatedEventAttributes.InitiatedEventId, id => item.ChildWorkflowExecutionTerminatedEventAttributes.StartedEventId = id);
                break;
        }
    }

    private void Wire(long scheduledEventId, Action<long> set)
    {
        if (startedIds.TryGetValue(scheduledEventId, out var started))
            set(started);
    }

    /// <summary>The scheduled event of the activity that an event ends; 0 when it ends none.</summary>
    public static long EndedActivity(HistoryEvent item) => item.AttributesCase switch
    {
        HistoryEvent.AttributesOneofCase.ActivityTaskCompletedEventAttributes => item.ActivityTaskCompletedEventAttributes.ScheduledEventId,
        HistoryEvent.AttributesOneofCase.ActivityTaskFailedEventAttributes => item.ActivityTaskFailedEventAttributes.ScheduledEventId,
        HistoryEvent.AttributesOneofCase.ActivityTaskTimedOutEventAttributes => item.ActivityTaskTimedOutEventAttributes.ScheduledEventId,
        HistoryEvent.AttributesOneofCase.ActivityTaskCanceledEventAttributes => item.ActivityTaskCanceledEventAttributes.ScheduledEventId,
        _ => 0,
    };

    private static bool EndsSomething(EventType type) => type is
        EventType.ActivityTaskCompleted or EventType.ActivityTaskFailed or EventType.ActivityTaskTimedOut or EventType.ActivityTaskCanceled
        or EventType.ChildWorkflowExecutionCompleted or EventType.ChildWorkflowExecutionFailed or EventType.ChildWorkflowExecutionTimedOut
        or EventType.ChildWorkflowExecutionCanceled or EventType.ChildWorkflowExecutionTerminated;

    /// <summary>Events that a worker may skip. Workers fail a workflow with an event that they do not know, unless it says so, and most do not know pauses.</summary>
    private static bool ConcernsNoWorker(EventType type) => type is
        EventType.WorkflowExecutionOptionsUpdated or EventType.WorkflowExecutionPaused or EventType.WorkflowExecutionUnpaused;

    /// <summary>
    /// Events that a workflow task itself causes go straight to history; what comes from outside passes through the buffer,
    /// which is emptied at once when no workflow task is in flight.
    /// </summary>
    private static bool WaitsForWorkflowTask(EventType type) => type is not (
        EventType.WorkflowExecutionStarted or EventType.WorkflowExecutionCompleted or EventType.WorkflowExecutionFailed
        or EventType.WorkflowExecutionTimedOut or EventType.WorkflowExecutionTerminated or EventType.WorkflowExecutionContinuedAsNew
        or EventType.WorkflowExecutionCanceled
        or EventType.WorkflowTaskScheduled or EventType.WorkflowTaskStarted or EventType.WorkflowTaskCompleted
        or EventType.WorkflowTaskFailed or EventType.WorkflowTaskTimedOut
        or EventType.ActivityTaskScheduled or EventType.ActivityTaskCancelRequested or EventType.TimerStarted or EventType.TimerCanceled
        or EventType.RequestCancelExternalWorkflowExecutionInitiated or EventType.MarkerRecorded
        or EventType.StartChildWorkflowExecutionInitiated or EventType.SignalExternalWorkflowExecutionInitiated
        or EventType.UpsertWorkflowSearchAttributes or EventType.WorkflowPropertiesModified
        or EventType.WorkflowExecutionUpdateAdmitted or EventType.WorkflowExecutionUpdateAccepted or EventType.WorkflowExecutionUpdateCompleted);
}
