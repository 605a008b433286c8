using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Api;

/// <summary>Which object or collection a path names.</summary>
/// <param name="Namespace">Null: a cluster-scoped object, or a collection over all namespaces.</param>
/// <param name="Name">Null: the collection.</param>
internal sealed record ApiRequest(ResourceKind Kind, string? Namespace, string? Name, string Subresource)
{
    /// <summary>Null when the path names nothing that is served.</summary>
    public static ApiRequest? Parse(string path, KindRegistry kinds)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string group, version;
        string[] rest;
        if (parts is ["api", var core, .. var inCore])
            (group, version, rest) = ("", core, inCore);
        else if (parts is ["apis", var named, var served, .. var inGroup])
            (group, version, rest) = (named, served, inGroup);
        else
            return null;

        // "namespaces/x/status" is about the namespace, "namespaces/x/pods" about what is in it.
        if (rest is ["namespaces", var space, var plural, .. var more] && !(group.Length == 0 && plural is "status" or "finalize"))
            return Resource(kinds.Find(group, version, plural), space, more);
        return rest is [var resource, .. var tail] ? Resource(kinds.Find(group, version, resource), null, tail) : null;
    }

    private static ApiRequest? Resource(ResourceKind? kind, string? space, string[] tail)
    {
        if (kind is null || (space is not null && !kind.Namespaced) || tail.Length > 2)
            return null;
        return kind.Namespaced && space is null && tail.Length > 0
            ? null
            : new(kind, space, tail.ElementAtOrDefault(0), tail.ElementAtOrDefault(1) ?? "");
    }
}
