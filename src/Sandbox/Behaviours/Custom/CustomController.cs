using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Custom;

/// <summary>Cares for one kind that a CustomResourceDefinition may bring at any time, in whatever version. As long as nobody serves it, nothing happens.</summary>
internal abstract class CustomController : Controller
{
    private readonly string _group;
    private readonly string _kind;

    protected CustomController(Cluster cluster, BehaviourOptions options, string group, string kind) : base(cluster, options)
    {
        (_group, _kind) = (group, kind);
        OnCustom(group, kind, change => [change.Latest.Key]);
    }

    /// <summary>Looks at the named objects whenever one of a kind changes that may come later.</summary>
    protected void OnCustom(string group, string kind, Func<ObjectChange, IEnumerable<ObjectKey>> keys)
    {
        Cluster.Served += Follow;
        foreach (var cache in Cluster.Caches)
            Follow(cache);

        void Follow(WatchCache cache)
        {
            if (cache.Resource.Group == group && cache.Resource.Kind == kind)
                On(cache, keys);
        }
    }

    /// <summary>The objects of this controller's kind; none while it is not served.</summary>
    protected IEnumerable<ClusterObject> All() => All(_group, _kind);

    protected IEnumerable<ClusterObject> All(string group, string kind) =>
        Cluster.Named($"{group}/", kind) is { } resource ? Cluster.Of(resource).All : [];

    protected ClusterObject? Find(ObjectKey key) => Find(_group, _kind, key.Namespace, key.Name);

    protected ClusterObject? Find(string group, string kind, string space, string name) =>
        Cluster.Named($"{group}/", kind) is { } resource ? Cluster.Of(resource).Find(resource.Namespaced ? space : "", name) : null;

    /// <summary>Whether the time has come that things of this name take from their creation, by the seed; if not, looks again then.</summary>
    protected bool IsDue(ClusterObject item, DateTimeOffset since)
    {
        var left = since + Options.Scaled(ReadyTimes.Of(Options.Seed, item.Namespace, item.Name)) - Now;
        if (left <= TimeSpan.Zero)
            return true;
        LookAgain(item.Key, left);
        return false;
    }

    /// <summary>Makes the named status fields exactly what they should be, through the status subresource where the kind has one. No call when they are.</summary>
    protected Task<ClusterObject> WriteStatusAsync(ClusterObject target, JsonObject desired, CancellationToken ct)
    {
        var difference = JsonDifference.Replacement(target.Status, desired);
        return difference.Count == 0
            ? Task.FromResult(target)
            : Cluster.PatchAsync(target, new JsonObject { ["status"] = difference }, ct, HasStatus(target.Resource) ? "status" : null);
    }

    /// <summary>Makes fields of the object exactly what they should be, or the object itself when it is missing. No call when all is right.</summary>
    protected async Task<ClusterObject> EnsureAsync(ApiResource resource, string space, JsonObject desired, CancellationToken ct)
    {
        var name = desired.At("metadata").Text("name")!;
        if (Cluster.Of(resource).Find(space, name) is not { } existing)
            return await Cluster.CreateAsync(resource, space, desired, ct);
        var missing = Missing(existing, desired);
        return missing.Count == 0 ? existing : await Cluster.PatchAsync(existing, missing, ct);
    }

    /// <summary>What an object lacks of what it should have.</summary>
    protected static JsonObject Missing(ClusterObject existing, JsonObject desired)
    {
        var fields = desired.Copy();
        // Lists leave them out.
        fields.Remove("apiVersion");
        fields.Remove("kind");
        return JsonDifference.Addition(existing.Body, fields);
    }

    private bool HasStatus(ApiResource resource) => Cluster.Of(Resources.Definitions).Find("", $"{resource.Plural}.{resource.Group}") is { } definition
        && definition.Spec.Item("versions", "name", resource.Version).At("subresources").At("status") is not null;
}
