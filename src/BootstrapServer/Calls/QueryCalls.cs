using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Querying workflows: strongly consistent, also on closed runs while their history is kept.</summary>
internal sealed class QueryCalls(Engine engine, QueryDispatch dispatch) : IProtocolCalls
{
    /// <summary>From so many failed attempts on a query would only fail after the same replay.</summary>
    private const int FailingAttempts = 3;

    public string Service => WorkflowServiceName.Name;

    public async Task<QueryWorkflowResponse> QueryWorkflow(QueryWorkflowRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.Execution);
        if (request.Query is not { QueryType.Length: > 0 })
            throw ServiceError.InvalidArgument("QueryType is not set on request.");
        var run = engine.Find(ns, request.Execution);
        WaitingQuery? waiting = null;
        var rejected = await run.StepAsync(() =>
        {
            if (Rejects(run, request.QueryRejectCondition))
                return new QueryRejected { Status = run.State.Status };
            RequireAnswerable(run, context);
            if (run.IsOpen && (run.State.LastCompletedEventId == 0 || run.WorkflowTasks.IsPending))
                waiting = run.Queries.Wait(request.Query);
            return null;
        });
        if (rejected is not null)
            return new QueryWorkflowResponse { QueryRejected = rejected };
        var answer = await AnswerAsync(run, request.Query, waiting, context.CancellationToken);
        await engine.Store.Flushed(); // the answer may come with a workflow task that is not on disk yet
        return new QueryWorkflowResponse { QueryResult = answer };
    }

    public Task<RespondQueryTaskCompletedResponse> RespondQueryTaskCompleted(RespondQueryTaskCompletedRequest request, ServerCallContext context)
    {
        dispatch.Answer(TaskToken.Decode(request.TaskToken).QueryId, request);
        return Task.FromResult(new RespondQueryTaskCompletedResponse());
    }

    private async Task<Payloads?> AnswerAsync(WorkflowRun run, WorkflowQuery query, WaitingQuery? waiting, CancellationToken ct)
    {
        if (waiting is not null)
        {
            try
            {
                if (await waiting.Result.WaitAsync(ct) is { } result)
                    return WaitingQuery.AnswerOf(result);
            }
            catch (OperationCanceledException)
            {
                throw ServiceError.DeadlineExceeded($"No worker answered the query in time. Does one poll task queue {run.TaskQueue}?");
            }
            finally
            {
                lock (run.Gate)
                    run.Queries.Forget(waiting);
            }
        }
        var answer = await dispatch.AskAsync(run, query, ct);
        return answer.CompletedType == QueryResultType.Answered
            ? answer.QueryResult
            : throw ServiceError.QueryFailed(answer.ErrorMessage, answer.Failure);
    }

    private static bool Rejects(WorkflowRun run, QueryRejectCondition condition) => run.State.Status switch
    {
        WorkflowExecutionStatus.Running => false,
        WorkflowExecutionStatus.Paused => true,
        WorkflowExecutionStatus.Completed => condition == QueryRejectCondition.NotOpen,
        _ => condition is QueryRejectCondition.NotOpen or QueryRejectCondition.NotCompletedCleanly,
    };

    private static void RequireAnswerable(WorkflowRun run, ServerCallContext context)
    {
        if (!run.IsOpen && run.State.LastCompletedEventId == 0)
            throw ServiceError.WorkflowNotReady("Workflow execution closed before WorkflowTaskStarted event");
        if (run.State.FirstTaskAt is { } at && (context.Deadline == DateTime.MaxValue || at.UtcDateTime > context.Deadline))
            throw ServiceError.WorkflowNotReady("Workflow task is not scheduled yet.");
        if (run.WorkflowTasks.Current.Attempt >= FailingAttempts)
            throw ServiceError.WorkflowNotReady("Unable to query workflow due to Workflow Task in failed state.");
    }
}
