using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Command.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>Holds keys that are for some namespaces to these: in requests, in the task tokens of workers and in what workflows ask for.</summary>
internal sealed class NamespaceLimit(NamespaceDirectory namespaces) : Interceptor
{
    private const string WorkflowService = "/temporal.api.workflowservice.v1.WorkflowService/";

    /// <summary>Calls without a namespace that tell no more than what kind of server it is.</summary>
    private static readonly HashSet<string> Harmless = [WorkflowService + "GetSystemInfo", WorkflowService + "GetClusterInfo"];

    /// <summary>Calls on the namespace itself: whoever works in it does not administer it.</summary>
    private static readonly HashSet<string> Administration =
        [WorkflowService + "RegisterNamespace", WorkflowService + "UpdateNamespace", WorkflowService + "DeprecateNamespace"];

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (AccessGate.ScopeOf(context.GetHttpContext())?.Namespaces is { } allowed && !Harmless.Contains(context.Method) && !Allows(allowed, context.Method, (IMessage)request))
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"The API key is for namespace {string.Join(", ", allowed.Order())} and does not allow {context.Method}."));
        return continuation(request, context);
    }

    private bool Allows(IReadOnlySet<string> allowed, string method, IMessage request)
    {
        if (!method.StartsWith(WorkflowService, StringComparison.Ordinal) || Administration.Contains(method))
            return false;
        if (Text(request, "namespace") is not { Length: > 0 } name || !allowed.Contains(name))
            return false;
        return TokenFits(request, name) && Nested(request).All(inside => inside.Length == 0 || allowed.Contains(inside));
    }

    private bool TokenFits(IMessage request, string name) =>
        request.Descriptor.FindFieldByName("task_token")?.Accessor.GetValue(request) is not ByteString { Length: > 0 } token
        || namespaces.FindById(TaskToken.Decode(token).NamespaceId)?.Name == name;

    /// <summary>Namespaces that are named further inside.</summary>
    private static IEnumerable<string> Nested(IMessage request) => request switch
    {
        RespondWorkflowTaskCompletedRequest completed => completed.Commands.Select(Target),
        ExecuteMultiOperationRequest several => several.Operations.SelectMany(o => new[] { o.StartWorkflow?.Namespace ?? "", o.UpdateWorkflow?.Namespace ?? "" }),
        _ => [],
    };

#pragma warning disable CS0612 // Deprecated, and still honoured.
    private static string Target(Command command) =>
        command.StartChildWorkflowExecutionCommandAttributes?.Namespace
        ?? command.SignalExternalWorkflowExecutionCommandAttributes?.Namespace
        ?? command.RequestCancelExternalWorkflowExecutionCommandAttributes?.Namespace
        ?? "";
#pragma warning restore CS0612

    private static string? Text(IMessage message, string field) =>
        message.Descriptor.FindFieldByName(field) is { FieldType: FieldType.String } found ? (string)found.Accessor.GetValue(message) : null;
}
