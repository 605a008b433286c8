using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Resetting;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Taking a workflow back to an earlier workflow task.</summary>
internal sealed class ResetCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<ResetWorkflowExecutionResponse> ResetWorkflowExecution(ResetWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Id(request.RequestId, "RequestId");
        RequestChecks.Execution(request.WorkflowExecution);
#pragma warning disable CS0612 // Deprecated in favour of the types to exclude, and still sent by clients.
        if (!Enum.IsDefined(request.ResetReapplyType))
            throw ServiceError.Internal($"unknown reset reapply type: {request.ResetReapplyType}");
#pragma warning restore CS0612
        PostResetOperations.Check(request.PostResetOperations);
        return new ResetWorkflowExecutionResponse { RunId = await engine.Resetter.ResetAsync(ns, request) };
    }
}
