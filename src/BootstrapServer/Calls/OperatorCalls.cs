using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Executions.Deleting;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.OperatorService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What operators do: search attributes, the end of namespaces, and what clusters there are.</summary>
internal sealed class OperatorCalls(Engine engine, NamespaceRemoval removal) : IProtocolCalls
{
    public const string ClusterId = "platformops-bootstrap";

    public string Service => OperatorServiceName.Name;

    public async Task<AddSearchAttributesResponse> AddSearchAttributes(AddSearchAttributesRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.SearchAttributes.Count == 0)
            throw ServiceError.InvalidArgument("SearchAttributes are not set on request.");
        foreach (var (name, type) in request.SearchAttributes)
        {
            if (IsReserved(name))
                throw ServiceError.InvalidArgument($"Search attribute {name} is reserved by system.");
            if (type == IndexedValueType.Unspecified || !Enum.IsDefined(type))
                throw ServiceError.InvalidArgument($"Unknown search attribute type of {name}: {type}.");
        }
        foreach (var (name, type) in request.SearchAttributes)
            await engine.SearchAttributes.AddAsync(ns.Id, name, type);
        return new AddSearchAttributesResponse();
    }

    public Task<ListSearchAttributesResponse> ListSearchAttributes(ListSearchAttributesRequest request, ServerCallContext context)
    {
        var response = new ListSearchAttributesResponse();
        foreach (var (name, type) in SearchAttributeRegistry.System.Concat(SearchAttributeRegistry.Predefined))
            response.SystemAttributes[name] = type;
        foreach (var (name, type) in engine.SearchAttributes.CustomOf(engine.Namespaces.Get(request.Namespace).Id))
            response.CustomAttributes[name] = type;
        return Task.FromResult(response);
    }

    /// <summary>One that is not there needs no removal.</summary>
    public async Task<RemoveSearchAttributesResponse> RemoveSearchAttributes(RemoveSearchAttributesRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.SearchAttributes.Count == 0)
            throw ServiceError.InvalidArgument("SearchAttributes are not set on request.");
        if (request.SearchAttributes.FirstOrDefault(IsReserved) is { } reserved)
            throw ServiceError.InvalidArgument($"Unable to remove non-custom search attributes: {reserved}.");
        foreach (var name in request.SearchAttributes)
            await engine.SearchAttributes.RemoveAsync(ns.Id, name);
        return new RemoveSearchAttributesResponse();
    }

    public async Task<DeleteNamespaceResponse> DeleteNamespace(DeleteNamespaceRequest request, ServerCallContext context)
    {
        if (request.Namespace.Length > 0 && request.NamespaceId.Length > 0)
            throw ServiceError.InvalidArgument("only one of namespace or namespace ID must be set");
        if (request.Namespace.Length + request.NamespaceId.Length == 0)
            throw ServiceError.InvalidArgument("namespace or namespace ID is required");
        var asked = request.Namespace + request.NamespaceId;
        var target = (request.NamespaceId.Length > 0 ? engine.Namespaces.FindById(asked) : engine.Namespaces.Find(asked)) ?? throw ServiceError.NamespaceNotFound(asked);
        if (target.Name == NamespaceDirectory.SystemNamespace)
            throw ServiceError.FailedPrecondition("unable to delete system namespace");
        return new DeleteNamespaceResponse { DeletedNamespace = (await removal.BeginAsync(target)).Name };
    }

    /// <summary>This one; no other can be connected.</summary>
    public Task<ListClustersResponse> ListClusters(ListClustersRequest request, ServerCallContext context) => Task.FromResult(new ListClustersResponse
    {
        Clusters =
        {
            new ClusterMetadata
            {
                ClusterName = engine.Namespaces.Cluster,
                ClusterId = ClusterId,
                Address = context.Host,
                InitialFailoverVersion = engine.Namespaces.InitialFailoverVersion,
                HistoryShardCount = 1,
                IsConnectionEnabled = true,
            },
        },
    });

    private static bool IsReserved(string name) => SearchAttributeRegistry.System.ContainsKey(name) || SearchAttributeRegistry.Predefined.ContainsKey(name)
        || name.StartsWith("Temporal", StringComparison.Ordinal);
}
