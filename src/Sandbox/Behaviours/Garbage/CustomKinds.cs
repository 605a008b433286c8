using System.Collections.Concurrent;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Garbage;

/// <summary>Follows the kinds that CustomResourceDefinitions add and take away, so that namespaces and owners of them are cared for too.</summary>
internal sealed class CustomKinds : Controller
{
    private readonly ConcurrentDictionary<ObjectKey, ApiResource> _followed = new();

    private readonly Action<ApiResource> _followedNow;

    /// <param name="followedNow">Hears of every kind whose objects are now all known.</param>
    public CustomKinds(Cluster cluster, BehaviourOptions options, Action<ApiResource> followedNow) : base(cluster, options, workers: 1)
    {
        _followedNow = followedNow;
        For(Resources.Definitions);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var declared = Cluster.Of(Resources.Definitions).Find(key) is { } definition ? Discovery.Declared(definition) : null;
        if (_followed.TryGetValue(key, out var followed) && followed != declared)
        {
            await Cluster.DropAsync(followed);
            _followed.TryRemove(key, out _);
        }
        if (declared is null || _followed.ContainsKey(key))
            return;
        // Null when it was served already when the behaviours started.
        if (Cluster.Add(declared) is { } cache)
        {
            try
            {
                await cache.StartAsync(ct);
            }
            catch
            {
                // Declared a moment before it is served: the next look tries again.
                await Cluster.DropAsync(declared);
                throw;
            }
            _followedNow(declared);
        }
        _followed[key] = declared;
    }
}
