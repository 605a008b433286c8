using PlatformOps.BootstrapServer.Executions.Resetting;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Operation = Temporalio.Api.WorkflowService.V1.StartBatchOperationRequest.OperationOneofCase;

namespace PlatformOps.BootstrapServer.Batches;

/// <summary>What a batch operation asks for: what is wrong with it, what kind it is, and whom it means.</summary>
internal static class BatchRequest
{
    private const string StillOpen = "ExecutionStatus = 'Running' OR ExecutionStatus = 'Paused'";
    private const string WhichActivities = "Either activity type must be set, or match all should be set to true";

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT that says what is missing, or does not go together.</exception>
    public static void Check(StartBatchOperationRequest request)
    {
#pragma warning disable CS0612 // Deprecated, and still what clients send.
        int[] selectors = [request.VisibilityQuery.Length, request.Executions.Count, request.TargetExecutions.Count];
#pragma warning restore CS0612
        if (request.OperationCase == Operation.None || request.Reason.Length == 0 || selectors.All(s => s == 0))
            throw ServiceError.InvalidArgument("must provide required parameters: an operation, Reason, Namespace, and one of VisibilityQuery, Executions or TargetExecutions");
        if (request.JobId.Length == 0)
            throw ServiceError.InvalidArgument("JobId is not set on request.");
        if (selectors.Count(s => s > 0) > 1)
            throw ServiceError.InvalidArgument("visibility query, executions, and target executions are mutually exclusive");
        if (request.TargetExecutions.FirstOrDefault(e => e.Type != ExecutionType.Workflow) is { } other)
            throw ServiceError.InvalidArgument($"target_executions has one of type {other.Type}, but operation {request.OperationCase} requires {ExecutionType.Workflow}");
        if (Problem(request) is { } problem)
            throw ServiceError.InvalidArgument(problem);
        if (!BatchAction.CanDo(request.OperationCase))
            throw ServiceError.InvalidArgument($"The operation type {request.OperationCase} is not supported by this server.");
    }

    /// <summary>Lists know six kinds under two names; the real server answers with the newer one.</summary>
    public static BatchOperationType TypeOf(StartBatchOperationRequest request) => request.OperationCase switch
    {
        Operation.TerminationOperation => BatchOperationType.TerminateWorkflow,
        Operation.SignalOperation => BatchOperationType.SignalWorkflow,
        Operation.CancellationOperation => BatchOperationType.CancelWorkflow,
        Operation.DeletionOperation => BatchOperationType.DeleteWorkflow,
        Operation.ResetOperation => BatchOperationType.ResetWorkflow,
        Operation.UpdateWorkflowOptionsOperation => BatchOperationType.UpdateWorkflowExecutionOptions,
        Operation.UnpauseActivitiesOperation => BatchOperationType.UnpauseActivity,
        Operation.ResetActivitiesOperation => BatchOperationType.ResetActivity,
        Operation.UpdateActivityOptionsOperation => BatchOperationType.UpdateActivityOptions,
        _ => BatchOperationType.Unspecified,
    };

    public static string IdentityOf(StartBatchOperationRequest request) => request.OperationCase switch
    {
        Operation.TerminationOperation => request.TerminationOperation.Identity,
        Operation.SignalOperation => request.SignalOperation.Identity,
        Operation.CancellationOperation => request.CancellationOperation.Identity,
        Operation.DeletionOperation => request.DeletionOperation.Identity,
        Operation.ResetOperation => request.ResetOperation.Identity,
        Operation.UpdateWorkflowOptionsOperation => request.UpdateWorkflowOptionsOperation.Identity,
        Operation.UnpauseActivitiesOperation => request.UnpauseActivitiesOperation.Identity,
        Operation.ResetActivitiesOperation => request.ResetActivitiesOperation.Identity,
        Operation.UpdateActivityOptionsOperation => request.UpdateActivityOptionsOperation.Identity,
        _ => "",
    };

    /// <summary>The filter of the executions it applies to; what only open ones can take leaves closed ones out.</summary>
    public static string Filter(StartBatchOperationRequest request) =>
        request.OperationCase is Operation.DeletionOperation or Operation.ResetOperation
            ? request.VisibilityQuery
            : $"({request.VisibilityQuery}) AND ({StillOpen})";

    /// <summary>The executions that it names itself.</summary>
    public static IEnumerable<Temporalio.Api.Common.V1.Execution> Named(StartBatchOperationRequest request) =>
#pragma warning disable CS0612 // Deprecated, and still what clients send.
        request.TargetExecutions.Concat(request.Executions.Select(e =>
            new Temporalio.Api.Common.V1.Execution { Type = ExecutionType.Workflow, BusinessId = e.WorkflowId, RunId = e.RunId }));
#pragma warning restore CS0612

    private static string? Problem(StartBatchOperationRequest request) => request.OperationCase switch
    {
        Operation.SignalOperation when request.SignalOperation.Signal.Length == 0 => "must provide signal name",
        Operation.UpdateWorkflowOptionsOperation when request.UpdateWorkflowOptionsOperation.WorkflowExecutionOptions is null => "must provide UpdateOptions",
        Operation.UpdateWorkflowOptionsOperation when request.UpdateWorkflowOptionsOperation.UpdateMask is null => "must provide UpdateMask",
        Operation.ResetOperation => ResetProblem(request.ResetOperation),
        Operation.UnpauseActivitiesOperation => ActivityProblem(request.UnpauseActivitiesOperation.Type, request.UnpauseActivitiesOperation.MatchAll),
        Operation.ResetActivitiesOperation => ActivityProblem(request.ResetActivitiesOperation.Type, request.ResetActivitiesOperation.MatchAll),
        Operation.UpdateActivityOptionsOperation => UpdateActivityProblem(request.UpdateActivityOptionsOperation),
        Operation.TerminateActivitiesOperation or Operation.CancelActivitiesOperation or Operation.DeleteActivitiesOperation =>
            $"The operation type {request.OperationCase} is not supported for this namespace",
        _ => null,
    };

    private static string? ResetProblem(Temporalio.Api.Batch.V1.BatchOperationReset reset)
    {
        PostResetOperations.Check(reset.PostResetOperations);
        if (reset.Options is { } options)
            return options.TargetCase == Temporalio.Api.Common.V1.ResetOptions.TargetOneofCase.None ? "batch reset missing target" : null;
#pragma warning disable CS0612 // Deprecated, and still sent by older clients.
        return reset.ResetType is ResetType.FirstWorkflowTask or ResetType.LastWorkflowTask ? null : $"unknown batch reset type {reset.ResetType}";
#pragma warning restore CS0612
    }

    private static string? ActivityProblem(string type, bool all) => type.Length > 0 || all ? null : WhichActivities;

    private static string? UpdateActivityProblem(Temporalio.Api.Batch.V1.BatchOperationUpdateActivityOptions update) =>
        update is { ActivityOptions: not null, RestoreOriginal: true } ? "cannot set both activity options and restore original"
        : update is { ActivityOptions: null, RestoreOriginal: false } ? "Either activity options must be set, or restore original should be set to true"
        : ActivityProblem(update.Type, update.MatchAll);
}
