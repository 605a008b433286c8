using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Failure.V1;

namespace PlatformOps.BootstrapServer.Protocol;

/// <summary>
/// The errors of the protocol: a status code, a message, and where clients branch on the kind of error a typed detail in
/// the <c>grpc-status-details-bin</c> trailer (a <c>google.rpc.Status</c>).
/// </summary>
internal static class ServiceError
{
    public const string DetailsTrailer = "grpc-status-details-bin";

    public static RpcException InvalidArgument(string message) => Make(StatusCode.InvalidArgument, message);

    public static RpcException FailedPrecondition(string message) => Make(StatusCode.FailedPrecondition, message);

    public static RpcException Internal(string message) => Make(StatusCode.Internal, message);

    public static RpcException Unavailable(string message) => Make(StatusCode.Unavailable, message);

    public static RpcException DeadlineExceeded(string message) => Make(StatusCode.DeadlineExceeded, message);

    public static RpcException Unimplemented(string call) =>
        Make(StatusCode.Unimplemented, $"{call} is not implemented by this server. A Temporal cluster answers it: set TEMPORAL_ADDRESS to one.");

    public static RpcException NotFound(string message) => Make(StatusCode.NotFound, message, new NotFoundFailure());

    public static RpcException NamespaceNotFound(string name) =>
        Make(StatusCode.NotFound, $"Namespace {name} is not found.", new NamespaceNotFoundFailure { Namespace = name });

    public static RpcException NamespaceInvalidState(string name, NamespaceState state) => Make(
        StatusCode.FailedPrecondition,
        $"Namespace has invalid state: {state}. Must be {NamespaceState.Registered}.",
        new NamespaceInvalidStateFailure { Namespace = name, State = state, AllowedStates = { NamespaceState.Registered } });

    public static RpcException NamespaceAlreadyExists(string name) =>
        Make(StatusCode.AlreadyExists, $"Namespace {name} already exists.", new NamespaceAlreadyExistsFailure());

    public static RpcException AlreadyExists(string message) => Make(StatusCode.AlreadyExists, message);

    public static RpcException AlreadyStarted(string message, string requestId, string runId, string firstRunId) => Make(
        StatusCode.AlreadyExists,
        message,
        new WorkflowExecutionAlreadyStartedFailure { StartRequestId = requestId, RunId = runId, FirstExecutionRunId = firstRunId });

    public static RpcException WorkflowNotReady(string message) => Make(StatusCode.FailedPrecondition, message, new WorkflowNotReadyFailure());

    public static RpcException QueryFailed(string message, Failure? failure) =>
        Make(StatusCode.InvalidArgument, message, new QueryFailedFailure { Failure = failure });

    public static RpcException PermissionDenied(string message, string reason) =>
        Make(StatusCode.PermissionDenied, message, new PermissionDeniedFailure { Reason = reason });

    public static RpcException ResourceExhausted(string message, ResourceExhaustedCause cause) => Make(
        StatusCode.ResourceExhausted,
        message,
        new ResourceExhaustedFailure { Cause = cause, Scope = ResourceExhaustedScope.Namespace });

    /// <summary>One status for each operation of a failed ExecuteMultiOperation, in order.</summary>
    public static RpcException MultiOperation(StatusCode code, string message, IEnumerable<RpcException> operations)
    {
        var failure = new MultiOperationExecutionFailure();
        foreach (var operation in operations)
        {
            var status = StatusOf(operation);
            var operationStatus = new MultiOperationExecutionFailure.Types.OperationStatus { Code = status.Code, Message = status.Message };
            operationStatus.Details.AddRange(status.Details);
            failure.Statuses.Add(operationStatus);
        }
        return Make(code, message, failure);
    }

    /// <summary>The status of an operation that did not run because another of the same ExecuteMultiOperation failed.</summary>
    public static RpcException OperationAborted() =>
        Make(StatusCode.Aborted, "Operation was aborted.", new MultiOperationExecutionAborted());

    private static GrpcStatus StatusOf(RpcException error) =>
        error.Trailers.GetValueBytes(DetailsTrailer) is { } bytes
            ? GrpcStatus.Parser.ParseFrom(bytes)
            : new GrpcStatus { Code = (int)error.StatusCode, Message = error.Status.Detail };

    private static RpcException Make(StatusCode code, string message, IMessage? detail = null)
    {
        var status = new GrpcStatus { Code = (int)code, Message = message };
        if (detail is not null)
            status.Details.Add(AnyMessage.Of(detail));
        return new RpcException(new Status(code, message), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }
}
