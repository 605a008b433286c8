using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Resetting;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TaskQueue = Temporalio.Api.TaskQueue.V1.TaskQueue;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The workflow task of a run: none, scheduled, or started. From its second attempt on a task is transient, and a task that
/// only delivers an update is speculative: neither is in history before it completes, so that a worker that fails a
/// thousand times, or rejects an update, leaves no trace.
/// </summary>
internal sealed class WorkflowTasks(WorkflowRun run)
{
    /// <summary>The real server's numbers: attempts before the timeout of a failing task grows, its first step and its end.</summary>
    private const int AttemptsBeforeBackoff = 3;
    private const string HistoryService = "history-service";
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(10);

    private readonly WorkflowTaskEvents events = new(run);
    private TimerEntry? scheduleToStart;
    private TimerEntry? startToClose;
    private TimerEntry? firstTask;

    /// <summary>Grows with each dispatch; a task in a queue with an older number is stale.</summary>
    public int Stamp
    {
        get => run.WorkflowTaskStamp;
        private set => run.WorkflowTaskStamp = value;
    }

    public WorkflowTaskState Current => run.State.WorkflowTask;

    public bool IsPending => Current.ScheduledEventId != 0;

    public bool IsStarted => Current.StartedEventId != 0;

    public bool IsSpeculative => IsPending && Current.Speculative;

    public bool IsTransient => Current.Attempt > 1;

    private bool InHistory => !IsTransient && !Current.Speculative;

    /// <summary>The queue that the next task goes to.</summary>
    public TaskQueue Queue => run.State.StickyQueue is { } sticky
        ? new TaskQueue { Name = sticky, Kind = TaskQueueKind.Sticky, NormalName = run.TaskQueue }
        : new TaskQueue { Name = run.TaskQueue, Kind = TaskQueueKind.Normal };

    /// <summary>Schedules the first task, now or when the start delay, cron or retry interval is over.</summary>
    public void ScheduleFirst()
    {
        if (run.State.FirstTaskAt is { } at && at > run.Now)
        {
            WaitForFirst(at);
            return;
        }
        run.State.FirstTaskAt = null;
        Schedule();
    }

    /// <summary>Schedules a task unless there is one, or the run is paused or waits for its first.</summary>
    public void ScheduleIfNone()
    {
        if (!IsPending && run.IsOpen && run.State.Pause is null && run.State.FirstTaskAt is null)
            Schedule();
    }

    /// <param name="speculative">A task that only delivers an update.</param>
    /// <param name="dispatch">False when the caller starts it at once and hands it to its worker.</param>
    /// <param name="original">When the first of a chain of heartbeats was scheduled; now when left out.</param>
    public void Schedule(bool speculative = false, bool dispatch = true, DateTimeOffset? original = null)
    {
        var task = Current;
        if (run.Events.HasBuffered)
        {
            // New events: this is not the same task again, so it is neither transient nor speculative.
            task.Attempt = 1;
            speculative = false;
            run.Events.Flush();
        }
        var now = run.Now;
        task.Speculative = speculative;
        task.Timeout = TimeoutOf(task.Attempt);
        task.ScheduledTime = now;
        task.OriginalScheduledTime = original ?? now;
        task.StartedEventId = 0;
        task.RequestId = "";
        task.ScheduledEventId = InHistory ? events.AddScheduled(now).EventId : run.Events.NextEventId;
        Stamp++;
        if (!speculative)
            run.Touch();
        if (dispatch)
            Dispatch();
    }

