using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Learns what is there in a region, in every system that holds declared objects. Changes nothing.</summary>
internal sealed class RegionObserver(DeclaredSystems systems, SpecifiedEnvironment specified, TimeProvider time)
{
    /// <summary>Everything of our labels among some kinds, and whatever is at some addresses.</summary>
    /// <param name="kinds">Among them those of all addresses.</param>
    /// <exception cref="AdapterException">Something could not be read: then there is no observation at all.</exception>
    public async Task<RegionObservation> ObserveAsync(
        RegionSpecification region, IReadOnlyCollection<ObjectKind> kinds, IReadOnlyCollection<ResourceAddress> addresses, CancellationToken ct)
    {
        var objects = new List<ObservedObject>();
        foreach (var (system, held) in systems.BySystem(kinds, kind => kind.ApiVersion, region))
            objects.AddRange(await system.ObserveAsync(held, specified.Labels, [.. addresses.Where(address => held.Contains(new(address.ApiVersion, address.Kind)))], ct));
        return new()
        {
            Region = region.Name,
            Objects = objects,
            ObservedAt = time.GetUtcNow(),
            Source = systems.Cluster(region).Account.Address,
        };
    }
}
