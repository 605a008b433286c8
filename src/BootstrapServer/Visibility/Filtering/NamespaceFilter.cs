using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.SearchAttributeTypes;

namespace PlatformOps.BootstrapServer.Visibility.Filtering;

/// <summary>A filter as a call of a namespace gets it: with the search attributes that exist there.</summary>
internal static class NamespaceFilter
{
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT that says what is wrong, and where.</exception>
    public static ListFilter Parse(SearchAttributeRegistry registry, Namespace ns, string query)
    {
        try
        {
            return FilterParser.Parse(query, name => registry.TypeOf(ns.Id, name) is { } type ? new AttributeReader(name, type) : null);
        }
        catch (FilterException e)
        {
            throw ServiceError.InvalidArgument($"{e.Message} (namespace {ns.Name})");
        }
    }
}
