using PlatformOps.Adapters.Codec;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.CommandLine;

/// <summary>Turns what was thrown into a message for the operator.</summary>
internal static class Failures
{
    public static CommandFailure Describe(Exception failure, Invocation invocation, CancellationToken ct) => failure switch
    {
        CommandFailure known => known,
        OperationCanceledException when ct.IsCancellationRequested => new CommandFailure(
            ExitCode.Interrupted, "Interrupted.", "", "", failure),
        RpcException { Code: RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unauthenticated } rpc => new CommandFailure(
            ExitCode.Unreachable, "The Temporal server refuses the caller.", rpc.Message,
            "Check TEMPORAL_API_KEY, the TLS certificates and TEMPORAL_NAMESPACE.", failure),
        RpcException { Code: RpcException.StatusCode.Unavailable or RpcException.StatusCode.DeadlineExceeded } rpc => new CommandFailure(
            ExitCode.Unreachable, "The Temporal server does not answer any more.", rpc.Message,
            "A run that was started goes on when the server is back: platformops status ENVIRONMENT --watch", failure),
        RpcException rpc => new CommandFailure(
            ExitCode.Failure, "The Temporal server answered with an error.", $"{rpc.Code}: {rpc.Message}",
            "Try again with --verbose for the details.", failure),
        WorkflowUpdateFailedException { InnerException: { } reason } => new CommandFailure(
            ExitCode.Refused, "The run did not accept it.", reason.Message, "platformops status ENVIRONMENT", failure),
        PayloadCodecException encrypted => new CommandFailure(
            ExitCode.Invalid, "What the Temporal server keeps cannot be decrypted.", encrypted.Message, "platformops codec keys", failure),
        UnauthorizedAccessException or IOException => new CommandFailure(
            ExitCode.Failure, "A file cannot be used.", failure.Message,
            $"Check the permissions and the free space of {invocation.Locations.Data}, or choose another directory with --data.", failure),
        _ => new CommandFailure(
            ExitCode.Failure, "platformops has failed.", $"{failure.GetType().Name}: {failure.Message}",
            "Run the command again with --verbose and report what it prints.", failure),
    };
}
