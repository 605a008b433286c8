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
        var folders = files.Keys
            .Where(path => path.Contains('/', StringComparison.Ordinal))
            .Select(path => path[..path.IndexOf('/', StringComparison.Ordinal)])
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToList();
        var read = folders.Select(folder => ReadComponent(folder, files, problems)).OfType<ReadDefinition>().ToList();
        var components = read.Select(component => component.Definition).ToList();
        foreach (var component in read)
            CheckDependencies(component, folders);
        // A component that could not be read may declare or use anything: what follows would only be noise.
        if (read.Count == folders.Count)
        {
            foreach (var component in read)
            {
                CheckImports(component, components);
                CheckUse(component, components);
            }

            ManifestDuplicates.Report(components, problems);
        }

        if (folders.Count == 0)
            problems.Add(new("", $"the catalog is empty; a folder per component with a {DefinitionFile} is expected"));
        return problems.Count > 0
            ? new(null, problems)
            : new(new() { Components = components, Digest = CanonicalJson.Digest(string.Join('\n', components.Select(component => component.Digest))) }, []);
    }

    /// <param name="Reader">Knows the line of everything that the definition says.</param>
    private sealed record ReadDefinition(ComponentDefinition Definition, ShapeReader Reader);

    private static ReadDefinition? ReadComponent(string folder, IReadOnlyDictionary<string, string> files, List<Problem> problems)
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
        var imports = ((JsonObject)tree["imports"]!).ToDictionary(pair => pair.Key, pair => (string)pair.Value!);
        IReadOnlyList<string> known = [.. parameters.Select(parameter => parameter.Name), .. BuiltInParameters.Of(repeatFor)];
        foreach (var taken in imports.Keys.Where(known.Contains))
            reader.Report($"{folder}.imports.{taken}", "is a parameter of this component, or built in, already; remove one of the two");
        var manifests = new ManifestReader(folder, files, problems, reader).Read(tree, [.. known, .. imports.Keys]);
        if (problems.Count > before)
            return null;

        var space = (string)tree["namespace"]!;
        return new(new()
        {
            Name = folder,
            Summary = (string)tree["summary"]!,
            Plane = (string)tree["plane"]!,
            Namespace = space,
            DependsOn = [.. tree["dependsOn"]!.AsArray().Select(name => (string)name!)],
            Delivery = DeliveryKind.Manifests,
            RepeatFor = repeatFor,
            Parameters = parameters,
            Imports = imports,
            Health = [.. tree["health"]!.AsArray().Select((gate, index) => HealthGateReader.Read((JsonObject)gate!, space, $"{folder}.health[{index}]", reader)).OfType<HealthGate>()],
            Secrets = [.. tree["secrets"]!.AsArray().Select(secret => Secret((JsonObject)secret!, space))],
            Manifests = manifests,
            Digest = CanonicalJson.Digest(new JsonObject
            {
                ["component"] = tree.DeepClone(),
                ["manifests"] = new JsonArray([.. manifests.Select(manifest => manifest.Tree.DeepClone())]),
            }),
        }, reader);
    }

    private static SecretDefinition Secret(JsonObject tree, string space) => new(
        (string)tree["name"]!,
        (string?)tree["namespace"] ?? space,
        ((JsonObject)tree["literals"]!).ToDictionary(pair => pair.Key, pair => (string)pair.Value!),
        ((JsonObject)tree["generated"]!).ToDictionary(pair => pair.Key, pair => (int)(long)pair.Value!));

    private static void CheckDependencies(ReadDefinition component, List<string> folders)
    {
        foreach (var (needed, index) in component.Definition.DependsOn.Select((name, index) => (name, index)))
        {
            if (!folders.Contains(needed))
                component.Reader.Report($"{component.Definition.Name}.dependsOn[{index}]", $"{needed} is not in the catalog; add it, or remove it here. The catalog has {string.Join(", ", folders)}");
        }
    }

    private static void CheckImports(ReadDefinition component, List<ComponentDefinition> components)
    {
        foreach (var (name, owner) in component.Definition.Imports)
        {
            var path = $"{component.Definition.Name}.imports.{name}";
            if (components.Find(candidate => candidate.Name == owner) is not { } source)
                component.Reader.Report(path, $"{owner} is not in the catalog; name the component that declares {name}");
            else if (source.Parameters.All(parameter => parameter.Name != name))
                component.Reader.Report(path, $"{owner} does not declare {name}; declare it there, or import one of its parameters: {string.Join(", ", source.Parameters.Select(parameter => parameter.Name))}");
        }
    }

    private static void CheckUse(ReadDefinition component, List<ComponentDefinition> components)
    {
        var definition = component.Definition;
        var used = ManifestReader.NamesIn(definition.Manifests);
        foreach (var parameter in definition.Parameters.Where(parameter => !used.Contains(parameter.Name) && !components.Exists(other => other.Imports.Contains(new(parameter.Name, definition.Name)))))
            component.Reader.Report($"{definition.Name}.parameters.{parameter.Name}", "no manifest uses it: use it, or remove it");
        foreach (var import in definition.Imports.Keys.Where(name => !used.Contains(name)))
            component.Reader.Report($"{definition.Name}.imports.{import}", "no manifest uses it: use it, or remove it");
    }
}
