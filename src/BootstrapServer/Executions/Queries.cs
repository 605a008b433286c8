using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// Queries that must see what a workflow task in flight, or about to be, brings: they travel with it. A query of a run
/// that has no workflow task goes to a worker directly (<see cref="Matching.QueryDispatch"/>).
/// </summary>
internal sealed class Queries(WorkflowRun run)
{
    private readonly Dictionary<string, WaitingQuery> waiting = [];

    public bool Any => waiting.Count > 0;

    public WaitingQuery Wait(WorkflowQuery query)
    {
        Limits.RequireRoomForQuery(waiting.Count);
        var added = new WaitingQuery(query);
        waiting[added.Id] = added;
        return added;
    }

    public void Forget(WaitingQuery query) => waiting.Remove(query.Id);

    /// <summary>What a workflow task that starts carries.</summary>
    public IEnumerable<KeyValuePair<string, WorkflowQuery>> Attach() =>
        waiting.Select(q => KeyValuePair.Create(q.Key, q.Value.Query));

    /// <summary>A workflow task ended: its results go out. What it did not answer waits for the next.</summary>
    public void Answer(IReadOnlyDictionary<string, WorkflowQueryResult> results)
    {
        foreach (var (id, result) in results)
        {
            if (waiting.Remove(id, out var query))
                run.After(() => query.Answer(result));
        }
    }

    /// <summary>Nothing holds the queries any more: they can go to a worker directly.</summary>
    public void ReleaseAll()
    {
        foreach (var query in waiting.Values)
            run.After(query.Release);
        waiting.Clear();
    }
}

/// <summary>A query that waits for a workflow task. Its result is null when it may go to a worker directly after all.</summary>
internal sealed class WaitingQuery(WorkflowQuery query)
{
    private readonly TaskCompletionSource<WorkflowQueryResult?> result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = Guid.NewGuid().ToString();

    public WorkflowQuery Query => query;

    public Task<WorkflowQueryResult?> Result => result.Task;

    public void Answer(WorkflowQueryResult answer) => result.TrySetResult(answer);

    public void Release() => result.TrySetResult(null);

    /// <summary>The answer that a result stands for.</summary>
    /// <exception cref="Grpc.Core.RpcException">The query failed in the worker.</exception>
    public static Temporalio.Api.Common.V1.Payloads? AnswerOf(WorkflowQueryResult result) => result.ResultType == QueryResultType.Answered
        ? result.Answer
        : throw ServiceError.QueryFailed(result.ErrorMessage, result.Failure);
}
