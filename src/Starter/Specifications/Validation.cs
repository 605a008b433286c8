using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Specifications;

/// <summary>What is wrong with a specification and its catalog, with files named as somebody in the current directory would.</summary>
/// <param name="Specification">Null exactly when there are problems.</param>
/// <param name="Catalog">Null when the catalog itself has problems; then the specification cannot be judged.</param>
internal sealed record Validation(PlatformSpecification? Specification, ComponentCatalog? Catalog, IReadOnlyList<Problem> Problems)
{
    public static Validation Of(Locations locations)
    {
        var catalogFolder = SourceFolder.Read(locations.Catalog, "catalog");
        var specificationFolder = SourceFolder.Read(locations.Specification, "specification");
        var read = CatalogReader.Read(catalogFolder.Texts);
        if (read.Catalog is not { } catalog)
            return new(null, null, Named(read.Problems, catalogFolder));
        var cycles = Cycles(catalog).ToList();
        if (cycles.Count > 0)
            return new(null, null, cycles);
        var result = SpecificationReader.Read(specificationFolder.Texts, catalog);
        var zones = UnknownZones(result.Specification).ToList();
        return zones.Count > 0 ? new(null, catalog, zones) : new(result.Specification, catalog, Named(result.Problems, specificationFolder));
    }

    /// <summary>The failure of a command that needs a valid specification and was given this one.</summary>
    public CommandFailure Refusal(Locations locations)
    {
        var what = Catalog is null ? $"catalog {locations.Catalog}" : $"specification {locations.Specification}";
        var count = Problems.Count == 1 ? "1 problem" : $"{Problems.Count} problems";
        return new CommandFailure(
            ExitCode.Invalid, $"The {what} has {count}.",
            Catalog is null ? "A specification is read by what its catalog declares; it was not judged." : "Each line says where and what would be right.",
            "Correct them, then: platformops validate")
        {
            Problems = [.. Problems.Select(problem => problem.ToString())],
        };
    }

    /// <summary>How many objects an environment consists of, in all its regions.</summary>
    public int ObjectsOf(EnvironmentSpecification environment) => environment.Components
        .Where(component => component.Enabled)
        .Sum(component => (component.Regions.Count > 0 ? component.Regions : environment.Regions.Select(region => region.Name))
            .Sum(region => ManifestRenderer.Render(environment, Catalog!.Find(component.Name)!, region).Count));

    /// <summary>Checked here and not by the reader: which zones there are is the machine's knowledge. One without a time zone database leaves it to the server.</summary>
    private static IEnumerable<Problem> UnknownZones(PlatformSpecification? specification) => TimeZoneInfo.TryFindSystemTimeZoneById("Europe/Berlin", out _)
        ? (specification?.Environments ?? []).SelectMany(environment => environment.Schedules
            .Where(schedule => !TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out _))
            .Select(schedule => new Problem($"environments.{environment.Name}.schedules.{schedule.Name}.timeZone", $"'{schedule.TimeZone}' is in no time zone database; a name such as Europe/Berlin is expected")))
        : [];

    private static IEnumerable<Problem> Cycles(ComponentCatalog catalog)
    {
        try
        {
            DependencyGraph.Order(catalog.Dependencies);
            return [];
        }
        catch (DependencyException cycle)
        {
            return cycle.Problems.Select(problem => new Problem("dependsOn", problem));
        }
    }

    private static IReadOnlyList<Problem> Named(IEnumerable<Problem> problems, SourceFolder folder) =>
        [.. problems.Select(problem => problem.File is { } file ? problem with { File = folder.NameOf(file) } : problem)
            .OrderBy(problem => problem.File, StringComparer.Ordinal).ThenBy(problem => problem.Line)];
}
