using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Garbage;

/// <summary>
/// Deletes what has lost its last owner, and carries out foreground and orphaning deletions. An owner counts as gone only when the API says
/// so: not seeing it is not enough. Its keys are uids.
/// </summary>
internal sealed class GarbageCollector : Controller
{
    private const string Foreground = "foregroundDeletion";
    private const string Orphan = "orphan";
    private readonly Ownership _ownership = new();

    public GarbageCollector(Cluster cluster, BehaviourOptions options) : base(cluster, options, workers: 4)
    {
        cluster.Served += Follow;
        foreach (var cache in cluster.Caches)
            Follow(cache);

        void Follow(WatchCache cache) => cache.Changed += Take;
    }

    /// <summary>Looks at what owners of this kind own: as long as nobody served the kind, nothing could be said about them.</summary>
    public void Reconsider(ApiResource owners)
    {
        foreach (var item in Cluster.Caches.SelectMany(cache => cache.All))
            if (item.Owners.Any(owner => Cluster.Named(owner.ApiVersion, owner.Kind) == owners))
                Look(new("", item.Uid));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_ownership.Find(key.Name) is not { } item)
            return;
        if (item.Deleting && item.Finalizers.Contains(Orphan))
            await OrphanAsync(item, ct);
        else if (item.Deleting && item.Finalizers.Contains(Foreground))
            await DeleteDependentsAsync(item, ct);
        else if (!item.Deleting && item.Owners.Count > 0)
            await CheckOwnersAsync(item, ct);
    }

    private void Take(ObjectChange change)
    {
        _ownership.Take(change);
        var item = change.Latest;
        if (item.Owners.Count > 0 || item.Deleting)
            Look(new("", item.Uid));
        // An owner that waits for its dependents, and dependents whose owner went or now waits for them.
        foreach (var owner in item.Owners)
            if (_ownership.Find(owner.Uid) is { Deleting: true })
                Look(new("", owner.Uid));
        if (change.After is null || change.After.Deleting && change.Before?.Deleting != true)
            foreach (var dependent in _ownership.DependentsOf(item.Uid))
                Look(new("", dependent.Uid));
    }

    private async Task CheckOwnersAsync(ClusterObject item, CancellationToken ct)
    {
        List<OwnerReference> solid = [], waiting = [];
        foreach (var owner in item.Owners)
        {
            if (_ownership.Find(owner.Uid) is { } known)
                (known.Deleting && known.Finalizers.Contains(Foreground) ? waiting : solid).Add(owner);
            else if (!await IsGoneAsync(item, owner, ct))
                solid.Add(owner);
        }
        if (solid.Count == item.Owners.Count)
            return;
        if (solid.Count > 0)
        {
            var uids = solid.Select(owner => owner.Uid).ToHashSet();
            var kept = item.Metadata.Items("ownerReferences").Where(owner => uids.Contains(owner.Text("uid") ?? "")).ToJson();
            await Cluster.PatchAsync(item, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = kept } }, ct);
            return;
        }
        await Cluster.DeleteAsync(item, ct, waiting.Count > 0 && _ownership.DependentsOf(item.Uid).Count > 0 ? "Foreground" : "Background");
    }

    private async Task<bool> IsGoneAsync(ClusterObject item, OwnerReference owner, CancellationToken ct)
    {
        // A kind that nobody serves says nothing about its objects.
        if (Cluster.Named(owner.ApiVersion, owner.Kind) is not { } resource)
            return false;
        var found = await Cluster.Client.FindAsync(resource, resource.Namespaced ? item.Namespace : "", owner.Name, ct);
        return found is null || found.Uid != owner.Uid;
    }

    private async Task DeleteDependentsAsync(ClusterObject owner, CancellationToken ct)
    {
        var blocking = _ownership.DependentsOf(owner.Uid)
            .Where(dependent => dependent.Owners.Any(reference => reference.Uid == owner.Uid && reference.BlockOwnerDeletion))
            .ToList();
        if (blocking.Count == 0)
            await Cluster.RemoveFinalizerAsync(owner, Foreground, ct);
        foreach (var dependent in blocking.Where(dependent => !dependent.Deleting))
            Look(new("", dependent.Uid));
    }

    private async Task OrphanAsync(ClusterObject owner, CancellationToken ct)
    {
        foreach (var dependent in _ownership.DependentsOf(owner.Uid))
        {
            var others = dependent.Metadata.Items("ownerReferences").Where(reference => reference.Text("uid") != owner.Uid).ToJson();
            var rest = new JsonObject { ["ownerReferences"] = others.Count == 0 ? null : others };
            await Cluster.PatchAsync(dependent, new JsonObject { ["metadata"] = rest }, ct);
        }
        await Cluster.RemoveFinalizerAsync(owner, Orphan, ct);
    }
}
