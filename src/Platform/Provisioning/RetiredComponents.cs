using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Decides what becomes of components that an environment had and does not have any more: they were switched off, taken out of a region, or taken
/// out of the specification or the catalog. What stands on others goes first; what is kept says why.</summary>
internal static class RetiredComponents
{
    /// <param name="steps">The steps (<c>component@region</c>) that the environment has.</param>
    /// <param name="wanted">Where the environment wants objects, and the component that does.</param>
    public static IReadOnlyList<PlannedComponent> Plan(
        EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<RegionObservation> observations, IReadOnlyCollection<string> steps,
        IReadOnlyDictionary<ResourceAddress, string> wanted, PlanPurpose purpose)
    {
        var found = observations.SelectMany(observation => observation.Objects)
            .Where(item => ObjectOwnership.ComponentOf(item.Manifest, environment) is not null && !ObjectOwnership.IsDerived(item.Manifest))
            .GroupBy(item => (Component: ObjectOwnership.ComponentOf(item.Manifest, environment)!, item.Address.Region))
            .Where(group => !steps.Contains($"{group.Key.Component}@{group.Key.Region}"))
            .ToDictionary(group => $"{group.Key.Component}@{group.Key.Region}");
        var needs = Needs(environment, catalog);
        bool Stands(string step, string ground) => step != ground && DependencyGraph.Closure([step], needs).Contains(ground);
        var kept = StandsUnderAStore(catalog, found.Keys, needs);
        string? WhyKept(ObservedObject item, string step) =>
            kept.GetValueOrDefault(step) ?? (wanted.TryGetValue(item.Address, out var by) ? $"{by} wants an object in its place; hand it over by setting its labels, or remove it by hand" : null);
        // Whoever may still use it, by an alternative that takes its place, has to have moved before it goes.
        IReadOnlyList<string> Before(string step) => [.. found.Keys.Concat(steps).Where(other => Stands(other, step)).Order(StringComparer.Ordinal)];
        var order = DependencyGraph.Order(found.Keys.ToDictionary(step => step, step => (IReadOnlyList<string>)[.. Before(step).Where(found.ContainsKey)]));
        return [.. order.Select(step => new PlannedComponent
        {
            Component = found[step].Key.Component,
            Region = found[step].Key.Region,
            Retired = true,
            DependsOn = Before(step),
            Objects = [.. DecommissionPlanner.TrafficFirst(found[step]).Select(item => ObjectPlanner.PlanRetired(item, found[step].Key.Component, WhyKept(item, step), environment, purpose))],
        })];
    }

    /// <summary>By all alternatives: a component that is switched off is not the one that its users need by now.</summary>
    private static Dictionary<string, IReadOnlyList<string>> Needs(EnvironmentSpecification environment, ComponentCatalog catalog) =>
        (from component in catalog.Components from region in environment.Regions select (component, region.Name)).ToDictionary(
            pair => $"{pair.component.Name}@{pair.Name}",
            pair => (IReadOnlyList<string>)
            [
                .. pair.component.DependsOn.SelectMany(ComponentDefinition.Alternatives).Select(needed => $"{needed}@{pair.Name}"),
                .. pair.Name == environment.PrimaryRegion ? [] : pair.component.DependsOnPrimary.Select(needed => $"{needed}@{environment.PrimaryRegion}"),
            ]);

    /// <summary>A data store goes on running, and so does what it stands on.</summary>
    private static Dictionary<string, string> StandsUnderAStore(ComponentCatalog catalog, IReadOnlyCollection<string> retired, Dictionary<string, IReadOnlyList<string>> needs)
    {
        var kept = new Dictionary<string, string>();
        foreach (var store in retired.Where(step => catalog.Find(step.Split('@')[0])?.Plane == DataHolders.Plane).Order(StringComparer.Ordinal))
        {
            kept[store] = "it is a data store, which no plan but one to decommission removes";
            foreach (var ground in DependencyGraph.Closure([store], needs).Where(retired.Contains))
                kept.TryAdd(ground, $"{store}, a data store, stands on it");
        }

        return kept;
    }
}
