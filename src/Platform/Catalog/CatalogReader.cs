using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Catalog;

/// <summary>The catalog that was read, or why there is none. <paramref name="Catalog"/> is null exactly when there are problems.</summary>
public sealed record CatalogResult(ComponentCatalog? Catalog, IReadOnlyList<Problem> Problems);

/// <summary>Reads the catalog from the texts of <c>k8s/components</c>.</summary>
public static class CatalogReader
{
    private const string DefinitionFile = "component.yaml";

    /// <summary>Reads every component and checks what can be checked without a specification.</summary>
    /// <param name="files">Text by path relative to the catalog's folder, for example <c>redis/component.yaml</c>.</param>
    public static CatalogResult Read(IReadOnlyDictionary<string, string> files)
    {
        var problems = new List<Problem>();
        var components = files.Keys
            .Where(path => path.Contains('/', StringComparison.Ordinal))
            .Select(path => path[..path.IndexOf('/', StringComparison.Ordinal)])
            .Distinct()
            .Order(StringComparer.Ordinal)
            .Select(folder => ReadComponent(folder, files, problems))
            .OfType<ComponentDefinition>()
            .ToList();
        CheckDependencies(components, problems);
        if (components.Count == 0 && problems.Count == 0)
            problems.Add(new("", $"the catalog is empty; a folder per component with a {DefinitionFile} is expected"));
        return problems.Count > 0
            ? new(null, problems)
            : new(new() { Components = components, Digest = CanonicalJson.Digest(string.Join('\n', components.Select(component => component.Digest))) }, []);
    }

    private static ComponentDefinition? ReadComponent(string folder, IReadOnlyDictionary<string, string> files, List<Problem> problems)
    {
        var before = problems.Count;
        var file = $"{folder}/{DefinitionFile}";
        if (!files.TryGetValue(file, out var text))
        {
            problems.Add(new(folder, $"has no {DefinitionFile}"));
            return null;
        }

        if (SourceReader.ReadMap(file, text, problems) is not { } source)
            return null;
        var reader = new ShapeReader(problems);
        var tree = (JsonObject)reader.Read(source, ComponentShape.Component, folder)!;
        if (problems.Count > before)
            return null;
        if ((string)tree["name"]! != folder)
            reader.Report($"{folder}.name", $"'{tree["name"]}' is not the folder's name {folder}");

        var repeatFor = tree["repeatFor"] is null ? RepeatFor.Nothing : RepeatFor.Namespaces;
        var parameters = ((JsonObject)tree["parameters"]!).Select(pair => ParameterReader.Read(folder, pair.Key, (JsonObject)pair.Value!, reader)).ToList();
        var manifests = new ManifestReader(folder, files, problems, reader).Read(tree, [.. parameters.Select(parameter => parameter.Name), .. BuiltInParameters.Of(repeatFor)]);
        ManifestReader.ReportUnused(folder, parameters, manifests, reader);
        if (problems.Count > before)
            return null;

        var space = (string)tree["namespace"]!;
        return new()
        {
            Name = folder,
            Summary = (string)tree["summary"]!,
            Plane = (string)tree["plane"]!,
            Namespace = space,
            DependsOn = [.. tree["dependsOn"]!.AsArray().Select(name => (string)name!)],
            Delivery = DeliveryKind.Manifests,
            RepeatFor = repeatFor,
            Parameters = parameters,
            Health = [.. tree["health"]!.AsArray().Select((gate, index) => HealthGateReader.Read((JsonObject)gate!, space, $"{folder}.health[{index}]", reader)).OfType<HealthGate>()],
            Secrets = [.. tree["secrets"]!.AsArray().Select(secret => Secret((JsonObject)secret!, space))],
            Manifests = manifests,
            Digest = CanonicalJson.Digest(new JsonObject
            {
                ["component"] = tree.DeepClone(),
                ["manifests"] = new JsonArray([.. manifests.Select(manifest => manifest.Tree.DeepClone())]),
            }),
        };
    }

    private static SecretDefinition Secret(JsonObject tree, string space) => new(
        (string)tree["name"]!,
        (string?)tree["namespace"] ?? space,
        ((JsonObject)tree["literals"]!).ToDictionary(pair => pair.Key, pair => (string)pair.Value!),
        ((JsonObject)tree["generated"]!).ToDictionary(pair => pair.Key, pair => (int)(long)pair.Value!));

    private static void CheckDependencies(List<ComponentDefinition> components, List<Problem> problems)
    {
        var names = components.Select(component => component.Name).ToHashSet();
        foreach (var component in components)
        {
            foreach (var missing in component.DependsOn.Where(name => !names.Contains(name)))
                problems.Add(new($"{component.Name}.dependsOn", $"{missing} is not in the catalog", $"{component.Name}/{DefinitionFile}"));
        }
    }
}
