using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Namespaces;

/// <summary>Keeps calls out of a namespace that is being handed over, as the real server does: they wait, and are refused when the caller's time is nearly over. What looks at namespaces and lists goes on.
/// A poll that waited already when the namespace was closed goes on waiting, and may be given a task.</summary>
internal sealed class HandoverGate(NamespaceDirectory namespaces) : Interceptor
{
    /// <summary>Callers hear of it before they give up.</summary>
    private static readonly TimeSpan TailRoom = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a call without deadline waits.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    private static readonly HashSet<string> Allowed =
    [
        "GetSystemInfo", "GetSearchAttributes", "GetClusterInfo", "DeprecateNamespace", "DescribeNamespace", "UpdateNamespace", "ListNamespaces", "RegisterNamespace",
        "ListTaskQueuePartitions", "ListOpenWorkflowExecutions", "ListClosedWorkflowExecutions", "ListWorkflowExecutions", "ListArchivedWorkflowExecutions", "ScanWorkflowExecutions",
        "CountWorkflowExecutions", "ListSchedules", "ListBatchOperations", "ShutdownWorker",
    ];

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var name = NamespaceOf((IMessage)request);
        if (name is not null && IsClosed(name) && !Allowed.Contains(context.Method[(context.Method.LastIndexOf('/') + 1)..]))
            await OpenAsync(name, context);
        return await continuation(request, context);
    }

    private async Task OpenAsync(string name, ServerCallContext context)
    {
        var now = TimeProvider.System.GetUtcNow();
        var until = context.Deadline == DateTime.MaxValue ? now + LongestWait : new DateTimeOffset(context.Deadline.ToUniversalTime()) - TailRoom;
        while (IsClosed(name))
        {
            if (TimeProvider.System.GetUtcNow() >= until)
                throw ServiceError.Unavailable($"Namespace replication in {ReplicationState.Handover} state.");
            await Task.Delay(BetweenLooks, TimeProvider.System, context.CancellationToken);
        }
    }

    private bool IsClosed(string name) => namespaces.Find(name) is { Description: { IsGlobalNamespace: true, ReplicationConfig.State: ReplicationState.Handover } };

    private static string? NamespaceOf(IMessage request) =>
        request.Descriptor.FindFieldByName("namespace") is { FieldType: FieldType.String } field && field.Accessor.GetValue(request) is string { Length: > 0 } name ? name : null;
}
