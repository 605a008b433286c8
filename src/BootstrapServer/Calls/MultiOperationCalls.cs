using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Starting;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using Operation = Temporalio.Api.WorkflowService.V1.ExecuteMultiOperationRequest.Types.Operation;
using Response = Temporalio.Api.WorkflowService.V1.ExecuteMultiOperationResponse.Types.Response;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Update-with-start: the one pair of operations that the protocol knows.</summary>
internal sealed class MultiOperationCalls(Engine engine) : IProtocolCalls
{
    private readonly StartCalls starts = new(engine);
    private readonly UpdateCalls updates = new(engine);

    public string Service => WorkflowServiceName.Name;

    public async Task<ExecuteMultiOperationResponse> ExecuteMultiOperation(ExecuteMultiOperationRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.Operations is not [{ OperationCase: Operation.OperationOneofCase.StartWorkflow } first, { OperationCase: Operation.OperationOneofCase.UpdateWorkflow } second])
            throw ServiceError.InvalidArgument("Operations have to be exactly [Start, Update].");
        var (start, update) = (first.StartWorkflow, second.UpdateWorkflow);
        Require(() => Check(ns, start, update));
        var (result, live) = await StartAsync(ns, start, update);
        try
        {
            var answer = await updates.AnswerAsync(result.Run, live, update, context);
            return new ExecuteMultiOperationResponse
            {
                Responses = { new Response { StartWorkflow = StartCalls.Response(ns, result) }, new Response { UpdateWorkflow = answer } },
            };
        }
        catch (RpcException e)
        {
            throw Failed(e, updateFailed: true);
        }
        catch (WorkflowContinuesException)
        {
            throw Failed(UpdateErrors.WorkflowClosing(), updateFailed: true);
        }
    }

    private void Check(Namespace ns, StartWorkflowExecutionRequest start, UpdateWorkflowExecutionRequest update)
    {
        starts.Check(ns, start);
        UpdateCalls.Check(update, engine.Limits);
        if (start.WorkflowId != update.WorkflowExecution.WorkflowId)
            throw ServiceError.InvalidArgument("WorkflowId is not consistent with previous operation(s).");
        if (start.CronSchedule.Length > 0 || start.RequestEagerExecution)
            throw ServiceError.InvalidArgument("CronSchedule and RequestEagerExecution are not allowed.");
        if (update.WorkflowExecution.RunId.Length > 0 || update.FirstExecutionRunId.Length > 0)
            throw ServiceError.InvalidArgument("RunId and FirstExecutionRunId are not allowed.");
    }

    private async Task<(StartResult Result, LiveUpdate Update)> StartAsync(Namespace ns, StartWorkflowExecutionRequest start, UpdateWorkflowExecutionRequest update)
    {
        LiveUpdate? live = null;
        StartResult result;
        try
        {
            result = await engine.Starter.StartAsync(ns, StartRequest.From(start), Admit, Admit);
        }
        catch (RpcException e)
        {
            // A caller that repeats its request must find the update that it sent before, whatever the policies say now.
            if (e.StatusCode == StatusCode.AlreadyExists && engine.FindLatest(ns, start.WorkflowId) is { } run && Known(run, update.Request) is { } known)
                return (new StartResult(run, Started: false), known);
            throw Failed(e, updateFailed: live is not null);
        }
        live ??= await result.Run.StepAsync(() => UpdateCalls.Admit(result.Run, update));
        return (result, live);

        void Admit(WorkflowRun run) => live = UpdateCalls.Admit(run, update);
    }

    private static LiveUpdate? Known(WorkflowRun run, Request request)
    {
        lock (run.Gate)
            return run.Updates.Find(request.Meta.UpdateId);
    }

    private static void Require(Action check)
    {
        try
        {
            check();
        }
        catch (RpcException e)
        {
            throw Failed(e, updateFailed: false);
        }
    }

    private static RpcException Failed(RpcException error, bool updateFailed) => ServiceError.MultiOperation(
        error.StatusCode,
        "Update-with-Start could not be executed.",
        updateFailed ? [ServiceError.OperationAborted(), error] : [error, ServiceError.OperationAborted()]);
}
