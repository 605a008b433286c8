using System.Collections.Concurrent;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>Sends queries to workers directly: first to the one that has the workflow cached, then to any.</summary>
internal sealed class QueryDispatch(MatchingEngine matching)
{
    /// <summary>How often a query is asked whose worker says no and has a workflow task completed meanwhile.</summary>
    private const int MostAttempts = 5;

    private readonly ConcurrentDictionary<string, DirectQuery> open = new();

    /// <summary>Asks a worker and waits for its answer, as long as the caller waits.</summary>
    public async Task<RespondQueryTaskCompletedRequest> AskAsync(WorkflowRun run, WorkflowQuery query, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var direct = new DirectQuery(run, query);
            var answer = await AskOnceAsync(direct, ct);
            // A worker that got a workflow task in the same moment fails the query as expired: it is asked again, as it is now.
            if (answer.CompletedType == QueryResultType.Answered || attempt == MostAttempts || run.State.LastCompletedStartedEventId == direct.AskedAt)
                return answer;
        }
    }

    private async Task<RespondQueryTaskCompletedRequest> AskOnceAsync(DirectQuery direct, CancellationToken ct)
    {
        var run = direct.Run;
        open[direct.Id] = direct;
        try
        {
            var (sticky, timeout, pinned) = (run.State.StickyQueue, run.State.StickyTimeout, run.State.Versioning?.Pinned);
            RequireWorkers(run, pinned);
            if (sticky is not null && !RunVersions.LeavesStickyQueue(run) && matching.HasRecentPoller(run.Namespace, sticky))
            {
                matching.AddQuery(direct, sticky, sticky: true, pinned);
                if (await TakenWithinAsync(direct, timeout, ct))
                    return await direct.Answer.WaitAsync(ct);
            }
            if (!direct.Taken.IsCompleted)
                matching.AddQuery(direct, run.TaskQueue, sticky: false, pinned);
            return await direct.Answer.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            throw ServiceError.DeadlineExceeded(direct.Taken.IsCompleted
                ? "The worker that has the query did not answer in time."
                : $"No worker polled task queue {run.TaskQueue} for the query in time. Is one running?");
        }
        finally
        {
            open.TryRemove(direct.Id, out _);
            direct.NextAttempt(); // what is still queued of it is stale
        }
    }

    /// <summary>Refuses a query of a workflow that is pinned to a version whose workers were all taken away.</summary>
    private void RequireWorkers(WorkflowRun run, WorkerVersion? pinned)
    {
        if (pinned is null || !run.Engine.Deployments.IsDrained(run.Name.NamespaceId, pinned))
            return;
        if (matching.Find(run.Namespace, run.TaskQueue, TaskQueueType.Workflow)?.HasPollerOf(pinned) == true)
            return;
        throw ServiceError.FailedPrecondition(
            $"The workflow is pinned to Worker Deployment Version {pinned}, which is drained and has no pollers to answer the query. Start workers of that version again, or change the workflow to auto-upgrade (workflow update-options).");
    }

    public void Answer(string queryId, RespondQueryTaskCompletedRequest answer)
    {
        if (!open.TryGetValue(queryId, out var direct))
            throw ServiceError.NotFound("query task not found, or already expired");
        direct.Complete(answer);
    }

    private static async Task<bool> TakenWithinAsync(DirectQuery direct, TimeSpan timeout, CancellationToken ct)
    {
        try
        {
            await direct.Taken.WaitAsync(timeout, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
