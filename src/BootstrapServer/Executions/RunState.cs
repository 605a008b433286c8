using PlatformOps.BootstrapServer.Deployments;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Sdk.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The scalar part of a run's state: one small row, written with each of its transactions. What grows with the run lives
/// in rows of its own (<see cref="Storage.RowKind"/>) and in history.
/// </summary>
internal sealed class RunState
{
    public DateTimeOffset StartTime { get; set; }

    /// <summary>When the first of the runs began that this one is reset from; null when it is not.</summary>
    public DateTimeOffset? OriginalStartTime { get; set; }

    /// <summary>The reset that made this run: its retry gets the same run.</summary>
    public string? ResetRequestId { get; set; }

    /// <summary>The run that this one is reset from, and the last event that they share.</summary>
    public string? BaseRunId { get; set; }

    public long BaseEventId { get; set; }

    /// <summary>The latest run that is reset from this one.</summary>
    public string? ResetRunId { get; set; }

    /// <summary>The request that started the run: its retry gets the same run.</summary>
    public string StartRequestId { get; set; } = "";

    public WorkflowExecutionStatus Status { get; set; } = WorkflowExecutionStatus.Running;

    public DateTimeOffset? CloseTime { get; set; }

    public long NextEventId { get; set; } = 1;

    /// <summary>Serialised size of the events so far, in bytes.</summary>
    public long HistorySize { get; set; }

    /// <summary>Transactions that changed the run.</summary>
    public long Transitions { get; set; }

    /// <summary>First event id of the batch that holds the closing event; 0 while open.</summary>
    public long CloseEventId { get; set; }

    /// <summary>The run that continues this one (continue-as-new, retry, cron, reset).</summary>
    public string? SuccessorRunId { get; set; }

    public WorkflowTaskState WorkflowTask { get; set; } = new();

    /// <summary>Workflow tasks that failed or timed out since the last one completed, without those at a sticky worker.</summary>
    public int WorkflowTaskProblems { get; set; }

    /// <summary>What the last one that is in history failed with; null: none did.</summary>
    public IReadOnlyList<string>? LastProblem { get; set; }

    /// <summary>Id of the started event of the last workflow task that completed; 0 before the first.</summary>
    public long LastCompletedStartedEventId { get; set; }

    public long LastCompletedEventId { get; set; }

    /// <summary>The worker's own task queue, which gets the next workflow tasks while it keeps the workflow cached.</summary>
    public string? StickyQueue { get; set; }

    public TimeSpan StickyTimeout { get; set; }

    /// <summary>Until when the first workflow task waits (start delay, cron, retry); null when it does not.</summary>
    public DateTimeOffset? FirstTaskAt { get; set; }

    public bool CancelRequested { get; set; }

    public string? CancelRequestId { get; set; }

    public Memo? Memo { get; set; }

    public SearchAttributes? SearchAttributes { get; set; }

    public UserMetadata? UserMetadata { get; set; }

    public Priority? Priority { get; set; }

    public long SignalCount { get; set; }

    public PauseState? Pause { get; set; }

    /// <summary>Where each worker build completed its first workflow task, also in the runs that this one continues.</summary>
    public ResetPoints? ResetPoints { get; set; }

    /// <summary>Null as long as the run met no version of a worker deployment.</summary>
    public VersioningState? Versioning { get; set; }
}

/// <summary>The workflow task that waits or runs. Scheduled event id 0 means that there is none.</summary>
internal sealed class WorkflowTaskState
{
    public long ScheduledEventId { get; set; }

    public long StartedEventId { get; set; }

    public string RequestId { get; set; } = "";

    public TimeSpan Timeout { get; set; }

    /// <summary>From 2 on the task is transient: not in history until it completes.</summary>
    public int Attempt { get; set; } = 1;

    public DateTimeOffset ScheduledTime { get; set; }

    public DateTimeOffset StartedTime { get; set; }

    /// <summary>When the first of a chain of local-activity heartbeats was scheduled.</summary>
    public DateTimeOffset OriginalScheduledTime { get; set; }

    /// <summary>A task that exists only to deliver an update; it leaves no trace when the update is rejected.</summary>
    public bool Speculative { get; set; }

    public List<SuggestContinueAsNewReason>? ReasonsToContinueAsNew { get; set; }

    /// <summary>Routing has another version for the pinned workflow than the one it is on.</summary>
    public bool TargetVersionChanged { get; set; }

    public long HistorySize { get; set; }

    public string Identity { get; set; } = "";
}

/// <summary>Who paused the run, when and why.</summary>
internal sealed class PauseState
{
    public DateTimeOffset Since { get; set; }

