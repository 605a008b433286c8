using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Pausing;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The activities of a run that have not ended. Attempts leave no trace in history: the started event is written when the
/// activity ends, with the last attempt's number and the failure before it.
/// </summary>
internal sealed partial class Activities(WorkflowRun run, RowSet rows)
{
    /// <summary>What the canceled event of an activity says that no worker had yet.</summary>
    private const string NotStartedDetails = "ACTIVITY_ID_NOT_STARTED";

    private readonly Pending<long, ActivityState> pending = new(rows, RowKind.Activity);
    private readonly Dictionary<string, long> byActivityId = [];
    private readonly Dictionary<long, ActivityDeadlines> deadlines = [];
    private readonly Dictionary<long, ActivityTaskScheduledEventAttributes> scheduled = [];

    public int Count => pending.Count;

    public IEnumerable<ActivityState> All => pending.All;

    /// <summary>An activity has a worker.</summary>
    public bool AnyStarted => pending.All.Any(a => a.StartedTime is not null);

    /// <summary>The queues in which an activity waits for a worker.</summary>
    public IEnumerable<string> QueuesWaitedFor => pending.All.Where(a => a is { StartedTime: null, Pause: null } && a.ScheduledTime <= run.Now).Select(a => a.TaskQueue);

    /// <summary>A queue holds a task of one of them.</summary>
    public bool AnyQueued => run.State.Pause is null && pending.All.Any(a => a.StartedTime is null && a.Pause is null && a.ScheduledTime <= run.Now);

    /// <summary>The next timeout or retry; null when none waits.</summary>
    public DateTimeOffset? NextDeadline => deadlines.Values.Min(d => d.Next);

    public bool IsPending(string activityId) => byActivityId.ContainsKey(activityId);

    public ActivityState? Find(long scheduledEventId) => pending.Find(scheduledEventId);

    public ActivityState? FindById(string activityId) =>
        byActivityId.TryGetValue(activityId, out var scheduledEventId) ? pending.Find(scheduledEventId) : null;

    /// <summary>What the workflow asked for: input and header; read back from history after a restart.</summary>
    public ActivityTaskScheduledEventAttributes ScheduledEvent(ActivityState activity)
    {
        if (!scheduled.TryGetValue(activity.ScheduledEventId, out var asked))
            scheduled[activity.ScheduledEventId] = asked = run.Engine.Histories.ReadEvent(run, activity.ScheduledEventId).ActivityTaskScheduledEventAttributes;
        return asked;
    }

