using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Quotas;

/// <summary>ResourceQuota: says how much is used. An API server refuses new pods as long as nobody has said so.</summary>
internal sealed class QuotaController : Controller
{
    public QuotaController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Quotas);
        foreach (var cache in cluster.Caches.Where(cache => cache.Resource.Namespaced && cache.Resource != Resources.Quotas))
            On(cache.Resource, change => MayCount(change) ? cluster.Of(Resources.Quotas).In(change.Latest.Namespace).Select(quota => quota.Key) : []);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Quotas).Find(key) is not { Deleting: false } quota || quota.Spec.Fields("hard") is not { } hard)
            return;
        var used = new JsonObject(hard.Select(limit => KeyValuePair.Create<string, JsonNode?>(limit.Key, QuotaUse.Of(Cluster, quota.Namespace, limit.Key))));
        // A merge patch keeps what it does not name: limits that were taken off are named.
        var limits = hard.Copy();
        foreach (var (gone, _) in quota.Status.Fields("hard") ?? [])
            if (!hard.ContainsKey(gone))
                limits[gone] = used[gone] = null;
        var same = limits.Count == hard.Count && hard.All(limit =>
            Quantity.Read(quota.Status.At("hard").At(limit.Key)?.ToString()) == Quantity.Read(limit.Value?.ToString())
            && quota.Status.At("used").Text(limit.Key) is { } known && Quantity.Read(known) == Quantity.Read(used.Text(limit.Key)));
        if (!same)
            await Cluster.PatchAsync(quota, new JsonObject { ["status"] = new JsonObject { ["hard"] = limits, ["used"] = used } }, ct, "status");
    }

    // Most changes are of a pod's status, and count only when it ends.
    private static bool MayCount(ObjectChange change) => change.Before is null || change.After is null
        || change.Before.Generation != change.After.Generation || change.Before.Status.Text("phase") != change.After.Status.Text("phase")
        || change.After.Resource == Resources.Claims;
}
