using PlatformOps.Adapters;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Whether the objects of external services that a component declares are as declared. Asks seldom: these services count calls.</summary>
internal sealed class ExternalHealth(RegionConnections connections, SpecifiedEnvironment specified, TimeProvider time)
{
    private const int MostShown = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private (DateTimeOffset At, GateStatus Status)? last;

    /// <exception cref="AdapterException">What waiting does not help against: our credential, the declaration, or a service that asks us to slow down.</exception>
    public async Task<GateStatus> StatusAsync(ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        if (last is not { } known || time.GetUtcNow() - known.At >= Pause)
            last = known = (time.GetUtcNow(), await ReadAsync(component, region, ct));
        return known.Status;
    }

    private async Task<GateStatus> ReadAsync(ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        var declared = ManifestRenderer.Render(specified.Environment, component, region.Name).Where(item => item.Address.ApiVersion == ObjectKind.ExternalApiVersion).ToList();
        var problems = new List<string>();
        foreach (var item in declared)
        {
            try
            {
                problems.AddRange(ExternalVerdict.Problems(item, await connections.External(region.Name).ReadAsync(item.Manifest, ct)));
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                problems.Add(failure.Message.TrimEnd('.'));
            }
        }

        if (problems.Count == 0)
            return new(GateState.Passed, $"{declared.Count} objects of external services are as declared");
        var more = problems.Count > MostShown ? $"; and {problems.Count - MostShown} more" : "";
        return new(GateState.OnTheWay, $"{string.Join("; ", problems.Take(MostShown))}{more}. Correct it there, since it is never changed from here");
    }
}