    /// <summary>Puts a scheduled task into its queue: the sticky one while its worker polls, otherwise the normal one.</summary>
    public void Dispatch()
    {
        var stamp = Stamp;
        var sticky = run.State.StickyQueue is { } name && run.Engine.Matching.HasRecentPoller(run.Namespace, name);
        if (sticky && RunVersions.LeavesStickyQueue(run))
        {
            ClearSticky(); // its worker is not of the version that the workflow goes to
            sticky = false;
        }
        var (pinned, ramping) = (run.State.Versioning?.Pinned, RunVersions.WantsRamping(run));
        if (sticky)
            scheduleToStart = run.Engine.Timers.Add(Current.ScheduledTime + run.State.StickyTimeout, () => run.Step(() => run.WorkflowTasks.OnScheduleToStartTimeout(stamp)));
        run.After(() => run.Engine.Matching.AddWorkflowTask(run, stamp, sticky ? run.State.StickyQueue! : run.TaskQueue, sticky, pinned, ramping));
    }

    /// <summary>Puts a task that waits into its queue again: it belongs to other workers, or has another priority, than before.</summary>
    public void RescheduleWaiting()
    {
        if (!IsPending || IsStarted || run.State.Pause is not null)
            return;
        Stamp++;
        run.Engine.Timers.Cancel(scheduleToStart);
        Dispatch();
    }

    /// <summary>Makes sure that a task waits in the queue that is the right one now.</summary>
    public void Reschedule()
    {
        RescheduleWaiting();
        ScheduleIfNone();
    }

    /// <summary>True when a queued task of this stamp can still be started.</summary>
    public bool CanStart(int stamp) => run.IsOpen && stamp == Stamp && IsPending && !IsStarted;

    /// <summary>A worker takes the task.</summary>
    public void Start(string requestId, string identity, bool fromStickyQueue)
    {
        var task = Current;
        var now = run.Now;
        run.Engine.Timers.Cancel(scheduleToStart);
        if (!fromStickyQueue && run.State.StickyQueue is not null)
            ClearSticky(); // another worker has it: it needs the whole history
        var inHistory = InHistory;
        if (!inHistory && task.ScheduledEventId != run.Events.NextEventId)
        {
            // Events came in since: the task becomes an ordinary one.
            task.Attempt = 1;
            task.Speculative = false;
            task.ScheduledEventId = events.AddScheduled(now).EventId;
            inHistory = true;
        }
        task.RequestId = requestId;
        task.Identity = identity;
        task.StartedTime = now;
        task.HistorySize = run.State.HistorySize;
        task.ReasonsToContinueAsNew = Limits.ReasonsToContinueAsNew(run);
        task.TargetVersionChanged = RunVersions.TargetChanged(run);
        if (inHistory)
        {
            run.Events.EndBatch();
            task.StartedEventId = events.AddStarted(identity).EventId;
            run.Events.EndBatch();
        }
        else
        {
            task.StartedEventId = task.ScheduledEventId + 1;
        }
        if (!task.Speculative)
            run.Touch();
        ArmStartToClose();
    }

    /// <summary>
    /// Ends the task as completed and returns the completed event, or null when the task leaves no trace.
    /// </summary>
    public HistoryEvent? Complete(RespondWorkflowTaskCompletedRequest request, bool leaveNoTrace)
    {
        var task = Current;
        var inHistory = InHistory;
        var (scheduled, started) = (task.ScheduledEventId, task.StartedEventId);
        var noTrace = task.Speculative && leaveNoTrace;
        if (!inHistory && !noTrace)
        {
            scheduled = events.AddScheduled(task.ScheduledTime).EventId;
            run.Events.EndBatch();
            started = events.AddStarted(request.Identity, scheduled).EventId;
            run.Events.EndBatch();
        }
        End(attempt: 1);
        if (noTrace)
            return null;
        ReportedProblems.Clear(run);
        run.Touch();
        var item = run.Events.Add(EventType.WorkflowTaskCompleted, new HistoryEvent
        {
            WorkflowTaskCompletedEventAttributes = WorkerVersioning.Describe(request, new WorkflowTaskCompletedEventAttributes
            {
                ScheduledEventId = scheduled,
                StartedEventId = started,
                Identity = request.Identity,
                SdkMetadata = request.SdkMetadata,
                MeteringMetadata = request.MeteringMetadata,
            }),
        });
        run.State.LastCompletedStartedEventId = started;
        run.State.LastCompletedEventId = item.EventId;
        RunVersions.WorkflowTaskCompleted(run, item.WorkflowTaskCompletedEventAttributes);
        AutoResetPoints.Note(run, item);
        return item;
    }

