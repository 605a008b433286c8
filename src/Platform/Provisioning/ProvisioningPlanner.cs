using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Decides what would have to change so that the world is as specified. Pure: the same input gives the same bytes.</summary>
public static class ProvisioningPlanner
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The plan for an environment.</summary>
    /// <param name="observations">One for each region of the environment.</param>
    /// <param name="components">Only these and, to provision, what they depend on; null: all that are enabled, and what is left of those that were.</param>
    /// <exception cref="DependencyException">The dependencies have a cycle, or something that is needed is missing or disabled.</exception>
    /// <exception cref="ArgumentException">A region was not observed: what is unknown must not be planned with.</exception>
    public static ProvisioningPlan Plan(
        EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<RegionObservation> observations, IReadOnlyList<string>? components = null,
        PlanPurpose purpose = PlanPurpose.Provision)
    {
        var steps = new Dictionary<string, (ComponentDefinition Component, string Region)>();
        foreach (var component in environment.Components.Where(component => component.Enabled))
        {
            var definition = catalog.Find(component.Name) ?? throw new DependencyException([$"{component.Name} is not in the catalog."]);
            foreach (var region in component.Regions.Count > 0 ? component.Regions : [.. environment.Regions.Select(region => region.Name)])
                steps[$"{component.Name}@{region}"] = (definition, region);
        }

        var dependencies = steps.ToDictionary(
            step => step.Key,
            step => DependenciesOf(environment, step.Value.Component, step.Value.Region));
        var order = DependencyGraph.Order(dependencies);
        var named = steps.Keys.Where(step => components is null || components.Contains(steps[step].Component.Name)).ToHashSet();
        var wanted = purpose == PlanPurpose.Provision ? DependencyGraph.Closure(named, dependencies) : named;
        var planned = order.Where(wanted.Contains)
            .Select(step => PlanComponent(environment, steps[step].Component, Observation(observations, steps[step].Region), steps[step].Region, purpose))
            .ToList();
        if (components is null && purpose is (PlanPurpose.Provision or PlanPurpose.Revert))
            planned.AddRange(RetiredComponents.Plan(environment, catalog, observations, steps.Keys, Wanted(planned), purpose));
        if (purpose == PlanPurpose.Revert)
            planned = [.. planned.Select(component => component with { Objects = [.. component.Objects.Where(Drift.Differs)] }).Where(component => component.Objects.Count > 0)];
        if (purpose == PlanPurpose.Upgrade)
            planned = Upgrades.RegionByRegion(environment, catalog, observations, planned);
        return Hashed(environment, catalog, planned, components is null ? observations : []);
    }

    private static Dictionary<ResourceAddress, string> Wanted(IEnumerable<PlannedComponent> planned) =>
        planned.SelectMany(component => component.Objects.Where(item => item.DesiredFingerprint is not null).Select(item => (item.Address, component.Component)))
            .DistinctBy(pair => pair.Address).ToDictionary(pair => pair.Address, pair => pair.Component);

    /// <summary>A plan of these steps with its hash.</summary>
    internal static ProvisioningPlan Hashed(
        EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<PlannedComponent> components, IReadOnlyList<RegionObservation> observations)
    {
        var notes = (from observation in observations
                     from system in observation.Unanswered
                     orderby observation.Region, system
                     select $"{system} of {observation.Region} does not answer. No component has anything there now; what components left there that the environment had before is not in this plan. Plan again when it answers.").ToList();
        var plan = new ProvisioningPlan
        {
            Platform = environment.Platform,
            Environment = environment.Name,
            SpecificationDigest = environment.Digest,
            CatalogDigest = catalog.Digest,
            Components = components,
            Notes = notes.Count > 0 ? notes : null,
            Hash = "",
        };
        return plan with { Hash = CanonicalJson.Digest(JsonSerializer.SerializeToNode(plan, Json)) };
    }

    /// <summary>The part of a plan that concerns one component in one region; dependencies are those of the catalog.</summary>
    public static PlannedComponent PlanComponent(EnvironmentSpecification environment, ComponentDefinition component, RegionObservation observation, string region, PlanPurpose purpose = PlanPurpose.Provision)
    {
        var live = observation.Objects.Where(item => item.Address.Region == region).DistinctBy(item => item.Address).ToDictionary(item => item.Address, item => item.Manifest);
        var rendered = ManifestRenderer.Render(environment, component, region, live);
        var desired = rendered.Select(item => Autoscaling.Yield(item, live.GetValueOrDefault(item.Address), environment, component.Name)).ToList();
        // By what is declared, and not by what the world tells: that becomes known only while the plan is carried out.
        var prints = (component.Observed.Count == 0 ? rendered : ManifestRenderer.Render(environment, component, region))
            .DistinctBy(item => item.Address).ToDictionary(item => item.Address, item => Fingerprint.OfDesired(item.Manifest));
        var declared = desired.Select(item => item.Address).ToHashSet();
        var undeclared = live
            .Where(pair => !declared.Contains(pair.Key) && ObjectOwnership.IsOurs(pair.Value, environment, component.Name) && !ObjectOwnership.IsDerived(pair.Value))
            .OrderBy(pair => pair.Key.ToString(), StringComparer.Ordinal);
        return Upgrades.HeldToVersions(component, desired, live.Values, new()
        {
            Component = component.Name,
            Region = region,
            DependsOn = DependenciesOf(environment, component, region),
            Objects =
            [
                .. desired.Select(item => ObjectPlanner.Plan(item, prints[item.Address], live.GetValueOrDefault(item.Address), environment, component, purpose)),
                .. undeclared.Select(pair => ObjectPlanner.PlanUndeclared(pair.Key, pair.Value, environment.GuardRails, purpose)),
            ],
        });
    }

    /// <summary>The steps that must be healthy before a component is worked on in a region, sorted.</summary>
    internal static IReadOnlyList<string> DependenciesOf(EnvironmentSpecification environment, ComponentDefinition component, string region)
    {
        var here = component.Needs(environment).Select(needed => $"{needed}@{region}");
        var primary = region == environment.PrimaryRegion ? [] : component.DependsOnPrimary.Select(needed => $"{needed}@{environment.PrimaryRegion}");
        return [.. here.Concat(primary).Distinct().Order(StringComparer.Ordinal)];
    }

    private static RegionObservation Observation(IReadOnlyList<RegionObservation> observations, string region) =>
        observations.FirstOrDefault(observation => observation.Region == region)
            ?? throw new ArgumentException($"{region} was not observed: what is unknown must not be planned with.", nameof(observations));
}
