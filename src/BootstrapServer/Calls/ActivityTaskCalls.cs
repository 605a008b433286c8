using Google.Protobuf;
using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What a worker, or whoever completes an activity for it, does for activities.</summary>
internal sealed class ActivityTaskCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PollActivityTaskQueueResponse> PollActivityTaskQueue(PollActivityTaskQueueRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue is not { Name.Length: > 0 } queue)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
        await engine.Deployments.RegisterAsync(ns, request.DeploymentOptions, queue.Name, TaskQueueType.Activity);
        var worker = WorkerVersion.Of(request.DeploymentOptions);
        while (true)
        {
            var poller = MatchingEngine.Poller(request.Identity, request.WorkerInstanceKey, request.DeploymentOptions, request.TaskQueueMetadata?.MaxTasksPerSecond);
            var (task, scaling) = await engine.Matching.PollAsync(ns, queue.Name, TaskQueueType.Activity, sticky: false, poller, context);
            if (task is null)
                return new PollActivityTaskQueueResponse();
            var item = (ActivityTaskItem)task;
            var run = item.Run;
            var response = await run.StepAsync(() => run.Activities.CanStart(item.ScheduledEventId, item.Stamp) && RunVersions.TakesActivityTask(run, worker)
                ? ActivityTaskMessage.Describe(run, run.Activities.Start(item.ScheduledEventId, Guid.NewGuid().ToString(), request.Identity, worker))
                : null);
            if (response is null)
            {
                engine.Matching.GiveBack(ns, queue.Name, TaskQueueType.Activity);
                continue;
            }
            if (scaling != 0)
                response.PollerScalingDecision = new PollerScalingDecision { PollRequestDeltaSuggestion = scaling };
            return response;
        }
    }

    public async Task<RecordActivityTaskHeartbeatResponse> RecordActivityTaskHeartbeat(RecordActivityTaskHeartbeatRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        var activity = await run.StepAsync(() => run.Activities.Heartbeat(token.ScheduledEventId, token.Attempt, request.Details));
        return new RecordActivityTaskHeartbeatResponse
        {
            CancelRequested = activity.CancelRequestedEventId != 0,
            ActivityPaused = activity.Pause is not null,
            ActivityReset = activity.Reset,
        };
    }

    public async Task<RecordActivityTaskHeartbeatByIdResponse> RecordActivityTaskHeartbeatById(RecordActivityTaskHeartbeatByIdRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId);
        var activity = await run.StepAsync(() => run.Activities.Heartbeat(Id(run, request.ActivityId), 0, request.Details));
        return new RecordActivityTaskHeartbeatByIdResponse
        {
            CancelRequested = activity.CancelRequestedEventId != 0,
            ActivityPaused = activity.Pause is not null,
            ActivityReset = activity.Reset,
        };
    }

    public async Task<RespondActivityTaskCompletedResponse> RespondActivityTaskCompleted(RespondActivityTaskCompletedRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        if (TooLarge(request.Result) is { } failure)
            await run.StepAsync(() => run.Activities.Fail(token.ScheduledEventId, token.Attempt, failure, null, request.Identity));
        else
            await run.StepAsync(() => run.Activities.Complete(token.ScheduledEventId, token.Attempt, request.Result, request.Identity));
        return new RespondActivityTaskCompletedResponse();
    }

    public async Task<RespondActivityTaskCompletedByIdResponse> RespondActivityTaskCompletedById(RespondActivityTaskCompletedByIdRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId);
        if (TooLarge(request.Result) is { } failure)
            await run.StepAsync(() => run.Activities.Fail(Id(run, request.ActivityId), 0, failure, null, request.Identity));
        else
            await run.StepAsync(() => run.Activities.Complete(Id(run, request.ActivityId), 0, request.Result, request.Identity));
        return new RespondActivityTaskCompletedByIdResponse();
    }

    public async Task<RespondActivityTaskFailedResponse> RespondActivityTaskFailed(RespondActivityTaskFailedRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        var failure = TooLarge(request.Failure) ?? request.Failure ?? new Failure();
        await run.StepAsync(() => run.Activities.Fail(token.ScheduledEventId, token.Attempt, failure, request.LastHeartbeatDetails, request.Identity));
        return new RespondActivityTaskFailedResponse();
    }

    public async Task<RespondActivityTaskFailedByIdResponse> RespondActivityTaskFailedById(RespondActivityTaskFailedByIdRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId);
        var failure = TooLarge(request.Failure) ?? request.Failure ?? new Failure();
        await run.StepAsync(() => run.Activities.Fail(Id(run, request.ActivityId), 0, failure, request.LastHeartbeatDetails, request.Identity));
        return new RespondActivityTaskFailedByIdResponse();
    }

    public async Task<RespondActivityTaskCanceledResponse> RespondActivityTaskCanceled(RespondActivityTaskCanceledRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        await run.StepAsync(() => run.Activities.ConfirmCanceled(token.ScheduledEventId, token.Attempt, request.Details, request.Identity));
        return new RespondActivityTaskCanceledResponse();
    }

    public async Task<RespondActivityTaskCanceledByIdResponse> RespondActivityTaskCanceledById(RespondActivityTaskCanceledByIdRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId);
        await run.StepAsync(() => run.Activities.ConfirmCanceled(Id(run, request.ActivityId), 0, request.Details, request.Identity));
        return new RespondActivityTaskCanceledByIdResponse();
    }

    /// <summary>A result that is too large fails the activity for good: the next attempt would be as large.</summary>
    private Failure? TooLarge(IMessage? message) => message is null || message.CalculateSize() <= engine.Limits.BlobBytes ? null : new Failure
    {
        Message = $"Complete result exceeds size limit: {message.CalculateSize()} of {engine.Limits.BlobBytes} bytes.",
        Source = "Server",
        ServerFailureInfo = new ServerFailureInfo { NonRetryable = true },
    };

    private static long Id(WorkflowRun run, string activityId) => run.Activities.FindById(activityId)?.ScheduledEventId
        ?? throw ServiceError.NotFound($"cannot find pending activity with ActivityID {activityId}, most likely it was completed or canceled, or timed out");

    private WorkflowRun Find(string namespaceName, string workflowId, string runId, string activityId)
    {
        RequestChecks.Id(workflowId, "WorkflowId");
        RequestChecks.Id(activityId, "ActivityId");
        return engine.Find(engine.Namespaces.Get(namespaceName), new WorkflowExecution { WorkflowId = workflowId, RunId = runId });
    }

    private (WorkflowRun Run, TaskToken Token) Find(ByteString token)
    {
        var decoded = TaskToken.Decode(token);
        var ns = engine.Namespaces.FindById(decoded.NamespaceId) ?? throw ServiceError.NotFound("activity task not found");
        return (engine.TryFind(ns, decoded.WorkflowId, decoded.RunId) ?? throw ServiceError.NotFound("activity task not found"), decoded);
    }
}
