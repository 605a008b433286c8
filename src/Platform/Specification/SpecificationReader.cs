using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Specification;

/// <summary>The platform that was read, or why there is none. <paramref name="Specification"/> is null exactly when there are problems.</summary>
public sealed record SpecificationResult(PlatformSpecification? Specification, IReadOnlyList<Problem> Problems);

/// <summary>Reads a platform from the texts of its folder: <c>platform.yaml</c> and one overlay per environment in <c>environments/</c>.</summary>
public static class SpecificationReader
{
    private const string PlatformFile = "platform.yaml";
    private const string EnvironmentFolder = "environments/";

    /// <summary>Reads and checks everything; finds every problem, not only the first.</summary>
    /// <param name="files">Text by path relative to the specification's folder.</param>
    /// <param name="catalog">Which components there are, and what may be said of them.</param>
    public static SpecificationResult Read(IReadOnlyDictionary<string, string> files, ComponentCatalog catalog)
    {
        var problems = new List<Problem>();
        if (!files.TryGetValue(PlatformFile, out var text))
            return new(null, [new("", $"there is no {PlatformFile} in the specification's folder")]);
        var platform = SourceReader.ReadMap(PlatformFile, text, problems);
        if (platform is not null)
            ReadPlatform(platform, catalog, problems);

        var environments = new List<EnvironmentSpecification>();
        foreach (var file in files.Keys.Where(IsEnvironment).Order(StringComparer.Ordinal))
        {
            var overlay = SourceReader.ReadMap(file, files[file], problems);
            if (platform is not null && overlay is not null && ReadEnvironment(file, platform, overlay, catalog, problems) is { } environment)
                environments.Add(environment);
        }

        if (!files.Keys.Any(IsEnvironment))
            problems.Add(new("environments", $"there is no environment; a file such as {EnvironmentFolder}development.yaml is expected", PlatformFile, 1));
        return problems.Count > 0
            ? new(null, [.. problems.Distinct()])
            : new(new() { Name = environments[0].Platform, Environments = [.. environments.OrderBy(environment => environment.Name, StringComparer.Ordinal)] }, []);
    }

    private static bool IsEnvironment(string path) =>
        path.StartsWith(EnvironmentFolder, StringComparison.Ordinal) && path.EndsWith(".yaml", StringComparison.Ordinal);

    /// <summary>Only the values: what is missing may come from the overlays.</summary>
    private static void ReadPlatform(SourceMap platform, ComponentCatalog catalog, List<Problem> problems)
    {
        var shape = PlatformShape.Platform(catalog);
        var found = new List<Problem>();
        new ShapeReader(found).Read(platform, shape, "");
        problems.AddRange(found.Where(problem => !problem.Message.StartsWith("is missing", StringComparison.Ordinal) || !problem.Path.Contains('.', StringComparison.Ordinal)));
    }

    private static EnvironmentSpecification? ReadEnvironment(string file, SourceMap platform, SourceMap overlay, ComponentCatalog catalog, List<Problem> problems)
    {
        var name = file[EnvironmentFolder.Length..^".yaml".Length];
        var path = $"environments.{name}";
        var found = new List<Problem>();
        var reader = new ShapeReader(found);
        var tree = (JsonObject)reader.Read(platform.Overlay(overlay), PlatformShape.Environment(catalog), path)!;
        if ((string?)tree["name"] is { } declared && declared != name)
            reader.Report($"{path}.name", $"'{declared}' is not the file's name {name}");
        var readable = found.Count == 0;
        // What the platform file alone gets wrong has been reported without an environment's name.
        found.RemoveAll(problem => problems.Exists(known => known.File == problem.File && known.Line == problem.Line && known.Message == problem.Message));
        if (readable && platform.Find("name") is SourceScalar platformName)
        {
            var environment = EnvironmentBinder.Bind(platformName.Text, tree);
            EnvironmentChecks.Check(environment, tree, catalog, path, reader);
            if (found.Count == 0)
                return environment;
        }

        problems.AddRange(found);
        return null;
    }
}