    /// <param name="dispatch">False when the worker that asked for it gets it at once.</param>
    public ActivityState Schedule(Command command, long completedEventId, bool dispatch)
    {
        var asked = command.ScheduleActivityTaskCommandAttributes;
        var policy = RetryBackoff.WithDefaults(asked.RetryPolicy);
        var (scheduleToClose, scheduleToStart, startToClose, heartbeat) = ActivityTimeouts.Resolve(asked, run);
        var item = run.Events.Add(EventType.ActivityTaskScheduled, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            ActivityTaskScheduledEventAttributes = new ActivityTaskScheduledEventAttributes
            {
                ActivityId = asked.ActivityId,
                ActivityType = asked.ActivityType,
                TaskQueue = asked.TaskQueue is { Name.Length: > 0 } queue
                    ? new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = queue.Name, Kind = TaskQueueKind.Normal }
                    : new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = run.TaskQueue, Kind = TaskQueueKind.Normal },
                Header = asked.Header,
                Input = asked.Input,
                ScheduleToCloseTimeout = Duration.FromTimeSpan(scheduleToClose),
                ScheduleToStartTimeout = Duration.FromTimeSpan(scheduleToStart),
                StartToCloseTimeout = Duration.FromTimeSpan(startToClose),
                HeartbeatTimeout = Duration.FromTimeSpan(heartbeat),
                WorkflowTaskCompletedEventId = completedEventId,
                RetryPolicy = policy,
                Priority = asked.Priority,
            },
        });
        var activity = Pend(item, item.EventTime.ToDateTimeOffset());
        Deadlines(activity).Watch(activity);
        if (dispatch && run.State.Pause is null)
            Dispatch(activity);
        return activity;
    }

    /// <summary>True when a queued task with this stamp can still be started.</summary>
    public bool CanStart(long scheduledEventId, int stamp) =>
        run.IsOpen && run.State.Pause is null && pending.Find(scheduledEventId) is { StartedTime: null, Pause: null } activity && activity.Stamp == stamp;

    public ActivityState Start(long scheduledEventId, string requestId, string identity, WorkerVersion? version)
    {
        var activity = pending.Find(scheduledEventId)!;
        activity.StartedTime = run.Now;
        activity.RequestId = requestId;
        activity.StartedIdentity = identity;
        activity.LastVersion = version;
        Save(activity);
        Deadlines(activity).Watch(activity);
        return activity;
    }

    /// <summary>Records a heartbeat; the answer tells the worker of a cancellation, pause or reset.</summary>
    public ActivityState Heartbeat(long scheduledEventId, int attempt, Payloads? details)
    {
        var activity = Started(scheduledEventId, attempt);
        activity.LastHeartbeat = run.Now;
        activity.HeartbeatDetails = details;
        Save(activity);
        return activity;
    }

    public void Complete(long scheduledEventId, int attempt, Payloads? result, string identity)
    {
        var activity = Started(scheduledEventId, attempt);
        var started = AddStarted(activity);
        End(activity);
        run.Events.Add(EventType.ActivityTaskCompleted, new HistoryEvent
        {
            ActivityTaskCompletedEventAttributes = new ActivityTaskCompletedEventAttributes
            {
                Result = result,
                ScheduledEventId = activity.ScheduledEventId,
                StartedEventId = started,
                Identity = identity,
            },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    public void Fail(long scheduledEventId, int attempt, Failure failure, Payloads? lastHeartbeatDetails, string identity)
    {
        var activity = Started(scheduledEventId, attempt);
        if (lastHeartbeatDetails is not null)
            activity.HeartbeatDetails = lastHeartbeatDetails;
        var retryState = TryRetry(activity, failure);
        if (retryState == RetryState.InProgress)
            return;
        var started = AddStarted(activity);
        End(activity);
        run.Events.Add(EventType.ActivityTaskFailed, new HistoryEvent
        {
            ActivityTaskFailedEventAttributes = new ActivityTaskFailedEventAttributes
            {
                Failure = failure,
                ScheduledEventId = activity.ScheduledEventId,
                StartedEventId = started,
                Identity = identity,
                RetryState = retryState,
            },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>The worker confirms a cancellation that the workflow asked for.</summary>
    public void ConfirmCanceled(long scheduledEventId, int attempt, Payloads? details, string identity)
    {
        var activity = Started(scheduledEventId, attempt);
        if (activity.CancelRequestedEventId == 0)
            throw ServiceError.InvalidArgument("ActivityTaskCanceled without a cancellation request.");
        var started = AddStarted(activity);
        End(activity);
        AddCanceled(activity, started, details, identity);
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>The workflow asks for a cancellation. True when the activity ended with it, since no worker had it.</summary>
    public bool RequestCancel(long scheduledEventId, long completedEventId, string identity)
    {
        var requested = run.Events.Add(EventType.ActivityTaskCancelRequested, new HistoryEvent
        {
            ActivityTaskCancelRequestedEventAttributes = new ActivityTaskCancelRequestedEventAttributes
            {
                ScheduledEventId = scheduledEventId,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        if (pending.Find(scheduledEventId) is not { } activity)
            return false; // it ended meanwhile; the workflow will see that
        activity.CancelRequestedEventId = requested.EventId;
        if (activity.StartedTime is not null)
        {
            Save(activity);
            return false;
        }
        End(activity);
        AddCanceled(activity, 0, JsonPayload.Of(NotStartedDetails), identity);
        return true;
    }

    /// <summary>The run is on, or bound to, another version: activities that no worker has go to the right workers.</summary>
    public void Reroute()
    {
        foreach (var activity in pending.All.Where(a => a.StartedTime is null && a.Pause is null).ToList())
        {
            activity.Stamp++;
            Save(activity);
            Deadlines(activity).Watch(activity);
            if (run.State.Pause is null)
                DispatchWhenDue(activity);
        }
    }

    public void Restore(string id, byte[] data)
    {
        var key = long.Parse(id, CultureInfo.InvariantCulture);
        pending.Restore(key, data);
        byActivityId[pending.Find(key)!.ActivityId] = key;
    }

    /// <summary>After recovery: waiting attempts are queued, running ones keep their deadlines.</summary>
    public void Resume()
    {
        foreach (var activity in pending.All)
        {
            deadlines[activity.ScheduledEventId] = new ActivityDeadlines(run);
            Deadlines(activity).Watch(activity);
            if (activity.StartedTime is null && activity.Pause is null && run.State.Pause is null)
                DispatchWhenDue(activity);
        }
    }

    public void CancelTimers()
    {
        foreach (var deadline in deadlines.Values)
            deadline.Cancel();
    }

    public void OnRetryDue(long scheduledEventId, int stamp)
    {
        if (CanStart(scheduledEventId, stamp))
            Dispatch(pending.Find(scheduledEventId)!);
    }

    /// <summary>An attempt's worker should have been heard of by now, unless it was heard of since.</summary>
    public void OnHeartbeatDue(long scheduledEventId, int attempt)
    {
        if (pending.Find(scheduledEventId) is { StartedTime: not null } activity && activity.Attempt == attempt)
            Deadlines(activity).OnHeartbeatDue(activity);
    }

    /// <summary>A timeout of this attempt, or of the whole activity, is over.</summary>
    public void OnTimeout(long scheduledEventId, TimeoutType type, int attempt)
    {
        if (!run.IsOpen || pending.Find(scheduledEventId) is not { } activity)
            return;
        if (type != TimeoutType.ScheduleToClose && activity.Attempt != attempt && !activity.Reset)
            return;
        var failure = TimeoutFailure(type);
        var retryState = type is TimeoutType.StartToClose or TimeoutType.Heartbeat ? TryRetry(activity, failure) : RetryState.NonRetryableFailure;
        if (retryState == RetryState.InProgress)
            return;
        if (retryState == RetryState.Timeout)
            failure = TimeoutFailure(TimeoutType.ScheduleToClose); // no time for another attempt: what ran out is the whole
        if (type is TimeoutType.ScheduleToClose or TimeoutType.ScheduleToStart)
            retryState = type == TimeoutType.ScheduleToClose ? RetryState.Timeout : RetryState.NonRetryableFailure;
        failure.TimeoutFailureInfo.LastHeartbeatDetails = activity.HeartbeatDetails;
        failure.Cause = activity.LastFailure;
        var started = AddStarted(activity);
        End(activity);
        run.Events.Add(EventType.ActivityTaskTimedOut, new HistoryEvent
        {
            ActivityTaskTimedOutEventAttributes = new ActivityTaskTimedOutEventAttributes
            {
                Failure = failure,
                ScheduledEventId = scheduledEventId,
                StartedEventId = started,
                RetryState = retryState,
            },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    private RetryState TryRetry(ActivityState activity, Failure failure)
    {
        if (activity.CancelRequestedEventId != 0)
            return RetryState.CancelRequested;
        var now = run.Now;
        DateTimeOffset? expires = activity.ScheduleToClose > TimeSpan.Zero ? activity.FirstScheduledTime + activity.ScheduleToClose : null;
        // A reset set the attempt back to 1; the attempt that just ended does not count towards the limit again.
        var next = activity.Reset ? 1 : activity.Attempt + 1;
        // A paused activity waits for whoever lets it go on, however often it was tried.
        var (interval, state) = activity.Reset || (activity.Pause is not null && RetryBackoff.IsRetryable(failure, activity.RetryPolicy.NonRetryableErrorTypes))
            ? (TimeSpan.Zero, RetryState.InProgress)
            : RetryBackoff.Next(activity.RetryPolicy, activity.Attempt, now, expires, failure);
        if (interval is not { } wait)
            return state;
        activity.Attempt = next;
        activity.LastIdentity = activity.StartedIdentity;
        activity.LastFailure = failure;
        activity.LastAttemptEnded = now;
        activity.ScheduledTime = now + wait;
        activity.StartedTime = null;
        activity.StartedIdentity = "";
        activity.RequestId = "";
        activity.Stamp++;
        activity.Reset = false;
        if (activity.ResetHeartbeats)
            ForgetHeartbeats(activity);
        Save(activity);
        Deadlines(activity).Watch(activity);
        if (activity.Pause is null)
            DispatchWhenDue(activity);
        return RetryState.InProgress;
    }

    private void DispatchWhenDue(ActivityState activity)
    {
        if (activity.ScheduledTime <= run.Now)
            Dispatch(activity);
        else
            Deadlines(activity).DispatchLater(activity);
    }

    private void Dispatch(ActivityState activity)
    {
        if (run.State.Versioning is { InTransition: true })
            return; // it goes to workers once the run has moved to its new version
        var (scheduledEventId, stamp, queue, pinned) = (activity.ScheduledEventId, activity.Stamp, activity.TaskQueue, run.State.Versioning?.Pinned);
        run.After(() => run.Engine.Matching.AddActivityTask(run, scheduledEventId, stamp, queue, pinned));
    }

    /// <summary>The activity that a worker's token speaks of, when that attempt is still running.</summary>
    private ActivityState Started(long scheduledEventId, int attempt)
    {
        run.RequireOpen();
        if (pending.Find(scheduledEventId) is not { StartedTime: not null } activity || (activity.Attempt != attempt && attempt != 0 && !activity.Reset))
            throw ServiceError.NotFound("activity task not found, or already completed, or timed out");
        return activity;
    }

    private static void ForgetHeartbeats(ActivityState activity)
    {
        activity.HeartbeatDetails = null;
        activity.LastHeartbeat = null;
        activity.ResetHeartbeats = false;
    }

    /// <summary>Writes the started event of an attempt that ends the activity; 0 when no worker had it.</summary>
    private long AddStarted(ActivityState activity)
    {
        if (activity.StartedTime is not { } at)
            return 0;
        return run.Events.Add(EventType.ActivityTaskStarted, new HistoryEvent
        {
            EventTime = Timestamp.FromDateTimeOffset(at),
            ActivityTaskStartedEventAttributes = new ActivityTaskStartedEventAttributes
            {
                ScheduledEventId = activity.ScheduledEventId,
                Identity = activity.StartedIdentity,
                RequestId = activity.RequestId,
                Attempt = activity.Attempt,
                LastFailure = activity.LastFailure,
            },
        }).EventId;
    }

    private void AddCanceled(ActivityState activity, long startedEventId, Payloads? details, string identity) => run.Events.Add(EventType.ActivityTaskCanceled, new HistoryEvent
    {
        ActivityTaskCanceledEventAttributes = new ActivityTaskCanceledEventAttributes
        {
            Details = details,
            LatestCancelRequestedEventId = activity.CancelRequestedEventId,
            ScheduledEventId = activity.ScheduledEventId,
            StartedEventId = startedEventId,
            Identity = identity,
        },
    });

    private static Failure TimeoutFailure(TimeoutType type) => new()
    {
        Message = $"activity {type} timeout",
        Source = "Server",
        TimeoutFailureInfo = new TimeoutFailureInfo { TimeoutType = type },
    };

    /// <summary>The state that a scheduled event begins.</summary>
    private ActivityState Pend(HistoryEvent item, DateTimeOffset scheduledTime)
    {
        var asked = item.ActivityTaskScheduledEventAttributes;
        var activity = new ActivityState
        {
            ScheduledEventId = item.EventId,
            ActivityId = asked.ActivityId,
            Type = asked.ActivityType.Name,
            TaskQueue = asked.TaskQueue.Name,
            ScheduleToClose = asked.ScheduleToCloseTimeout.ToTimeSpan(),
            ScheduleToStart = asked.ScheduleToStartTimeout.ToTimeSpan(),
            StartToClose = asked.StartToCloseTimeout.ToTimeSpan(),
            Heartbeat = asked.HeartbeatTimeout.ToTimeSpan(),
            RetryPolicy = asked.RetryPolicy,
            Priority = Priorities.Merge(run.State.Priority, asked.Priority),
            FirstScheduledTime = scheduledTime,
            ScheduledTime = scheduledTime,
        };
        scheduled[activity.ScheduledEventId] = asked;
        pending.Put(activity.ScheduledEventId, activity);
        byActivityId[activity.ActivityId] = activity.ScheduledEventId;
        deadlines[activity.ScheduledEventId] = new ActivityDeadlines(run);
        return activity;
    }

    private void Save(ActivityState activity) => pending.Put(activity.ScheduledEventId, activity);

    private void End(ActivityState activity)
    {
        pending.Remove(activity.ScheduledEventId);
        scheduled.Remove(activity.ScheduledEventId);
        byActivityId.Remove(activity.ActivityId);
        if (deadlines.Remove(activity.ScheduledEventId, out var deadline))
            deadline.Cancel();
        if (activity.Pause is not null)
            PauseInfo.Show(run);
    }

    private ActivityDeadlines Deadlines(ActivityState activity) => deadlines[activity.ScheduledEventId];
}