    /// <summary>Ends the task as failed. The next one is transient unless the failed one was sticky or new events came.</summary>
    public void Fail(WorkflowTaskFailedCause cause, Failure? failure, string identity, string baseRunId = "", string newRunId = "")
    {
        PutSpeculativeIntoHistory(identity);
        if (!IsTransient)
        {
            events.AddFailed(cause, failure, identity, baseRunId, newRunId);
            run.State.LastProblem = ReportedProblems.Failed(cause);
        }
        EndUnsuccessfully(countsAsAttempt: true);
    }

    /// <summary>Ends the task because nobody will: on termination and run timeout.</summary>
    public void FailForClose()
    {
        if (IsStarted)
            Fail(WorkflowTaskFailedCause.ForceCloseCommand, null, "");
        else if (IsPending)
            End(attempt: 1);
    }

    /// <summary>A run is reset to this task: it failed, whether or not a worker had it, and the next one is the first attempt.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when there is no task.</exception>
    public void FailForReset(string reason, string baseRunId)
    {
        if (!IsPending)
            throw ServiceError.InvalidArgument($"Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: {run.Events.NextEventId}");
        if (!IsStarted)
        {
            Current.StartedTime = run.Now;
            Current.StartedEventId = events.AddStarted(HistoryService).EventId;
        }
        Fail(WorkflowTaskFailedCause.ResetWorkflow, ResetFailure(reason, null), HistoryService, baseRunId, run.RunId);
        Current.Attempt = 1;
    }

    /// <summary>How what was under way at a reset ends.</summary>
    public static Failure ResetFailure(string reason, Payloads? lastHeartbeat) => new()
    {
        Message = reason,
        Source = "Server",
        ResetWorkflowFailureInfo = new ResetWorkflowFailureInfo { LastHeartbeatDetails = lastHeartbeat },
    };

    /// <summary>
    /// The step changes the run after all: a speculative task must now be in history, since what follows counts on its ids.
    /// </summary>
    public void BecomeNormal()
    {
        var task = Current;
        task.Speculative = false;
        events.AddScheduled(task.ScheduledTime);
        if (!IsStarted)
            return;
        run.Events.EndBatch();
        events.AddStarted(task.Identity);
        run.Events.EndBatch();
    }

    /// <summary>The scheduled and started events that a worker must see although history does not have them.</summary>
    public List<HistoryEvent> EventsOutsideHistory() => !IsStarted || InHistory ? [] : events.Unwritten();

    public void ClearSticky()
    {
        if (run.State.StickyQueue is null)
            return;
        run.State.StickyQueue = null;
        run.State.StickyTimeout = default;
        run.Touch();
    }

    /// <summary>Ends a task that no worker has yet, for a pause; the workflow gets another one when it goes on.</summary>
    public void FailForPause()
    {
        if (!IsPending || IsStarted)
            return;
        if (InHistory)
            events.AddFailed(WorkflowTaskFailedCause.WorkflowPauseRequestedBeforeTaskStarted, null, HistoryService, "", "");
        End(attempt: 1);
        run.Touch();
    }

    /// <summary>After recovery: what was scheduled is queued again, what was started times out when it would have.</summary>
    public void Resume()
    {
        if (run.State.FirstTaskAt is { } at)
            WaitForFirst(at);
        else if (!IsPending && run.State.LastCompletedEventId == 0 && run.State.Pause is null)
            Schedule(); // a child that was created, but not begun
        if (!IsPending)
            return;
        Stamp++;
        if (IsStarted)
        {
            ArmStartToClose();
        }
        else if (run.State.Pause is null)
        {
            // The sticky worker's polls are gone with the old process: it asks again, but anybody may have the task.
            ClearSticky();
            Dispatch();
        }
    }

