using PlatformOps.BootstrapServer.Executions.Pausing;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Activity.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What operators do to pending activities: pause, go on, begin anew, other options.</summary>
internal sealed partial class Activities
{
    public void Pause(ActivityState activity, PauseState pause)
    {
        if (activity.Pause is { } paused)
        {
            if (paused.RequestId == pause.RequestId)
                return;
            throw ServiceError.FailedPrecondition("activity is already paused");
        }
        if (activity.StartedTime is null)
            activity.Stamp++; // what is queued no longer counts; what runs may end
        activity.Pause = pause;
        Save(activity);
        Deadlines(activity).Watch(activity);
        PauseInfo.Show(run);
    }

    public void Unpause(ActivityState activity, bool resetAttempts, bool resetHeartbeat, TimeSpan delay)
    {
        if (activity.Pause is null)
            return;
        activity.Pause = null;
        activity.Stamp++;
        if (resetAttempts)
            activity.Attempt = 1;
        if (resetHeartbeat)
            ForgetHeartbeats(activity);
        DispatchAgain(activity, delay);
        PauseInfo.Show(run);
    }

    /// <summary>The next attempt is the first again. One that runs may end; its worker hears of the reset with its next heartbeat.</summary>
    public void Reset(ActivityState activity, bool resetHeartbeat, bool keepPaused, TimeSpan delay)
    {
        activity.Attempt = 1;
        activity.Reset = activity.StartedTime is not null;
        activity.ResetHeartbeats |= resetHeartbeat;
        if (activity.Pause is not null && !keepPaused)
        {
            activity.Pause = null;
            PauseInfo.Show(run);
        }
        if (activity.StartedTime is null && resetHeartbeat)
            ForgetHeartbeats(activity);
        if (activity.StartedTime is null && activity.Pause is null)
            activity.Stamp++;
        DispatchAgain(activity, delay);
    }

    /// <summary>Gives an activity other options. An attempt that runs is measured by the new timeouts; one that waits is due when they say.</summary>
    public void Change(ActivityState activity, ActivityOptions options)
    {
        activity.TaskQueue = options.TaskQueue.Name;
        activity.ScheduleToClose = options.ScheduleToCloseTimeout?.ToTimeSpan() ?? default;
        activity.ScheduleToStart = options.ScheduleToStartTimeout?.ToTimeSpan() ?? default;
        activity.StartToClose = options.StartToCloseTimeout?.ToTimeSpan() ?? default;
        activity.Heartbeat = options.HeartbeatTimeout?.ToTimeSpan() ?? default;
        activity.Priority = options.Priority;
        var errors = activity.RetryPolicy.NonRetryableErrorTypes.ToList();
        activity.RetryPolicy = RetryBackoff.WithDefaults(options.RetryPolicy);
        activity.RetryPolicy.NonRetryableErrorTypes.Clear();
        activity.RetryPolicy.NonRetryableErrorTypes.AddRange(errors); // these cannot be changed
        activity.Stamp++;
        if (activity is { StartedTime: null, Attempt: > 1, LastAttemptEnded: { } ended })
            activity.ScheduledTime = ended + RetryBackoff.Interval(activity.RetryPolicy, activity.Attempt - 1);
        Save(activity);
        Deadlines(activity).Watch(activity);
        if (activity.StartedTime is null && activity.Pause is null && run.State.Pause is null)
            DispatchWhenDue(activity);
    }

    /// <summary>What waits in queues no longer counts: the whole run is paused.</summary>
    public void WithdrawWaiting()
    {
        foreach (var activity in pending.All.Where(a => a.StartedTime is null).ToList())
        {
            activity.Stamp++;
            Save(activity);
        }
    }

    /// <summary>Hands out again what is waiting, when the whole run goes on.</summary>
    public void DispatchWaiting()
    {
        foreach (var activity in pending.All.Where(a => a.StartedTime is null && a.Pause is null).ToList())
            DispatchWhenDue(activity);
    }

    private void DispatchAgain(ActivityState activity, TimeSpan delay)
    {
        var waits = activity.StartedTime is null && activity.Pause is null;
        if (waits)
            activity.ScheduledTime = run.Now + delay;
        Save(activity);
        Deadlines(activity).Watch(activity); // first: it drops what was due before
        if (waits && run.State.Pause is null)
            DispatchWhenDue(activity);
    }
}
