using Grpc.Core;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Failure.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The run that an update was sent to is being continued by another; the update belongs to that one.</summary>
internal sealed class WorkflowContinuesException : Exception;

/// <summary>How updates end that no worker ends.</summary>
internal static class UpdateErrors
{
    public static RpcException WorkflowClosing() => ServiceError.NotFound("workflow update was aborted by closing workflow");

    public static RpcException TaskFailed() =>
        ServiceError.WorkflowNotReady("Unable to perform workflow execution update due to unexpected workflow task failure.");

    public static Failure NotProcessed() => Of(
        "UnprocessedUpdate",
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.");

    public static Failure WorkflowCompletedFirst() => Of(
        "AcceptedUpdateCompletedWorkflow",
        "Workflow Update failed because the Workflow completed before the Update completed.");

    private static Failure Of(string type, string message) => new()
    {
        Message = message,
        Source = "Server",
        ApplicationFailureInfo = new ApplicationFailureInfo { Type = type, NonRetryable = true },
    };
}
