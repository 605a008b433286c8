using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Updating workflows, and waiting for updates.</summary>
internal sealed class UpdateCalls(Engine engine) : IProtocolCalls
{
    private const int FailingAttempts = 3;

    public string Service => WorkflowServiceName.Name;

    public async Task<UpdateWorkflowExecutionResponse> UpdateWorkflowExecution(UpdateWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        Check(request, engine.Limits);
        while (true)
        {
            var run = engine.Find(ns, request.WorkflowExecution);
            var update = await run.StepAsync(() => Admit(run, request));
            try
            {
                return await AnswerAsync(run, update, request, context);
            }
            catch (WorkflowContinuesException)
            {
                // The run was continued before its worker saw the update: the next run gets it, unless the caller named this one.
                if (request.WorkflowExecution.RunId.Length > 0)
                    throw UpdateErrors.WorkflowClosing();
            }
        }
    }

    public async Task<PollWorkflowExecutionUpdateResponse> PollWorkflowExecutionUpdate(PollWorkflowExecutionUpdateRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.UpdateRef is not { UpdateId.Length: > 0 } reference)
            throw ServiceError.InvalidArgument("UpdateRef is not set on request.");
        var run = engine.Find(ns, reference.WorkflowExecution);
        LiveUpdate? update;
        lock (run.Gate)
            update = run.Updates.Find(reference.UpdateId);
        if (update is null)
            throw ServiceError.NotFound($"update \"{reference.UpdateId}\" not found");
        var wanted = request.WaitPolicy?.LifecycleStage ?? UpdateWorkflowExecutionLifecycleStage.Unspecified;
        try
        {
            var (stage, outcome) = await update.WaitAsync(wanted, RequestChecks.Patience(context), context.CancellationToken);
            await engine.Store.Flushed();
            return new PollWorkflowExecutionUpdateResponse { Stage = stage, Outcome = outcome, UpdateRef = Reference(run, update.Id) };
        }
        catch (WorkflowContinuesException)
        {
            throw UpdateErrors.WorkflowClosing();
        }
    }

    public static void Check(UpdateWorkflowExecutionRequest request, ServerLimits limits)
    {
        RequestChecks.Execution(request.WorkflowExecution);
        if (request.Request is null)
            throw ServiceError.InvalidArgument("Request is not set on request.");
        request.Request.Meta ??= new Meta();
        if (request.Request.Meta.UpdateId.Length == 0)
            request.Request.Meta.UpdateId = Guid.NewGuid().ToString();
        RequestChecks.Id(request.Request.Meta.UpdateId, "UpdateId");
        if (request.Request.Input is not { Name.Length: > 0 })
            throw ServiceError.InvalidArgument("Update name is not set on request.");
        limits.RequireSize(request.Request.Input.Args, "UpdateInput");
        if (request.WaitPolicy?.LifecycleStage is null or UpdateWorkflowExecutionLifecycleStage.Unspecified)
            request.WaitPolicy = new WaitPolicy { LifecycleStage = UpdateWorkflowExecutionLifecycleStage.Accepted };
        if (request.WaitPolicy.LifecycleStage == UpdateWorkflowExecutionLifecycleStage.Admitted)
            throw ServiceError.InvalidArgument("update wait stage ADMITTED is not supported: an update is not durable before it is accepted");
    }

    /// <summary>Takes the update in. Runs within a step of the run.</summary>
    public static LiveUpdate Admit(WorkflowRun run, UpdateWorkflowExecutionRequest request)
    {
        Incoming.RequireChain(run, request.FirstExecutionRunId);
        if (!run.IsOpen)
            return run.Updates.Find(request.Request.Meta.UpdateId) ?? throw ServiceError.NotFound("workflow execution already completed");
        if (run.State.Pause is not null)
            throw ServiceError.FailedPrecondition("Workflow is paused. Cannot update the workflow.");
        if (run.WorkflowTasks.Current.Attempt >= FailingAttempts)
            throw ServiceError.WorkflowNotReady("Unable to perform workflow execution update due to Workflow Task in failed state.");
        return run.Updates.Admit(request.Request);
    }

    /// <summary>Waits for the stage that the caller wants, or as long as it makes sense.</summary>
    public async Task<UpdateWorkflowExecutionResponse> AnswerAsync(WorkflowRun run, LiveUpdate update, UpdateWorkflowExecutionRequest request, ServerCallContext context)
    {
        var (stage, outcome) = await update.WaitAsync(request.WaitPolicy.LifecycleStage, RequestChecks.Patience(context), context.CancellationToken);
        await engine.Store.Flushed();
        return new UpdateWorkflowExecutionResponse
        {
            UpdateRef = Reference(run, update.Id),
            Stage = stage,
            Outcome = outcome,
            Link = stage is UpdateWorkflowExecutionLifecycleStage.Admitted || update.AcceptedEventId == 0
                ? null
                : Links.Event(run.Namespace, run, request.Request.RequestId, EventType.WorkflowExecutionUpdateAccepted),
        };
    }

    private static UpdateRef Reference(WorkflowRun run, string updateId) => new()
    {
        UpdateId = updateId,
        WorkflowExecution = new WorkflowExecution { WorkflowId = run.WorkflowId, RunId = run.RunId },
    };
}
