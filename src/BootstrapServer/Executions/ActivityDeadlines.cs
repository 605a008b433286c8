using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The four timeouts of one activity and the wait before its next attempt, as entries of the server's timer queue.</summary>
internal sealed class ActivityDeadlines(WorkflowRun run)
{
    private TimerEntry? scheduleToClose;
    private TimerEntry? scheduleToStart;
    private TimerEntry? startToClose;
    private TimerEntry? heartbeat;
    private TimerEntry? retry;

    /// <summary>The next of them; null when none waits.</summary>
    public DateTimeOffset? Next =>
        new[] { scheduleToClose, scheduleToStart, startToClose, heartbeat, retry }.Min(entry => entry is { Taken: false } ? (DateTimeOffset?)entry.Due : null);

    /// <summary>Sets the deadlines that the activity's state asks for.</summary>
    public void Watch(ActivityState activity)
    {
        Cancel();
        if (activity.Pause is not null)
            return; // time stands still for it
        if (activity.ScheduleToClose > TimeSpan.Zero)
            scheduleToClose = At(activity.FirstScheduledTime + activity.ScheduleToClose, activity, TimeoutType.ScheduleToClose);
        if (activity.StartedTime is not { } started)
        {
            if (activity.ScheduleToStart > TimeSpan.Zero)
                scheduleToStart = At(activity.ScheduledTime + activity.ScheduleToStart, activity, TimeoutType.ScheduleToStart);
            return;
        }
        if (activity.StartToClose > TimeSpan.Zero)
            startToClose = At(started + activity.StartToClose, activity, TimeoutType.StartToClose);
        if (activity.Heartbeat > TimeSpan.Zero)
            WatchHeartbeat(activity);
    }

    /// <summary>Hands the next attempt out when it is due.</summary>
    public void DispatchLater(ActivityState activity)
    {
        run.Engine.Timers.Cancel(retry);
        var (scheduledEventId, stamp) = (activity.ScheduledEventId, activity.Stamp);
        retry = run.Engine.Timers.Add(activity.ScheduledTime, () => run.Step(() => run.Activities.OnRetryDue(scheduledEventId, stamp)));
    }

    public void Cancel()
    {
        var timers = run.Engine.Timers;
        timers.Cancel(scheduleToClose);
        timers.Cancel(scheduleToStart);
        timers.Cancel(startToClose);
        timers.Cancel(heartbeat);
        timers.Cancel(retry);
    }

    private TimerEntry At(DateTimeOffset due, ActivityState activity, TimeoutType type)
    {
        var (scheduledEventId, attempt) = (activity.ScheduledEventId, activity.Attempt);
        return run.Engine.Timers.Add(due, () => run.Step(() => run.Activities.OnTimeout(scheduledEventId, type, attempt)));
    }

    /// <summary>A heartbeat only moves a date; the entry looks at it when it fires, and goes back to sleep if there was one.</summary>
    public void OnHeartbeatDue(ActivityState activity)
    {
        if (HeartbeatDue(activity) > run.Now)
            WatchHeartbeat(activity);
        else
            run.Activities.OnTimeout(activity.ScheduledEventId, TimeoutType.Heartbeat, activity.Attempt);
    }

    private void WatchHeartbeat(ActivityState activity)
    {
        var (scheduledEventId, attempt) = (activity.ScheduledEventId, activity.Attempt);
        heartbeat = run.Engine.Timers.Add(HeartbeatDue(activity), () => run.Step(() => run.Activities.OnHeartbeatDue(scheduledEventId, attempt)));
    }

    private static DateTimeOffset HeartbeatDue(ActivityState activity) =>
        (activity.LastHeartbeat > activity.StartedTime ? activity.LastHeartbeat : activity.StartedTime)!.Value + activity.Heartbeat;
}
