using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Where a kind is found.</summary>
/// <param name="Root">For example <c>/apis/apps/v1</c>.</param>
/// <param name="Resource">For example <c>deployments</c>.</param>
internal sealed record ServedKind(string Root, string Resource, bool Namespaced)
{
    /// <summary>The path of one object, or of the collection when there is no name.</summary>
    public string Path(string? space, string? name) =>
        Root + (Namespaced && space is not null ? $"/namespaces/{Uri.EscapeDataString(space)}" : "") + $"/{Resource}" + (name is null ? "" : $"/{Uri.EscapeDataString(name)}");
}

/// <summary>What the API server serves, by its discovery documents. What was found is remembered as long as the connection lives; what was not found
/// is asked for again, since a definition may have been installed meanwhile.</summary>
internal sealed class ServedKinds(KubernetesConnection connection, KubernetesFailures failures)
{
    private readonly ConcurrentDictionary<ObjectKind, ServedKind> found = new();

    /// <exception cref="AdapterException">The kind is not served.</exception>
    public async Task<ServedKind> FindAsync(ObjectKind kind, CancellationToken ct) =>
        await FindOrNullAsync(kind, ct) ?? throw failures.NotServed(kind.ApiVersion, kind.Kind);

    /// <summary>Null when the API server says itself that it does not serve the kind.</summary>
    public async Task<ServedKind?> FindOrNullAsync(ObjectKind kind, CancellationToken ct)
    {
        if (found.TryGetValue(kind, out var known))
            return known;
        var root = kind.ApiVersion.Contains('/', StringComparison.Ordinal) ? $"/apis/{kind.ApiVersion}" : $"/api/{kind.ApiVersion}";
        if (root.StartsWith("/apis/", StringComparison.Ordinal) && !await ServesGroupAsync(kind.ApiVersion, ct))
            return null;
        var answer = await connection.SendAsync(ApiCall.Get(root, "get", $"the resources of {kind.ApiVersion}"), ct);
        foreach (var resource in Items(answer.Body, "resources").Where(resource => !((string)resource["name"]!).Contains('/', StringComparison.Ordinal)))
            found.TryAdd(new(kind.ApiVersion, (string)resource["kind"]!), new(root, (string)resource["name"]!, (bool)resource["namespaced"]!));
        return found.GetValueOrDefault(kind);
    }

    /// <summary>Whether a kind that was served is served no more, as when its definition was removed: then nothing of it is left.</summary>
    public async Task<bool> IsGoneAsync(ObjectKind kind, CancellationToken ct)
    {
        found.TryRemove(kind, out _);
        return await FindOrNullAsync(kind, ct) is null;
    }

    /// <summary>By the list of all groups: the document of one that is not served is answered with a page that proves nothing.</summary>
    private async Task<bool> ServesGroupAsync(string apiVersion, CancellationToken ct)
    {
        var groups = await connection.SendAsync(ApiCall.Get("/apis", "get", "the list of API groups"), ct);
        return Items(groups.Body, "groups").SelectMany(group => Items(group, "versions")).Any(version => (string?)version["groupVersion"] == apiVersion);
    }

    private static IEnumerable<JsonObject> Items(JsonObject of, string name) => (of[name] as JsonArray ?? []).OfType<JsonObject>();
}
