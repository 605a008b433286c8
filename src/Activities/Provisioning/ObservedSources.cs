using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Looks at the objects that tell what a component's manifests refer to and only the world knows.</summary>
internal sealed class ObservedSources(DeclaredSystems systems, SpecifiedEnvironment specified, ComponentDefinition component, RegionSpecification region, TimeProvider time, Action<string> heartbeat)
{
    /// <summary>A managed database takes up to half an hour before it has an address.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(45);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<ObservedSource> sources = ManifestRenderer.Sources(specified.Environment, component, region.Name);

    /// <summary>The same observation with what tells the values, also where another component declares it.</summary>
    public async Task<RegionObservation> AddToAsync(RegionObservation observation, CancellationToken ct)
    {
        var missing = sources.Select(source => source.Address).Distinct().Where(address => observation.Objects.All(item => item.Address != address)).ToList();
        return missing.Count == 0 ? observation : observation with { Objects = [.. observation.Objects, .. (await FindAsync(missing, ct)).Values] };
    }

    /// <summary>The object with everything that the world tells, as soon as it does.</summary>
    /// <exception cref="AdapterException">It was not told in time.</exception>
    public async Task<DesiredObject> CompletedAsync(DesiredObject wanted, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var pause = FirstPause; wanted.Awaits.Count > 0; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var live = (await FindAsync(sources.Select(source => source.Address).Distinct(), ct)).ToDictionary(found => found.Key, found => found.Value.Manifest);
            wanted = ManifestRenderer.Render(specified.Environment, component, region.Name, live).First(item => item.Address == wanted.Address);
            if (wanted.Awaits.Count == 0)
                break;
            var (name, address, field) = sources.First(source => wanted.Awaits.Contains(source.Name));
            if (time.GetElapsedTime(began) >= Patience)
                throw new AdapterException(AdapterFailureKind.Unavailable, string.Create(
                    CultureInfo.InvariantCulture, $"{address} has no {field} after {Patience.TotalMinutes:0} minutes, which {wanted.Address} needs as {name}. See what keeps it, then retry."));
            heartbeat($"Waiting until {address} has {field}");
            await Task.Delay(pause, time, ct);
        }

        return wanted;
    }

    private async Task<Dictionary<ResourceAddress, ObservedObject>> FindAsync(IEnumerable<ResourceAddress> addresses, CancellationToken ct)
    {
        var found = new Dictionary<ResourceAddress, ObservedObject>();
        foreach (var address in addresses)
            if (await systems.Of(address.ApiVersion, region).FindAsync(address, ct) is { } live)
                found[address] = live;
        return found;
    }
}
