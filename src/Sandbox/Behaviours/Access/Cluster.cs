using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>The cluster as the controllers see it: a current copy of every object, and writes that show in the copy as soon as they are answered.</summary>
internal sealed class Cluster(ClusterClient client) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ApiResource, WatchCache> _caches = new();
    private readonly ConcurrentDictionary<(string ApiVersion, string Kind), ApiResource> _kinds = new();

    public ClusterClient Client => client;

    /// <summary>The server's minor version, for example 32: older ones do not know every status field.</summary>
    public int Minor { get; private set; }

    public IEnumerable<WatchCache> Caches => _caches.Values;

    /// <summary>Raised for every kind that is served, before its first list is read.</summary>
    public event Action<WatchCache>? Served;

    public bool Serves(ApiResource resource) => _caches.ContainsKey(resource);

    /// <summary>The objects of a kind. Throws when the server does not serve it.</summary>
    public WatchCache Of(ApiResource resource) =>
        _caches.GetValueOrDefault(resource)
        ?? throw new InvalidOperationException($"The API server does not serve {resource} ({resource.ApiVersion}), which the behaviours need.");

    /// <summary>The served kind that a reference names, in whatever version; null when there is none.</summary>
    public ApiResource? Named(string apiVersion, string kind) => _kinds.GetValueOrDefault((GroupOf(apiVersion), kind));

    /// <summary>Learns the server's version and every kind that it serves.</summary>
    public async Task DiscoverAsync(CancellationToken ct)
    {
        var minor = (await client.GetAsync("version", ct)).Text("minor") ?? "";
        Minor = int.TryParse(minor.TrimEnd('+'), out var number) ? number : 0;
        foreach (var resource in await Discovery.ReadAsync(client, ct))
            Add(resource);
    }

    /// <summary>Makes a kind known. Call <see cref="WatchCache.StartAsync"/> to fill its cache.</summary>
    public WatchCache? Add(ApiResource resource)
    {
        // Events come and go by the thousand and own nothing.
        if (resource.Kind == "Event" || !_kinds.TryAdd((resource.Group, resource.Kind), resource))
            return null;
        var cache = _caches[resource] = new(client, resource);
        Served?.Invoke(cache);
        return cache;
    }

    /// <summary>Forgets a kind that is no longer served.</summary>
    public async Task DropAsync(ApiResource resource)
    {
        if (!_caches.TryRemove(resource, out var cache))
            return;
        _kinds.TryRemove((resource.Group, resource.Kind), out _);
        await cache.DisposeAsync();
        foreach (var item in cache.All.ToList())
            cache.Remove(item);
    }

    public async Task<ClusterObject> CreateAsync(ApiResource resource, string space, JsonObject body, CancellationToken ct)
    {
        body["apiVersion"] = resource.ApiVersion;
        body["kind"] = resource.Kind;
        var created = await client.CreateAsync(resource, space, body, ct);
        Of(resource).Apply(created);
        return created;
    }

    /// <summary>Merge patch, bound to the version it was decided on: a newer one answers with a conflict.</summary>
    public async Task<ClusterObject> PatchAsync(ClusterObject target, JsonObject patch, CancellationToken ct, string? subresource = null)
    {
        if (patch.Fields("metadata") is { } metadata)
            metadata["resourceVersion"] = target.Metadata.Text("resourceVersion");
        else
            patch["metadata"] = new JsonObject { ["resourceVersion"] = target.Metadata.Text("resourceVersion") };
        var patched = await client.PatchAsync(target, patch, subresource, ct);
        Of(target.Resource).Apply(patched);
        return patched;
    }

    /// <summary>Makes the named status fields what they should be. No call when they are.</summary>
    public async Task<ClusterObject> PatchStatusAsync(ClusterObject target, JsonObject desired, CancellationToken ct)
    {
        var difference = JsonDifference.Patch(target.Status, desired);
        return difference.Count == 0 ? target : await PatchAsync(target, new JsonObject { ["status"] = difference }, ct, "status");
    }

    /// <summary>Takes one finalizer off, so that what is being deleted can go. No call when it is not there.</summary>
    public async Task RemoveFinalizerAsync(ClusterObject target, string finalizer, CancellationToken ct)
    {
        if (!target.Finalizers.Contains(finalizer))
            return;
        var rest = target.Finalizers.Where(other => other != finalizer).Select(other => (JsonNode)other).ToJson();
        await PatchAsync(target, new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = rest.Count == 0 ? null : rest } }, ct);
    }

    /// <summary>Asks for removal. An object that is already gone is success.</summary>
    public async Task DeleteAsync(ClusterObject target, CancellationToken ct, string propagation = "Background", int? graceSeconds = null)
    {
        JsonObject answer;
        try
        {
            answer = await client.DeleteAsync(target, propagation, graceSeconds, ct);
        }
        catch (ClusterError error) when (error.NotFound)
        {
            Of(target.Resource).Remove(target);
            return;
        }
        var remains = answer.Text("kind") == target.Resource.Kind && answer.At("metadata").Text("deletionTimestamp") is not null && graceSeconds != 0;
        if (remains)
            Of(target.Resource).Apply(new(target.Resource, answer));
        else if (target.Finalizers.Count == 0)
            Of(target.Resource).Remove(target);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var cache in _caches.Values)
            await cache.DisposeAsync();
        client.Dispose();
    }

    private static string GroupOf(string apiVersion) => apiVersion.Contains('/') ? apiVersion[..apiVersion.IndexOf('/')] : "";
}
