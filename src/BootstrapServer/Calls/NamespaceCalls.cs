using Grpc.Core;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Namespaces.</summary>
internal sealed class NamespaceCalls(NamespaceDirectory namespaces) : IProtocolCalls
{
    private const int DefaultPage = 100;

    public string Service => WorkflowServiceName.Name;

    public async Task<RegisterNamespaceResponse> RegisterNamespace(RegisterNamespaceRequest request, ServerCallContext context)
    {
        await namespaces.RegisterAsync(request);
        return new RegisterNamespaceResponse();
    }

    public Task<DescribeNamespaceResponse> DescribeNamespace(DescribeNamespaceRequest request, ServerCallContext context)
    {
        if ((request.Id.Length > 0) == (request.Namespace.Length > 0))
            throw ServiceError.InvalidArgument(request.Id.Length > 0 ? "GetNamespace operation failed. Both ID and Name specified in request." : "Namespace is not set on request.");
        var found = request.Id.Length > 0 ? namespaces.FindById(request.Id) : namespaces.Find(request.Namespace);
        return Task.FromResult(found?.Description ?? throw ServiceError.NamespaceNotFound(request.Id + request.Namespace));
    }

    public Task<ListNamespacesResponse> ListNamespaces(ListNamespacesRequest request, ServerCallContext context)
    {
        var all = namespaces.All.Where(n => n.State != NamespaceState.Deleted || request.NamespaceFilter?.IncludeDeleted == true);
        var (page, next) = PageToken.Take(all, n => n.Name, request.NextPageToken, request.PageSize > 0 ? request.PageSize : DefaultPage);
        return Task.FromResult(new ListNamespacesResponse { Namespaces = { page.Select(n => n.Description) }, NextPageToken = next });
    }

    public async Task<UpdateNamespaceResponse> UpdateNamespace(UpdateNamespaceRequest request, ServerCallContext context)
    {
        var updated = (await namespaces.UpdateAsync(request)).Description;
        return new UpdateNamespaceResponse
        {
            NamespaceInfo = updated.NamespaceInfo,
            Config = updated.Config,
            ReplicationConfig = updated.ReplicationConfig,
            IsGlobalNamespace = updated.IsGlobalNamespace,
        };
    }

    public async Task<DeprecateNamespaceResponse> DeprecateNamespace(DeprecateNamespaceRequest request, ServerCallContext context)
    {
        await namespaces.DeprecateAsync(request.Namespace);
        return new DeprecateNamespaceResponse();
    }
}
