using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Options of a run that operators change while it runs.</summary>
internal sealed class WorkflowOptionsCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<UpdateWorkflowExecutionOptionsResponse> UpdateWorkflowExecutionOptions(UpdateWorkflowExecutionOptionsRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.WorkflowExecution);
        if (request.UpdateMask is null)
            throw ServiceError.InvalidArgument("UpdateMask is not set on request.");
        var run = engine.Find(ns, request.WorkflowExecution);
        return await run.StepAsync(() => WorkflowOptions.Update(run, request.WorkflowExecutionOptions, request.UpdateMask, request.Identity));
    }
}
