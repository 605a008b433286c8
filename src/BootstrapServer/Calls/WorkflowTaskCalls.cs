using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Completing;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What a worker does for workflows.</summary>
internal sealed class WorkflowTaskCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PollWorkflowTaskQueueResponse> PollWorkflowTaskQueue(PollWorkflowTaskQueueRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue is not { Name.Length: > 0 } queue)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
        var sticky = queue.Kind == TaskQueueKind.Sticky;
        if (!sticky)
            await engine.Deployments.RegisterAsync(ns, request.DeploymentOptions, queue.Name, TaskQueueType.Workflow);
        var worker = WorkerVersion.Of(request.DeploymentOptions);
        while (true)
        {
            var poller = MatchingEngine.Poller(request.Identity, request.WorkerInstanceKey, request.DeploymentOptions);
            var (task, scaling) = await engine.Matching.PollAsync(ns, queue.Name, TaskQueueType.Workflow, sticky, poller, context);
            var response = task switch
            {
                null => new PollWorkflowTaskQueueResponse(),
                WorkflowTaskItem item => await StartAsync(item, request.Identity, worker),
                QueryItem item => await QueryAsync(item),
                _ => throw new InvalidOperationException($"A {task.GetType().Name} is in a workflow task queue."),
            };
            if (response is null)
                continue;
            if (scaling != 0)
                response.PollerScalingDecision = new PollerScalingDecision { PollRequestDeltaSuggestion = scaling };
            return response;
        }
    }

    public async Task<RespondWorkflowTaskCompletedResponse> RespondWorkflowTaskCompleted(RespondWorkflowTaskCompletedRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        var result = await run.StepAsync(() => new WorkflowTaskCompletion(run, request).Apply(token));
        if (result.Error is { } error)
            throw error;
        var response = new RespondWorkflowTaskCompletedResponse { WorkflowTask = result.Next?.ToResponse(), ResetHistoryEventId = result.ForgetAfter };
        response.ActivityTasks.AddRange(result.Activities);
        return response;
    }

    public async Task<RespondWorkflowTaskFailedResponse> RespondWorkflowTaskFailed(RespondWorkflowTaskFailedRequest request, ServerCallContext context)
    {
        var (run, token) = Find(request.TaskToken);
        await run.StepAsync(() =>
        {
            var task = run.WorkflowTasks.Current;
            if (!run.IsOpen || !run.WorkflowTasks.IsStarted || task.ScheduledEventId != token.ScheduledEventId || task.Attempt != token.Attempt)
                throw ServiceError.NotFound("Workflow task not found.");
            run.WorkflowTasks.Fail(request.Cause, request.Failure, request.Identity);
            run.WorkflowTasks.ScheduleIfNone();
        });
        return new RespondWorkflowTaskFailedResponse();
    }

    public async Task<ResetStickyTaskQueueResponse> ResetStickyTaskQueue(ResetStickyTaskQueueRequest request, ServerCallContext context)
    {
        var run = engine.Find(engine.Namespaces.Get(request.Namespace), request.Execution);
        await run.StepAsync(() =>
        {
            run.RequireOpen();
            run.WorkflowTasks.ClearSticky();
        });
        return new ResetStickyTaskQueueResponse();
    }

    /// <summary>Starts the task for the worker; null when the task is stale.</summary>
    private static async Task<PollWorkflowTaskQueueResponse?> StartAsync(WorkflowTaskItem item, string identity, WorkerVersion? worker)
    {
        var run = item.Run;
        var started = await run.StepAsync(() =>
        {
            if (!run.WorkflowTasks.CanStart(item.Stamp))
                return null;
            if (!RunVersions.TakesWorkflowTask(run, worker))
            {
                run.WorkflowTasks.RescheduleWaiting();
                return null;
            }
            run.WorkflowTasks.Start(Guid.NewGuid().ToString(), identity, item.Sticky);
            RunVersions.WorkflowTaskTaken(run, worker);
            return WorkflowTaskStart.Of(run, item.Sticky);
        });
        return started?.ToResponse();
    }

    private static async Task<PollWorkflowTaskQueueResponse?> QueryAsync(QueryItem item)
    {
        if (!item.TryTake())
            return null;
        return (await item.Query.Run.StepAsync(() => WorkflowTaskStart.OfQuery(item.Query, item.Sticky))).ToResponse();
    }

    private (WorkflowRun Run, TaskToken Token) Find(Google.Protobuf.ByteString token)
    {
        var decoded = TaskToken.Decode(token);
        var ns = engine.Namespaces.FindById(decoded.NamespaceId) ?? throw ServiceError.NotFound("Workflow task not found.");
        return (engine.TryFind(ns, decoded.WorkflowId, decoded.RunId) ?? throw ServiceError.NotFound("Workflow task not found."), decoded);
    }
}
