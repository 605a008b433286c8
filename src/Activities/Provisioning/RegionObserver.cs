using PlatformOps.Adapters;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Learns what is there in a region, in every system that holds declared objects. Changes nothing.</summary>
internal sealed class RegionObserver(DeclaredSystems systems, SpecifiedEnvironment specified, TimeProvider time)
{
    /// <summary>Everything of our labels among the kinds that are wanted and some others, and whatever stands where something is wanted.</summary>
    /// <param name="component">Only this one's objects, and whatever stands where something is wanted; null: those of all.</param>
    /// <exception cref="AdapterException">Something could not be read: then there is no observation at all.</exception>
    public async Task<RegionObservation> ObserveAsync(
        RegionSpecification region, IReadOnlyCollection<DesiredObject> wanted, IEnumerable<ObjectKind> others, CancellationToken ct, string? component = null)
    {
        var labels = specified.Labels;
        if (component is not null)
            labels[Ownership.ComponentLabel] = component;
        var kinds = wanted.Select(item => KindOf(item.Address)).Concat(others).Distinct();
        var (objects, provided) = (new List<ObservedObject>(), specified.ProvidedKinds);
        foreach (var (system, known) in systems.BySystem(kinds, kind => kind.ApiVersion, region))
        {
            // Of a kind whose definition is still to be installed there are no objects; any other kind that is not served is an error.
            var awaited = known.Where(provided.Contains).ToList();
            var held = known.Except(awaited.Except(await system.ServedAsync(awaited, ct))).ToHashSet();
            objects.AddRange(await system.ObserveAsync(held, labels, [.. wanted.Where(item => held.Contains(KindOf(item.Address)))], ct));
        }

        return new()
        {
            Region = region.Name,
            Objects = objects,
            ObservedAt = time.GetUtcNow(),
            Source = systems.Cluster(region).Account.Address,
        };
    }

    public static ObjectKind KindOf(ResourceAddress address) => new(address.ApiVersion, address.Kind);
}
