using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Pausing;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Pausing workflows, and letting them go on.</summary>
internal sealed class PauseCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PauseWorkflowExecutionResponse> PauseWorkflowExecution(PauseWorkflowExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.Reason, request.RequestId, request.Identity);
        await run.StepAsync(() => WorkflowPause.Pause(run, request.Identity, request.Reason, request.RequestId));
        return new PauseWorkflowExecutionResponse();
    }

    public async Task<UnpauseWorkflowExecutionResponse> UnpauseWorkflowExecution(UnpauseWorkflowExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowId, request.RunId, request.Reason, request.RequestId, request.Identity);
        await run.StepAsync(() => WorkflowPause.Unpause(run, request.Identity, request.Reason, request.RequestId));
        return new UnpauseWorkflowExecutionResponse();
    }

    private WorkflowRun Find(string namespaceName, string workflowId, string runId, string reason, string requestId, string identity)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        RequestChecks.Length(reason, "reason");
        RequestChecks.Length(requestId, "request id");
        RequestChecks.Length(identity, "identity");
        return engine.Find(ns, new WorkflowExecution { WorkflowId = workflowId, RunId = runId });
    }
}
