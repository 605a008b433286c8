using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>The rules of upgrades. What breaks one is a conflict in the plan, so that it is refused before anything is touched.</summary>
public static class Upgrades
{
    /// <summary>Why a version may not follow another one of a component that goes one minor version at a time; null: it may.</summary>
    /// <param name="from">The newest that runs; null: none does.</param>
    public static string? WhyNot(ImageVersion? from, ImageVersion? to)
    {
        if (from is not { } old || to is not { } wanted || old == wanted)
            return null;
        if (wanted.Major != old.Major)
            return $"{old} cannot become {wanted}: that is another major version.";
        if (wanted.Minor < old.Minor)
            return $"{old} cannot become {wanted}: an older minor version may not be able to read what the newer one wrote.";
        return wanted.Minor > old.Minor + 1
            ? $"{old} cannot become {wanted}: go to the newest {old.Major}.{old.Minor + 1} first, one minor version at a time."
            : null;
    }

    /// <summary>What the operator expected of the specification and it does not say, as sentences.</summary>
    /// <param name="version">The tag that an image of the component should have; null: any.</param>
    /// <param name="parameters">The values that its parameters should have.</param>
    public static IReadOnlyList<string> Unexpected(
        EnvironmentSpecification environment, ComponentDefinition component, string region, string? version, IReadOnlyDictionary<string, string>? parameters)
    {
        var problems = new List<string>();
        var images = ManifestRenderer.Render(environment, component, region).SelectMany(item => ImageVersion.Images(item.Manifest)).Distinct().ToList();
        if (version is not null && component.Chart?.Version != version && !images.Exists(image => image.EndsWith($":{version}", StringComparison.Ordinal)))
            problems.Add($"Field 'version' is {version}, but specification and catalog say {string.Join(", ", component.Chart is { } chart ? [chart.Version] : images.DefaultIfEmpty("nothing of a version"))}.");
        foreach (var (name, value) in parameters ?? new Dictionary<string, string>())
        {
            var parameter = component.Parameters.FirstOrDefault(known => known.Name == name);
            var given = environment.Components.FirstOrDefault(known => known.Name == component.Name)?.Parameters[name] ?? parameter?.Default;
            if (parameter is null)
                problems.Add($"Field 'parameters' names {name}, which {component.Name} does not have. It has: {string.Join(", ", component.Parameters.Select(known => known.Name).DefaultIfEmpty("none"))}.");
            else if (given is null || FieldPath.Text(given) != value)
                problems.Add($"Field 'parameters' expects {name}: {value}, but the specification says {(given is null ? "nothing" : FieldPath.Text(given))}. Set it under components.{component.Name} in environments/{environment.Name}.yaml first.");
        }

        return problems;
    }

    /// <summary>The same step with every object in conflict that would skip a minor version or go back.</summary>
    internal static PlannedComponent HeldToVersions(ComponentDefinition component, IReadOnlyList<DesiredObject> desired, IEnumerable<JsonObject> live, PlannedComponent planned)
    {
        if (component.OneMinorAtATime is not { } why)
            return planned;
        var own = live.Where(manifest => (string?)manifest["metadata"]?["labels"]?[Ownership.ComponentLabel] == component.Name);
        return WhyNot(ImageVersion.NewestIn(own), ImageVersion.NewestIn(desired.Select(item => item.Manifest))) is { } reason ? InConflict(planned, $"{reason} {why}") : planned;
    }

    /// <summary>One region after the other, the primary one last, and each only when what has to be upgraded before is.</summary>
    internal static List<PlannedComponent> RegionByRegion(
        EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<RegionObservation> observations, IReadOnlyList<PlannedComponent> planned)
    {
        var order = environment.Regions.OrderByDescending(region => region.Role).Select(region => region.Name).ToList();
        var steps = new List<PlannedComponent>();
        foreach (var step in planned.OrderBy(step => order.IndexOf(step.Region)))
        {
            var observed = observations.First(observation => observation.Region == step.Region);
            var missing = catalog.Find(step.Component)!.UpgradeAfter
                .Where(before => environment.Components.Any(known => known.Name == before && known.Enabled))
                .Select(before => WhyWait(environment, catalog.Find(before)!, observed))
                .OfType<string>().ToList();
            steps.Add((missing.Count > 0 ? InConflict(step, string.Join(" ", missing)) : step) with { DependsOn = steps.Count > 0 ? [steps[^1].Step] : [] });
        }

        return steps;
    }

    private static string? WhyWait(EnvironmentSpecification environment, ComponentDefinition before, RegionObservation observed)
    {
        var wanted = ImageVersion.NewestIn(ManifestRenderer.Render(environment, before, observed.Region).Select(item => item.Manifest));
        var there = ImageVersion.NewestIn(observed.Objects.Select(item => item.Manifest).Where(manifest => ObjectOwnership.IsOurs(manifest, environment, before.Name)));
        return wanted is null || there >= wanted ? null : $"{before.Name} has to be upgraded to {wanted} first, and it is {there?.ToString() ?? "not there"}.";
    }

    private static PlannedComponent InConflict(PlannedComponent step, string reason) => step with
    {
        Objects = [.. step.Objects.Select(planned => planned.Action is PlannedAction.Create or PlannedAction.Change ? planned with { Action = PlannedAction.Conflict, Reason = reason } : planned)],
    };
}
