using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>The kinds of which a region may hold objects of ours, whatever the specification says of them by now: of the cluster all that the catalog knows; of
/// another system those that a component of the region has, and all when it is stated how the region reaches it. The others do not need it, or us to have a login for it.</summary>
internal sealed class OwnKinds(DeclaredSystems systems, SpecifiedEnvironment specified)
{
    /// <summary>Every kind that the catalog declares, and those that it may have declared before.</summary>
    public IReadOnlyList<ObjectKind> All { get; } = [.. specified.Catalog.Components.SelectMany(component => component.Kinds).Concat(DeclaredSystems.KindsOfServers).Distinct()];

    /// <param name="component">Only for this one; null: for all.</param>
    public async Task<IReadOnlyList<ObjectKind>> ServedAsync(RegionSpecification region, string? component, CancellationToken ct)
    {
        var served = new List<ObjectKind>();
        foreach (var (system, kinds) in systems.BySystem(All.Where(kind => systems.InCluster(kind.ApiVersion) || IsAsked(kind, region, component)), kind => kind.ApiVersion, region))
            served.AddRange(await system.ServedAsync(kinds, ct));
        return served;
    }

    /// <summary>Those of them that can be asked now: that the platform's own Temporal or PostgreSQL is out of reach does not keep an environment that has nothing there from being planned.
    /// Which systems those are is said with them.</summary>
    public async Task<(IReadOnlyList<ObjectKind> Kinds, IReadOnlyList<string> Unanswered)> AnsweringAsync(RegionSpecification region, CancellationToken ct)
    {
        var (served, unanswered) = (await ServedAsync(region, null, ct), new List<string>());
        foreach (var kind in served.Where(kind => DeclaredSystems.KindsOfServers.Contains(kind) && !HasAny(kind, region)).DistinctBy(kind => kind.ApiVersion))
        {
            if (!await systems.AnswersAsync(kind, region, ct))
                unanswered.Add(kind.ApiVersion);
        }

        return ([.. served.Where(kind => HasAny(kind, region) || !unanswered.Contains(kind.ApiVersion))], unanswered);
    }

    private bool HasAny(ObjectKind kind, RegionSpecification region) => specified.InDependencyOrder(region.Name).Any(one => one.Kinds.Contains(kind));

    private bool IsAsked(ObjectKind kind, RegionSpecification region, string? component)
    {
        // What the catalog does not know any more may have had anything.
        if (component is not null && specified.Catalog.Find(component) is { } known && !known.Kinds.Contains(kind))
            return false;
        if (HasAny(kind, region))
            return true;
        // What another region keeps in a system for all regions would show in this one too.
        if (DeclaredSystems.IsOneForAllRegions(kind.ApiVersion) && (region.Name != specified.Environment.PrimaryRegion || specified.InDependencyOrder().Any(one => one.Kinds.Contains(kind))))
            return false;
        return systems.IsStated(kind.ApiVersion, region);
    }
}
