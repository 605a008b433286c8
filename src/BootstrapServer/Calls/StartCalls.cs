using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Starting;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Starting workflows.</summary>
internal sealed class StartCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<StartWorkflowExecutionResponse> StartWorkflowExecution(StartWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        Check(ns, request);
        return Response(ns, await engine.Starter.StartAsync(ns, StartRequest.From(request)));
    }

    public async Task<SignalWithStartWorkflowExecutionResponse> SignalWithStartWorkflowExecution(SignalWithStartWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.SignalName.Length == 0)
            throw ServiceError.InvalidArgument("SignalName is not set on request.");
        if (request.RequestId.Length == 0)
            request.RequestId = Guid.NewGuid().ToString();
        engine.Limits.RequireSize(request.SignalInput, "SignalInput");
        Check(ns, AsStart(request));
        var start = StartRequest.From(request);
        if (start.Conflict == WorkflowIdConflictPolicy.Fail)
            throw ServiceError.InvalidArgument("Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.");
        var result = await engine.Starter.StartAsync(ns, start, Signal, existing =>
        {
            existing.WorkflowTasks.EndFirstWait();
            Signal(existing);
        });
        return new SignalWithStartWorkflowExecutionResponse
        {
            RunId = result.Run.RunId,
            FirstExecutionRunId = result.Run.Start.FirstExecutionRunId,
            Started = result.Started,
            SignalLink = Links.Event(ns, result.Run, request.RequestId, EventType.WorkflowExecutionSignaled),
        };

        void Signal(WorkflowRun run) => Incoming.Signal(run, request.SignalName, request.SignalInput, request.Header, request.Identity, request.RequestId, request.Links);
    }

    public static StartWorkflowExecutionResponse Response(Namespace ns, StartResult result) => new()
    {
        RunId = result.Run.RunId,
        FirstExecutionRunId = result.Run.Start.FirstExecutionRunId,
        Started = result.Started,
        Status = result.Run.State.Status,
        EagerWorkflowTask = result.EagerTask?.ToResponse(),
        Link = result.AttachedRequestId is { } attached
            ? Links.Event(ns, result.Run, attached, EventType.WorkflowExecutionOptionsUpdated)
            : Links.Started(ns, result.Run),
    };

    public void Check(Namespace ns, StartWorkflowExecutionRequest request)
    {
        if (ns.State != NamespaceState.Registered)
            throw ServiceError.NamespaceInvalidState(ns.Name, ns.State);
        RequestChecks.Start(request, engine.Limits);
        CallbackChecks.Check(request);
        if (request.RequestId.Length == 0)
            request.RequestId = Guid.NewGuid().ToString();
        VersioningOverrides.Check(request.VersioningOverride, engine.Deployments.RouteOf(new QueueName(ns.Id, request.TaskQueue.Name, TaskQueueType.Workflow)), request.TaskQueue.Name);
        if (engine.SearchAttributes.Problem(ns, request.SearchAttributes) is { } problem)
            throw ServiceError.InvalidArgument(problem);
    }

    private static StartWorkflowExecutionRequest AsStart(SignalWithStartWorkflowExecutionRequest request) => new()
    {
        WorkflowId = request.WorkflowId,
        WorkflowType = request.WorkflowType,
        TaskQueue = request.TaskQueue,
        Input = request.Input,
        WorkflowExecutionTimeout = request.WorkflowExecutionTimeout,
        WorkflowRunTimeout = request.WorkflowRunTimeout,
        WorkflowTaskTimeout = request.WorkflowTaskTimeout,
        RequestId = request.RequestId,
        WorkflowIdReusePolicy = request.WorkflowIdReusePolicy,
        WorkflowIdConflictPolicy = request.WorkflowIdConflictPolicy,
        RetryPolicy = request.RetryPolicy,
        CronSchedule = request.CronSchedule,
        Memo = request.Memo,
        SearchAttributes = request.SearchAttributes,
        WorkflowStartDelay = request.WorkflowStartDelay,
        VersioningOverride = request.VersioningOverride,
    };
}