    public void CancelTimers()
    {
        run.Engine.Timers.Cancel(scheduleToStart);
        run.Engine.Timers.Cancel(startToClose);
        run.Engine.Timers.Cancel(firstTask);
    }

    private void WaitForFirst(DateTimeOffset at) => firstTask = run.Engine.Timers.Add(at, () => run.Step(() => run.WorkflowTasks.OnFirstDue()));

    private void OnFirstDue()
    {
        if (!run.IsOpen || run.State.FirstTaskAt is null)
            return;
        run.State.FirstTaskAt = null;
        run.Touch();
        ScheduleIfNone();
    }

    /// <summary>Ends the wait for the first task: a cancellation and a second signal-with-start do, a plain signal does not.</summary>
    public void EndFirstWait()
    {
        if (run.State.FirstTaskAt is null)
            return;
        run.Engine.Timers.Cancel(firstTask);
        run.State.FirstTaskAt = null;
        run.Touch();
    }

    private void ArmStartToClose()
    {
        var stamp = Stamp;
        startToClose = run.Engine.Timers.Add(Current.StartedTime + Current.Timeout, () => run.Step(() => run.WorkflowTasks.OnStartToCloseTimeout(stamp)));
    }

    private void OnScheduleToStartTimeout(int stamp)
    {
        if (!CanStart(stamp))
            return;
        if (Current.Speculative)
        {
            Current.Speculative = false;
            Current.ScheduledEventId = events.AddScheduled(Current.ScheduledTime).EventId;
        }
        events.AddTimedOut(TimeoutType.ScheduleToStart);
        EndUnsuccessfully(countsAsAttempt: false);
        ScheduleIfNone();
    }

    private void OnStartToCloseTimeout(int stamp)
    {
        if (run.IsOpen && stamp == Stamp && IsStarted)
            TimeOut();
    }

    /// <summary>Ends the started task as timed out and schedules the next.</summary>
    public void TimeOut()
    {
        PutSpeculativeIntoHistory(Current.Identity);
        if (!IsTransient)
        {
            events.AddTimedOut(TimeoutType.StartToClose);
            run.State.LastProblem = ReportedProblems.TimedOut(TimeoutType.StartToClose);
        }
        EndUnsuccessfully(countsAsAttempt: true);
        ScheduleIfNone();
    }

    private void PutSpeculativeIntoHistory(string identity)
    {
        if (!Current.Speculative)
            return;
        Current.Speculative = false;
        Current.ScheduledEventId = events.AddScheduled(Current.ScheduledTime).EventId;
        run.Events.EndBatch();
        Current.StartedEventId = events.AddStarted(identity).EventId;
        run.Events.EndBatch();
    }

    private void EndUnsuccessfully(bool countsAsAttempt)
    {
        // A sticky worker that failed may be gone: the next attempt goes to anybody and does not count as a second one.
        var sticky = run.State.StickyQueue is not null;
        ClearSticky();
        End(attempt: countsAsAttempt && !sticky ? Current.Attempt + 1 : 1);
        ReportedProblems.Note(run, counts: countsAsAttempt && !sticky);
    }

    private void End(int attempt)
    {
        run.Engine.Timers.Cancel(scheduleToStart);
        run.Engine.Timers.Cancel(startToClose);
        Stamp++;
        if (!Current.Speculative)
            run.Touch();
        run.State.WorkflowTask = new WorkflowTaskState { Attempt = attempt, OriginalScheduledTime = Current.OriginalScheduledTime };
    }

    private TimeSpan TimeoutOf(int attempt)
    {
        var timeout = run.Start.WorkflowTaskTimeout.ToTimeSpan();
        if (attempt <= AttemptsBeforeBackoff)
            return timeout;
        var backoff = FirstBackoff * Math.Pow(2, Math.Min(attempt - AttemptsBeforeBackoff - 1, 20));
        return timeout + (backoff < LongestBackoff ? backoff : LongestBackoff);
    }
}