    public string Identity { get; set; } = "";

    public string Reason { get; set; } = "";

    public string RequestId { get; set; } = "";
}

/// <summary>An activity that has not ended.</summary>
internal sealed class ActivityState
{
    public long ScheduledEventId { get; set; }

    public string ActivityId { get; set; } = "";

    public string Type { get; set; } = "";

    public string TaskQueue { get; set; } = "";

    public TimeSpan ScheduleToClose { get; set; }

    public TimeSpan ScheduleToStart { get; set; }

    public TimeSpan StartToClose { get; set; }

    public TimeSpan Heartbeat { get; set; }

    public RetryPolicy RetryPolicy { get; set; } = new();

    public Priority? Priority { get; set; }

    public int Attempt { get; set; } = 1;

    /// <summary>When the first attempt was scheduled: schedule-to-close counts from here.</summary>
    public DateTimeOffset FirstScheduledTime { get; set; }

    /// <summary>When the current attempt is, or was, due.</summary>
    public DateTimeOffset ScheduledTime { get; set; }

    /// <summary>Null while no worker has it.</summary>
    public DateTimeOffset? StartedTime { get; set; }

    /// <summary>Not 0 only while a run is reset: a start is in history once the activity ended.</summary>
    public long StartedEventId { get; set; }

    public string RequestId { get; set; } = "";

    public string StartedIdentity { get; set; } = "";

    public string LastIdentity { get; set; } = "";

    /// <summary>The version of the worker that took the last attempt; null for one without.</summary>
    public WorkerVersion? LastVersion { get; set; }

    public long CancelRequestedEventId { get; set; }

    public Payloads? HeartbeatDetails { get; set; }

    public DateTimeOffset? LastHeartbeat { get; set; }

    public DateTimeOffset? LastAttemptEnded { get; set; }

    public Failure? LastFailure { get; set; }

    /// <summary>Changes whenever an earlier dispatch must no longer count.</summary>
    public int Stamp { get; set; }

    public PauseState? Pause { get; set; }

    /// <summary>The running attempt keeps its heartbeats, the next starts without.</summary>
    public bool ResetHeartbeats { get; set; }

    /// <summary>A reset came while an attempt runs; the worker hears of it with its next heartbeat.</summary>
    public bool Reset { get; set; }
}

/// <summary>A timer of a workflow that has not fired.</summary>
internal sealed class TimerState
{
    public long StartedEventId { get; set; }

    public string TimerId { get; set; } = "";

    public DateTimeOffset FiresAt { get; set; }
}

/// <summary>A child workflow that has not ended.</summary>
internal sealed class ChildState
{
    public long InitiatedEventId { get; set; }

    /// <summary>Event id once the start is in history; 0 before, -1 while that event waits in the buffer.</summary>
    public long StartedEventId { get; set; }

    public string NamespaceName { get; set; } = "";

    public string NamespaceId { get; set; } = "";

    public string WorkflowId { get; set; } = "";

    /// <summary>The child's first run; empty until it started.</summary>
    public string RunId { get; set; } = "";

    public string Type { get; set; } = "";

    public ParentClosePolicy ParentClosePolicy { get; set; }

    /// <summary>Makes starting the child again after a crash find the run that was started before it.</summary>
    public string RequestId { get; set; } = "";
}

/// <summary>A signal to, or a cancellation of, another workflow whose delivery is not known yet.</summary>
internal sealed class ExternalRequestState
{
    public long InitiatedEventId { get; set; }

    public string RequestId { get; set; } = "";
}

/// <summary>An update that the workflow accepted, and perhaps completed; or that a reset brought along.</summary>
internal sealed class UpdateState
{
    /// <summary>Not 0 when history itself carries the update to the workflow, which is so after a reset.</summary>
    public long AdmittedEventId { get; set; }

    /// <summary>0 until the workflow accepted the update.</summary>
    public long AcceptedEventId { get; set; }

    /// <summary>0 until the workflow completed the update.</summary>
    public long CompletedEventId { get; set; }
}

/// <summary>The event that a request caused.</summary>
internal sealed class RequestState
{
    public EventType Type { get; set; }

    /// <summary>0 while the event waits for a workflow task to end.</summary>
    public long EventId { get; set; }
}

/// <summary>What a closed run owes to another: the parent's news, a child's end, a callback.</summary>
internal sealed class OutgoingState
{
    public long Number { get; set; }

    /// <summary>Set when somebody has to be called.</summary>
    public string? CallbackId { get; set; }

    /// <summary>Set when a child has to be closed; otherwise this is the news for the parent.</summary>
    public ChildState? Child { get; set; }
}
