using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Namespaces;

/// <summary>A namespace that is being deleted: everything in it is deleted, and when all is gone the namespace is let go.</summary>
internal sealed class NamespaceController : Controller
{
    private const string Finalizer = "kubernetes";

    public NamespaceController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Namespaces);
        cluster.Served += Follow;
        foreach (var cache in cluster.Caches)
            Follow(cache);

        void Follow(WatchCache cache)
        {
            if (cache.Resource.Namespaced)
                cache.Changed += change =>
                {
                    if (cluster.Of(Resources.Namespaces).Find("", change.Latest.Namespace) is { Deleting: true } space)
                        Look(space.Key);
                };
        }
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Namespaces).Find(key) is not { Deleting: true } space || !space.Spec.Items("finalizers").Any(IsOurs))
            return;
        var contents = Cluster.Caches.Where(cache => cache.Resource.Namespaced).SelectMany(cache => cache.In(space.Name)).ToList();
        foreach (var item in contents.Where(item => !item.Deleting))
            await Cluster.DeleteAsync(item, ct);
        await TellAsync(space, ct);
        if (Cluster.Caches.Any(cache => cache.Resource.Namespaced && cache.In(space.Name).Any()))
            return;
        // What was created a moment before the deletion may not have been seen yet.
        foreach (var resource in Cluster.Caches.Select(cache => cache.Resource).Where(resource => resource.Namespaced).Append(Resources.Events))
            if ((await Cluster.Client.GetAsync(resource.Path(space.Name) + "?limit=1", ct)).Items("items").Any())
            {
                await Cluster.Client.DeleteAllAsync(resource, space.Name, ct);
                Look(key);
                return;
            }
        await FinalizeAsync(space, ct);
    }

    private static bool IsOurs(JsonNode finalizer) => finalizer.GetValue<string>() == Finalizer;

    private async Task TellAsync(ClusterObject space, CancellationToken ct)
    {
        var left = Cluster.Caches.Where(cache => cache.Resource.Namespaced)
            .Select(cache => (cache.Resource, Items: cache.In(space.Name).ToList()))
            .Where(kind => kind.Items.Count > 0)
            .OrderBy(kind => kind.Resource.ToString(), StringComparer.Ordinal)
            .ToList();
        var held = left.SelectMany(kind => kind.Items).SelectMany(item => item.Finalizers)
            .CountBy(finalizer => finalizer)
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            .ToList();
        // Told only when something holds the contents: most namespaces are empty a moment later.
        if (held.Count == 0)
            return;
        await Cluster.PatchStatusAsync(space, new JsonObject
        {
            ["conditions"] = Conditions.Set(space.Status, Now,
            [
                new("NamespaceContentRemaining", true, "SomeResourcesRemain",
                    "Some resources are remaining: "
                    + string.Join(", ", left.Select(kind => $"{kind.Resource} has {kind.Items.Count} resource instances"))),
                new("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
                    "Some content in the namespace has finalizers remaining: "
                    + string.Join(", ", held.Select(one => $"{one.Key} in {one.Value} resource instances"))),
            ]),
        }, ct);
    }

    private async Task FinalizeAsync(ClusterObject space, CancellationToken ct)
    {
        if (await Cluster.Client.FindAsync(Resources.Namespaces, "", space.Name, ct) is not { } current || current.Uid != space.Uid)
            return;
        var body = current.Body.Copy();
        body["apiVersion"] = "v1";
        body["kind"] = "Namespace";
        body.Fields("spec")!["finalizers"] = current.Spec.Items("finalizers").Where(finalizer => !IsOurs(finalizer)).ToJson();
        await Cluster.Client.SendToAsync(HttpMethod.Put, current, "finalize", body, ct);
    }
}
