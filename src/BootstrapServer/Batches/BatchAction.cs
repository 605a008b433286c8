using System.Security.Cryptography;
using System.Text;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Resetting;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;
using Operation = Temporalio.Api.WorkflowService.V1.StartBatchOperationRequest.OperationOneofCase;

namespace PlatformOps.BootstrapServer.Batches;

/// <summary>Applies the operation of a batch to one execution. Doing it twice to the same one does nothing more than once.</summary>
internal sealed class BatchAction(Engine engine, Namespace ns, StartBatchOperationRequest request)
{
    /// <summary>Said before a batch begins, so that it does not fail once for each execution.</summary>
    public static bool CanDo(Operation operation) => operation is Operation.SignalOperation or Operation.CancellationOperation
        or Operation.TerminationOperation or Operation.DeletionOperation or Operation.ResetOperation
        or Operation.UpdateWorkflowOptionsOperation or Operation.UnpauseActivitiesOperation or Operation.ResetActivitiesOperation
        or Operation.UpdateActivityOptionsOperation;

    /// <exception cref="Grpc.Core.RpcException">The execution refuses it.</exception>
    public async Task ApplyAsync(BatchTarget target)
    {
        var run = engine.Find(ns, new WorkflowExecution { WorkflowId = target.WorkflowId, RunId = target.RunId });
        switch (request.OperationCase)
        {
            case Operation.SignalOperation:
                var signal = request.SignalOperation;
                await run.StepAsync(() => Incoming.Signal(run, signal.Signal, signal.Input, signal.Header, signal.Identity, RequestId(run, signal.Signal)));
                break;
            case Operation.CancellationOperation:
                await run.StepAsync(() => Incoming.Cancel(run, request.Reason, request.CancellationOperation.Identity, RequestId(run, "cancel")));
                break;
            case Operation.TerminationOperation:
                await run.StepAsync(() =>
                {
                    run.RequireOpen();
                    run.Closing.Terminate(request.Reason, request.TerminationOperation.Details, request.TerminationOperation.Identity);
                });
                break;
            case Operation.UpdateWorkflowOptionsOperation:
                var update = request.UpdateWorkflowOptionsOperation;
                await run.StepAsync(() => WorkflowOptions.Update(run, update.WorkflowExecutionOptions, update.UpdateMask, update.Identity));
                break;
            case Operation.DeletionOperation:
                await engine.Deleter.DeleteAsync(run, request.DeletionOperation.Identity);
                break;
            case Operation.ResetOperation:
                await ResetAsync(run);
                break;
            case Operation.UnpauseActivitiesOperation:
                var unpause = request.UnpauseActivitiesOperation;
                await ActivityControl.UnpauseAsync(run, Which(unpause.Type, unpause.MatchAll), unpause.ResetAttempts, unpause.ResetHeartbeat, unpause.Jitter);
                break;
            case Operation.ResetActivitiesOperation:
                var again = request.ResetActivitiesOperation;
                await ActivityControl.ResetAsync(run, Which(again.Type, again.MatchAll), again.ResetHeartbeat, again.KeepPaused, again.RestoreOriginalOptions, again.Jitter);
                break;
            case Operation.UpdateActivityOptionsOperation:
                var change = request.UpdateActivityOptionsOperation;
                await ActivityControl.ChangeAsync(run, Which(change.Type, change.MatchAll), change.ActivityOptions, change.UpdateMask, change.RestoreOriginal);
                break;
            default:
                throw new InvalidOperationException($"A batch began with {request.OperationCase}.");
        }
    }

    private static WhichActivities Which(string type, bool all) => new(null, type.Length > 0 ? type : null, all);

    private async Task ResetAsync(WorkflowRun run)
    {
        var reset = request.ResetOperation;
#pragma warning disable CS0612 // Deprecated, and still sent by older clients.
        var (origin, eventId) = reset.Options is { } options ? await ResetPointFinder.FindAsync(run, options) : await ResetPointFinder.FindAsync(run, reset.ResetType);
        var asked = new ResetWorkflowExecutionRequest
        {
            Namespace = request.Namespace,
            WorkflowExecution = new WorkflowExecution { WorkflowId = origin.WorkflowId, RunId = origin.RunId },
            Reason = request.Reason,
            RequestId = RequestId(run, "reset"),
            WorkflowTaskFinishEventId = eventId,
            ResetReapplyType = reset.Options?.ResetReapplyType ?? reset.ResetReapplyType,
            ResetReapplyExcludeTypes = { reset.Options?.ResetReapplyExcludeTypes ?? [] },
            PostResetOperations = { reset.PostResetOperations },
            Identity = reset.Identity,
        };
#pragma warning restore CS0612
        await engine.Resetter.ResetAsync(ns, asked);
    }

    /// <summary>The same for every try of the same execution, so that a batch that goes on after a crash is heard once.</summary>
    private string RequestId(WorkflowRun run, string what) =>
        new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{request.JobId}:{what}:{run.WorkflowId}:{run.RunId}")).AsSpan(0, 16)).ToString();
}
