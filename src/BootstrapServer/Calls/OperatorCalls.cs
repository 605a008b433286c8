using Google.Protobuf.Reflection;
using Grpc.Core;
using PlatformOps.BootstrapServer.Batches;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.SearchAttributeTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.OperatorService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What operators do: search attributes, and the end of namespaces.</summary>
internal sealed class OperatorCalls(Engine engine, BatchDirectory batches) : IProtocolCalls
{
    public ServiceDescriptor Service => OperatorServiceName.Descriptor;

    public async Task<AddSearchAttributesResponse> AddSearchAttributes(AddSearchAttributesRequest request, ServerCallContext context)
    {
        if (request.SearchAttributes.Count == 0)
            throw ServiceError.InvalidArgument("SearchAttributes are not set on request.");
        foreach (var (name, type) in request.SearchAttributes)
        {
            if (type == IndexedValueType.Unspecified || !Enum.IsDefined(type))
                throw ServiceError.InvalidArgument($"Unable to parse search attribute type of {name}: {type}.");
            if (SearchAttributeRegistry.System.ContainsKey(name) || SearchAttributeRegistry.Predefined.ContainsKey(name))
                throw ServiceError.InvalidArgument($"Search attribute {name} is reserved by system.");
        }
        foreach (var (name, type) in request.SearchAttributes)
            await engine.SearchAttributes.AddAsync(name, type);
        return new AddSearchAttributesResponse();
    }

    public Task<ListSearchAttributesResponse> ListSearchAttributes(ListSearchAttributesRequest request, ServerCallContext context)
    {
        var response = new ListSearchAttributesResponse();
        foreach (var (name, type) in SearchAttributeRegistry.System.Concat(SearchAttributeRegistry.Predefined))
            response.SystemAttributes[name] = type;
        foreach (var (name, type) in engine.SearchAttributes.Custom)
            response.CustomAttributes[name] = type;
        return Task.FromResult(response);
    }

    public async Task<RemoveSearchAttributesResponse> RemoveSearchAttributes(RemoveSearchAttributesRequest request, ServerCallContext context)
    {
        foreach (var name in request.SearchAttributes)
        {
            if (!engine.SearchAttributes.Custom.ContainsKey(name))
                throw ServiceError.NotFound($"Search attribute {name} does not exist, or is not a custom one.");
        }
        foreach (var name in request.SearchAttributes)
            await engine.SearchAttributes.RemoveAsync(name);
        return new RemoveSearchAttributesResponse();
    }

    public async Task<DeleteNamespaceResponse> DeleteNamespace(DeleteNamespaceRequest request, ServerCallContext context)
    {
        var target = request.NamespaceId.Length > 0
            ? engine.Namespaces.FindById(request.NamespaceId) ?? throw ServiceError.NamespaceNotFound(request.NamespaceId)
            : engine.Namespaces.Get(request.Namespace);
        if (target.Name == NamespaceDirectory.SystemNamespace)
            throw ServiceError.FailedPrecondition($"Namespace {target.Name} is the server's own and cannot be deleted.");
        await batches.DeleteAllAsync(target);
        await engine.Schedules.DeleteAllAsync(target);
        await engine.Deleter.DeleteAllAsync(target);
        await engine.Matching.DeleteConfigsAsync(target);
        await engine.Namespaces.DeleteAsync(target);
        return new DeleteNamespaceResponse { DeletedNamespace = target.Name };
    }
}
