using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Pausing;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Makes the run that continues another: as new, by retry policy, by cron schedule.</summary>
internal sealed class Successors(Engine engine)
{
    public WorkflowRun AsNew(WorkflowRun run, ContinueAsNewWorkflowExecutionCommandAttributes asked)
    {
        var start = Inherit(run, ContinueAsNewInitiator.Workflow, asked.BackoffStartInterval?.ToTimeSpan() ?? TimeSpan.Zero);
        if (asked.WorkflowType is { Name.Length: > 0 })
            start.WorkflowType = asked.WorkflowType;
        if (asked.TaskQueue is { Name.Length: > 0 })
            start.TaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = asked.TaskQueue.Name, Kind = TaskQueueKind.Normal };
        start.Input = asked.Input;
        start.Header = asked.Header;
        if (IsGiven(asked.WorkflowRunTimeout))
            start.WorkflowRunTimeout = asked.WorkflowRunTimeout;
        if (IsGiven(asked.WorkflowTaskTimeout))
            start.WorkflowTaskTimeout = asked.WorkflowTaskTimeout;
        start.RetryPolicy = asked.RetryPolicy is null ? start.RetryPolicy : RetryBackoff.WithDefaults(asked.RetryPolicy);
        if (asked.CronSchedule.Length > 0)
            start.CronSchedule = asked.CronSchedule;
        start.Memo = asked.Memo ?? run.State.Memo;
        start.SearchAttributes = asked.SearchAttributes ?? run.State.SearchAttributes;
        start.LastCompletionResult = asked.LastCompletionResult ?? start.LastCompletionResult;
        VersionInheritance.IntoContinued(run.State.Versioning, start, start.TaskQueue.Name == run.TaskQueue, v => engine.Deployments.Serves(run.Namespace, start.TaskQueue.Name, v), asked.InitialVersioningBehavior);
        if (asked.Initiator != ContinueAsNewInitiator.Unspecified)
            start.Initiator = asked.Initiator;
        start.ContinuedFailure = null;
        start.Attempt = 1;
        return Make(run, start);
    }

    /// <summary>The next run of a cron schedule, or null when there is no schedule.</summary>
    public WorkflowRun? ByCron(WorkflowRun run, Payloads? result, Failure? failure)
    {
        if (run.Start.CronSchedule.Length == 0)
            return null;
        var next = CronSchedule.Parse(run.Start.CronSchedule).NextAfter(run.State.StartTime, run.Now);
        var start = Inherit(run, ContinueAsNewInitiator.CronSchedule, next - run.Now);
        start.Attempt = 1;
        start.LastCompletionResult = result ?? start.LastCompletionResult;
        start.ContinuedFailure = failure;
        VersionInheritance.IntoCron(run.State.Versioning, start);
        return Make(run, start);
    }

    /// <summary>The next run after a failure: by retry policy, else by cron; and why there is none.</summary>
    public (WorkflowRun? Successor, RetryState State) AfterFailure(WorkflowRun run, Failure failure)
    {
        if (run.Start.RetryPolicy is not { } policy)
            return (ByCron(run, null, failure), RetryState.RetryPolicyNotSet);
        var (interval, state) = RetryBackoff.Next(policy, run.Start.Attempt, run.Now, run.Start.WorkflowExecutionExpirationTime?.ToDateTimeOffset(), failure);
        if (interval is not { } wait)
            return (ByCron(run, null, failure), state);
        var start = Inherit(run, ContinueAsNewInitiator.Retry, wait);
        start.Attempt = run.Start.Attempt + 1;
        VersionInheritance.IntoRetry(run.State.Versioning, run.Start, start);
        start.ContinuedFailure = failure;
        return (Make(run, start), state);
    }

    private WorkflowExecutionStartedEventAttributes Inherit(WorkflowRun run, ContinueAsNewInitiator initiator, TimeSpan backoff)
    {
        // Input and results before this run are not kept in memory: the start event has them.
        var start = engine.Histories.ReadEvent(run, 1).WorkflowExecutionStartedEventAttributes.Clone();
        start.ContinuedExecutionRunId = run.RunId;
        start.Initiator = initiator;
        start.FirstWorkflowTaskBackoff = Duration.FromTimeSpan(backoff < TimeSpan.Zero ? TimeSpan.Zero : backoff);
        start.Memo = run.State.Memo;
        start.SearchAttributes = run.State.SearchAttributes;
        start.WorkflowExecutionExpirationTime = run.Start.WorkflowExecutionExpirationTime; // a reset moved it
        start.CompletionCallbacks.Clear();
        start.CompletionCallbacks.AddRange(run.Callbacks.All.Select(c => c.Callback)); // also those that were attached since
        start.PrevAutoResetPoints = run.State.ResetPoints;
        start.EagerExecutionAccepted = false;
        return start;
    }

    private WorkflowRun Make(WorkflowRun run, WorkflowExecutionStartedEventAttributes start)
    {
        var runId = Guid.NewGuid().ToString();
        start.OriginalExecutionRunId = runId;
        start.SearchAttributes = ReportedProblems.Without(PauseInfo.Without(start.SearchAttributes));
        var successor = engine.Create(run.Namespace, run.WorkflowId, runId, start, requestId: Guid.NewGuid().ToString(), run.State.UserMetadata);
        successor.WorkflowTasks.ScheduleFirst();
        run.After(() => engine.Publish(successor));
        return successor;
    }

    private static bool IsGiven(Duration? duration) => duration is not null && duration.ToTimeSpan() > TimeSpan.Zero;
}
