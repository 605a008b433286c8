using PlatformOps.BootstrapServer.Executions;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>One query that a worker answers outside of a workflow task.</summary>
internal sealed class DirectQuery(WorkflowRun run, WorkflowQuery query)
{
    private readonly TaskCompletionSource<RespondQueryTaskCompletedRequest> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int attempt;

    public string Id { get; } = Guid.NewGuid().ToString();

    public WorkflowRun Run => run;

    public WorkflowQuery Query => query;

    public Task<RespondQueryTaskCompletedRequest> Answer => answer.Task;

    /// <summary>The started event of the last workflow task that was complete when a worker got the query.</summary>
    public long AskedAt { get; set; }

    /// <summary>Completes when a worker has it.</summary>
    public Task Taken => taken.Task;

    /// <summary>Makes what was queued before stale, and numbers what is queued next.</summary>
    public int NextAttempt() => Interlocked.Increment(ref attempt);

    public bool TryTake(int queuedAttempt) => Volatile.Read(ref attempt) == queuedAttempt && taken.TrySetResult();

    public void Complete(RespondQueryTaskCompletedRequest result) => answer.TrySetResult(result);
}
