using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Signalling, cancelling and terminating workflows.</summary>
internal sealed class SignalCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<SignalWorkflowExecutionResponse> SignalWorkflowExecution(SignalWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.WorkflowExecution);
        if (request.SignalName.Length == 0)
            throw ServiceError.InvalidArgument("SignalName is not set on request.");
        engine.Limits.RequireSize(request.Input, "SignalInput");
        var requestId = request.RequestId.Length > 0 ? request.RequestId : Guid.NewGuid().ToString();
        var run = engine.Find(ns, request.WorkflowExecution);
        await run.StepAsync(() => Incoming.Signal(run, request.SignalName, request.Input, request.Header, request.Identity, requestId, request.Links));
        return new SignalWorkflowExecutionResponse { Link = Links.Event(ns, run, requestId, EventType.WorkflowExecutionSignaled) };
    }

    public async Task<RequestCancelWorkflowExecutionResponse> RequestCancelWorkflowExecution(RequestCancelWorkflowExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowExecution, request.FirstExecutionRunId);
        await run.StepAsync(() =>
        {
            if (run.IsOpen)
                Incoming.RequireChain(run, request.FirstExecutionRunId);
            Incoming.Cancel(run, request.Reason, request.Identity, request.RequestId, request.Links);
        });
        return new RequestCancelWorkflowExecutionResponse();
    }

    public async Task<TerminateWorkflowExecutionResponse> TerminateWorkflowExecution(TerminateWorkflowExecutionRequest request, ServerCallContext context)
    {
        var run = Find(request.Namespace, request.WorkflowExecution, request.FirstExecutionRunId);
        await run.StepAsync(() =>
        {
            run.RequireOpen();
            Incoming.RequireChain(run, request.FirstExecutionRunId);
            run.Closing.Terminate(request.Reason, request.Details, request.Identity, request.Links);
        });
        return new TerminateWorkflowExecutionResponse();
    }

    /// <summary>A request for a chain of runs means its latest run, whatever run it names.</summary>
    private WorkflowRun Find(string namespaceName, WorkflowExecution? execution, string firstRunId)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        RequestChecks.Execution(execution);
        return engine.Find(ns, firstRunId.Length == 0 ? execution : new WorkflowExecution { WorkflowId = execution!.WorkflowId });
    }
}
