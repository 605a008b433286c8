using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions.Starting;

/// <summary>A start, whichever call, parent or schedule asked for it, with everything that was left out filled in.</summary>
internal sealed record StartRequest
{
    private static readonly Duration DefaultTaskTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
    private static readonly TimeSpan LongestTaskTimeout = TimeSpan.FromSeconds(120);

    public required string WorkflowId { get; init; }

    public required string RequestId { get; init; }

    public required string Identity { get; init; }

    /// <summary>The started event, except for what depends on the run id and the clock.</summary>
    public required WorkflowExecutionStartedEventAttributes Start { get; init; }

    public WorkflowIdReusePolicy Reuse { get; init; } = WorkflowIdReusePolicy.AllowDuplicate;

    public WorkflowIdConflictPolicy Conflict { get; init; } = WorkflowIdConflictPolicy.Fail;

    public Temporalio.Api.Workflow.V1.OnConflictOptions? OnConflict { get; init; }

    public UserMetadata? UserMetadata { get; init; }

    public IReadOnlyList<Link> Links { get; init; } = [];

    public bool Eager { get; init; }

    /// <summary>As what the caller's own worker, which may take the first workflow task at once, answers.</summary>
    public Temporalio.Api.Deployment.V1.WorkerDeploymentOptions? EagerWorker { get; init; }

    /// <summary>False for a child: its first workflow task waits until the parent's history knows of the child.</summary>
    public bool ScheduleFirstTask { get; init; } = true;

    public static StartRequest From(StartWorkflowExecutionRequest asked) => From(asked, WorkflowIdConflictPolicy.Fail) with
    {
        OnConflict = asked.OnConflictOptions,
        EagerWorker = asked.EagerWorkerDeploymentOptions,
        Eager = asked.RequestEagerExecution && (asked.WorkflowStartDelay is null || asked.WorkflowStartDelay.ToTimeSpan() == TimeSpan.Zero) && asked.CronSchedule.Length == 0,
    };

    public static StartRequest From(SignalWithStartWorkflowExecutionRequest asked) => From(
        new StartWorkflowExecutionRequest
        {
            Namespace = asked.Namespace,
            WorkflowId = asked.WorkflowId,
            WorkflowType = asked.WorkflowType,
            TaskQueue = asked.TaskQueue,
            Input = asked.Input,
            WorkflowExecutionTimeout = asked.WorkflowExecutionTimeout,
            WorkflowRunTimeout = asked.WorkflowRunTimeout,
            WorkflowTaskTimeout = asked.WorkflowTaskTimeout,
            Identity = asked.Identity,
            RequestId = asked.RequestId,
            WorkflowIdReusePolicy = asked.WorkflowIdReusePolicy,
            WorkflowIdConflictPolicy = asked.WorkflowIdConflictPolicy,
            RetryPolicy = asked.RetryPolicy,
            CronSchedule = asked.CronSchedule,
            Memo = asked.Memo,
            SearchAttributes = asked.SearchAttributes,
            Header = asked.Header,
            WorkflowStartDelay = asked.WorkflowStartDelay,
            UserMetadata = asked.UserMetadata,
            Links = { asked.Links },
            VersioningOverride = asked.VersioningOverride,
            Priority = asked.Priority,
        },
        WorkflowIdConflictPolicy.UseExisting);

    private static StartRequest From(StartWorkflowExecutionRequest asked, WorkflowIdConflictPolicy unspecifiedConflict)
    {
        var start = new WorkflowExecutionStartedEventAttributes
        {
            WorkflowType = asked.WorkflowType,
            TaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = asked.TaskQueue.Name, Kind = TaskQueueKind.Normal },
            Input = asked.Input,
            WorkflowExecutionTimeout = asked.WorkflowExecutionTimeout,
            WorkflowRunTimeout = asked.WorkflowRunTimeout,
            WorkflowTaskTimeout = asked.WorkflowTaskTimeout,
            Identity = asked.Identity,
            RetryPolicy = asked.RetryPolicy is null ? null : RetryBackoff.WithDefaults(asked.RetryPolicy),
            CronSchedule = asked.CronSchedule,
            Memo = asked.Memo,
            SearchAttributes = asked.SearchAttributes,
            Header = asked.Header,
            ContinuedFailure = asked.ContinuedFailure,
            LastCompletionResult = asked.LastCompletionResult,
            FirstWorkflowTaskBackoff = asked.WorkflowStartDelay ?? new Duration(),
            CompletionCallbacks = { asked.CompletionCallbacks },
            VersioningOverride = asked.VersioningOverride,
            Priority = asked.Priority,
            WorkflowId = asked.WorkflowId,
        };
        Complete(start);
#pragma warning disable CS0612 // Deprecated in favour of the conflict policy, and still sent by SDKs.
        var terminateIfRunning = asked.WorkflowIdReusePolicy == WorkflowIdReusePolicy.TerminateIfRunning;
#pragma warning restore CS0612
        return new StartRequest
        {
            WorkflowId = asked.WorkflowId,
            RequestId = asked.RequestId,
            Identity = asked.Identity,
            Start = start,
            Reuse = terminateIfRunning || asked.WorkflowIdReusePolicy == WorkflowIdReusePolicy.Unspecified ? WorkflowIdReusePolicy.AllowDuplicate : asked.WorkflowIdReusePolicy,
            Conflict = terminateIfRunning ? WorkflowIdConflictPolicy.TerminateExisting
                : asked.WorkflowIdConflictPolicy == WorkflowIdConflictPolicy.Unspecified ? unspecifiedConflict : asked.WorkflowIdConflictPolicy,
            UserMetadata = asked.UserMetadata,
            Links = asked.Links,
        };
    }

    /// <summary>Fills in timeouts: a task takes ten seconds, at most two minutes; a run no longer than its execution.</summary>
    public static void Complete(WorkflowExecutionStartedEventAttributes start)
    {
        // A timeout that nobody gave stays absent in history: workflows see the difference.
        var (execution, run) = (start.WorkflowExecutionTimeout?.ToTimeSpan() ?? TimeSpan.Zero, start.WorkflowRunTimeout?.ToTimeSpan() ?? TimeSpan.Zero);
        if (execution > TimeSpan.Zero && (run == TimeSpan.Zero || run > execution))
            start.WorkflowRunTimeout = start.WorkflowExecutionTimeout;
        var task = start.WorkflowTaskTimeout?.ToTimeSpan() ?? TimeSpan.Zero;
        if (task == TimeSpan.Zero)
            start.WorkflowTaskTimeout = DefaultTaskTimeout;
        else if (task > LongestTaskTimeout)
            start.WorkflowTaskTimeout = Duration.FromTimeSpan(LongestTaskTimeout);
    }
}
