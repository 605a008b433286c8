using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Namespaces.</summary>
internal sealed class NamespaceCalls(NamespaceDirectory namespaces) : IProtocolCalls
{
    private const int DefaultPage = 100;

    public ServiceDescriptor Service => WorkflowServiceName.Descriptor;

    public async Task<RegisterNamespaceResponse> RegisterNamespace(RegisterNamespaceRequest request, ServerCallContext context)
    {
        await namespaces.RegisterAsync(request);
        return new RegisterNamespaceResponse();
    }

    public Task<DescribeNamespaceResponse> DescribeNamespace(DescribeNamespaceRequest request, ServerCallContext context)
    {
        var found = request.Id.Length > 0
            ? namespaces.FindById(request.Id) ?? throw ServiceError.NamespaceNotFound(request.Id)
            : namespaces.Get(request.Namespace);
        return Task.FromResult(found.Description);
    }

    public Task<ListNamespacesResponse> ListNamespaces(ListNamespacesRequest request, ServerCallContext context)
    {
        var skip = request.NextPageToken.IsEmpty ? 0 : int.Parse(request.NextPageToken.ToStringUtf8(), CultureInfo.InvariantCulture);
        var size = request.PageSize > 0 ? request.PageSize : DefaultPage;
        var all = namespaces.All.ToList();
        var response = new ListNamespacesResponse { Namespaces = { all.Skip(skip).Take(size).Select(n => n.Description) } };
        if (skip + size < all.Count)
            response.NextPageToken = ByteString.CopyFromUtf8((skip + size).ToString(CultureInfo.InvariantCulture));
        return Task.FromResult(response);
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
