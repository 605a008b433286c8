using System.Globalization;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The timers of a workflow that have not fired.</summary>
internal sealed class WorkflowTimers(WorkflowRun run, RowSet rows)
{
    private readonly Pending<long, TimerState> pending = new(rows, RowKind.Timer);
    private readonly Dictionary<string, long> byTimerId = [];
    private readonly Dictionary<long, TimerEntry> entries = [];

    public int Count => pending.Count;

    /// <summary>When the next one fires; null when there is none.</summary>
    public DateTimeOffset? NextDeadline => pending.All.Min(t => (DateTimeOffset?)t.FiresAt);

    public bool IsPending(string timerId) => byTimerId.ContainsKey(timerId);

    public void Start(Command command, long completedEventId)
    {
        var asked = command.StartTimerCommandAttributes;
        var item = run.Events.Add(EventType.TimerStarted, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            TimerStartedEventAttributes = new TimerStartedEventAttributes
            {
                TimerId = asked.TimerId,
                StartToFireTimeout = asked.StartToFireTimeout,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        Watch(Pend(item));
    }

    /// <summary>Follows history, for a run that is reset. A timer keeps its deadline.</summary>
    public void Rebuild(HistoryEvent item)
    {
        if (item.EventType == EventType.TimerStarted)
            Pend(item);
        else if (pending.Find(item.TimerFiredEventAttributes?.StartedEventId ?? item.TimerCanceledEventAttributes.StartedEventId) is { } timer)
            Remove(timer);
    }

    /// <summary>Cancels a timer, also one that fired during the workflow task that cancels it.</summary>
    public void Cancel(string timerId, long completedEventId, string identity)
    {
        long startedEventId;
        if (byTimerId.TryGetValue(timerId, out var found))
        {
            startedEventId = found;
            Remove(pending.Find(found)!);
        }
        else
        {
            startedEventId = run.Events.TakeBackTimerFired(timerId);
        }
        run.Events.Add(EventType.TimerCanceled, new HistoryEvent
        {
            TimerCanceledEventAttributes = new TimerCanceledEventAttributes
            {
                TimerId = timerId,
                StartedEventId = startedEventId,
                WorkflowTaskCompletedEventId = completedEventId,
                Identity = identity,
            },
        });
    }

    public void Restore(string id, byte[] data)
    {
        var key = long.Parse(id, CultureInfo.InvariantCulture);
        pending.Restore(key, data);
        byTimerId[pending.Find(key)!.TimerId] = key;
    }

    public void Resume()
    {
        foreach (var timer in pending.All)
            Watch(timer);
    }

    public void CancelTimers()
    {
        foreach (var entry in entries.Values)
            run.Engine.Timers.Cancel(entry);
    }

    private TimerState Pend(HistoryEvent item)
    {
        var asked = item.TimerStartedEventAttributes;
        var timer = new TimerState
        {
            StartedEventId = item.EventId,
            TimerId = asked.TimerId,
            FiresAt = item.EventTime.ToDateTimeOffset() + asked.StartToFireTimeout.ToTimeSpan(),
        };
        pending.Put(timer.StartedEventId, timer);
        byTimerId[timer.TimerId] = timer.StartedEventId;
        return timer;
    }

    private void Watch(TimerState timer)
    {
        var startedEventId = timer.StartedEventId;
        entries[startedEventId] = run.Engine.Timers.Add(timer.FiresAt, () => run.Step(() => run.Timers.Fire(startedEventId)));
    }

    private void Fire(long startedEventId)
    {
        if (!run.IsOpen || pending.Find(startedEventId) is not { } timer)
            return;
        Remove(timer);
        run.Events.Add(EventType.TimerFired, new HistoryEvent
        {
            TimerFiredEventAttributes = new TimerFiredEventAttributes { TimerId = timer.TimerId, StartedEventId = startedEventId },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    private void Remove(TimerState timer)
    {
        pending.Remove(timer.StartedEventId);
        byTimerId.Remove(timer.TimerId);
        if (entries.Remove(timer.StartedEventId, out var entry))
            run.Engine.Timers.Cancel(entry);
    }
}
