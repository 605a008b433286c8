using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;
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
        var read = WithApplications([.. folders.Select(folder => ReadComponent(folder, files, problems)).OfType<ReadDefinition>()]);
        var catalog = new ComponentCatalog
        {
            Components = [.. read.Select(component => component.Definition)],
            Digest = CanonicalJson.Digest(string.Join('\n', read.Select(component => component.Definition.Digest))),
        };
        foreach (var component in read)
            CatalogChecks.CheckNames(component, folders);
        // A component that could not be read may declare or use anything: what follows would only be noise.
        if (read.Count == folders.Count)
        {
            CatalogChecks.Check(read, catalog);
            ManifestDuplicates.Report(catalog.Components, problems);
        }

        if (folders.Count == 0)
            problems.Add(new("", $"the catalog is empty; a folder per component with a {DefinitionFile} is expected"));
        return problems.Count > 0 ? new(null, problems) : new(catalog, []);
    }

    /// <summary>Where the Applications of charts live, another component says: the one that provides them. Each is waited for.</summary>
    private static List<ReadDefinition> WithApplications(List<ReadDefinition> read)
    {
        var space = read.Find(component => component.Definition.Provides.Contains(ArgoApplication.Kind))?.Definition.Namespace ?? "";
        return [.. read.Select(component => component.Definition is { Chart: { } chart } definition
            ? component with
            {
                Definition = definition with
                {
                    Chart = chart with { ApplicationNamespace = space },
                    Health = [new ApplicationGate(definition.Name, space), .. definition.Health],
                },
            }
            : component)];
    }

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
        var space = (string)tree["namespace"]!;
        var observed = ((JsonObject)tree["observed"]!).Select(pair => Observed(pair.Key, (JsonObject)pair.Value!, space)).ToList();
        IReadOnlyList<string> known = [.. parameters.Select(parameter => parameter.Name), .. BuiltInParameters.Of(repeatFor)];
        foreach (var taken in imports.Keys.Where(known.Contains))
            reader.Report($"{folder}.imports.{taken}", "is a parameter of this component, or built in, already; remove one of the two");
        foreach (var taken in observed.Select(item => item.Name).Where(name => known.Contains(name) || imports.ContainsKey(name)))
            reader.Report($"{folder}.observed.{taken}", "is a parameter of this component, imported, or built in, already; remove one of the two");
        var delivery = ComponentShape.DeliveryKinds[(string)tree["delivery"]!];
        var templates = new ManifestReader(folder, files, problems, reader);
        var manifests = templates.Manifests(tree, [.. known, .. imports.Keys, .. observed.Select(item => item.Name)]);
        var chart = Chart(folder, tree, space, delivery, templates.Values(tree, [.. known, .. imports.Keys]), reader);
        templates.ReportUnlisted();
        IReadOnlyList<HealthGate> health = [.. tree["health"]!.AsArray().Select((gate, index) => HealthGateReader.Read((JsonObject)gate!, space, $"{folder}.health[{index}]", reader)).OfType<HealthGate>()];
        IReadOnlyList<RotationDefinition> rotations =
            [.. tree["rotations"]!.AsArray().Select((rotation, index) => RotationReader.Read((JsonObject)rotation!, space, $"{folder}.rotations[{index}]", health, reader)).OfType<RotationDefinition>()];
        var scaling = tree["scaling"] is JsonObject scaled ? ScalingReader.Read(scaled, space, $"{folder}.scaling", parameters, [.. known, .. imports.Keys], reader) : null;
        if (problems.Count > before)
            return null;

        return new(new()
        {
            Name = folder,
            Summary = (string)tree["summary"]!,
            Plane = (string)tree["plane"]!,
            Namespace = space,
            DependsOn = Names(tree, "dependsOn"),
            DependsOnPrimary = Names(tree, "dependsOnPrimary"),
            Excludes = Names(tree, "excludes"),
            Provides = [.. Names(tree, "provides").Select(ObjectKind.Parse)],
            UpgradeAfter = Names(tree, "upgradeAfter"),
            OneMinorAtATime = (string?)tree["oneMinorAtATime"],
            Delivery = delivery,
            Chart = chart,
            RepeatFor = repeatFor,
            Parameters = parameters,
            Imports = imports,
            Observed = observed,
            Health = health,
            Rotations = rotations,
            Certificates = [.. tree["certificates"]!.AsArray().Select(certificate => CertificateReader.Certificate((JsonObject)certificate!, space))],
            CertificateAuthorities = [.. tree["certificateAuthorities"]!.AsArray().Select(authority => CertificateReader.Authority((JsonObject)authority!, space))],
            Backups = [.. tree["backups"]!.AsArray().Select(backup => BackupReader.Read((JsonObject)backup!))],
            Scaling = scaling,
            Secrets = [.. tree["secrets"]!.AsArray().Select(secret => Secret((JsonObject)secret!, space))],
            Manifests = manifests,
            Digest = CanonicalJson.Digest(new JsonObject
            {
                ["component"] = tree.DeepClone(),
                ["manifests"] = new JsonArray([.. manifests.Concat(chart?.Values ?? []).Select(manifest => manifest.Tree.DeepClone())]),
            }),
        }, reader);
    }

    /// <summary>Null when the component has none, as only a delivery by gitops may.</summary>
    private static ChartDefinition? Chart(string folder, JsonObject tree, string space, DeliveryKind delivery, IReadOnlyList<ManifestTemplate> values, ShapeReader reader)
    {
        var chart = tree["chart"];
        if (delivery == DeliveryKind.GitOps && chart is null)
            reader.Report($"{folder}.chart", "is missing: delivery gitops installs a chart; give its repository, name and version, or deliver the manifests");
        else if (delivery != DeliveryKind.GitOps && (chart is not null || values.Count > 0))
            reader.Report($"{folder}.{(chart is null ? "values" : "chart")}", $"is only for delivery gitops, and this is {tree["delivery"]}; set delivery to gitops, or remove it");
        else if (delivery != DeliveryKind.GitOps && tree["manifests"]!.AsArray().Count == 0)
            reader.Report($"{folder}.manifests", "is missing: list the files that are to be applied");
        return chart is null ? null : new((string)chart["repository"]!, (string)chart["name"]!, (string)chart["version"]!, (string?)chart["namespace"] ?? space, "", values);
    }

    private static IReadOnlyList<string> Names(JsonObject tree, string key) => [.. tree[key]!.AsArray().Select(name => (string)name!)];

    private static SecretDefinition Secret(JsonObject tree, string space) => new(
        (string)tree["name"]!,
        (string?)tree["namespace"] ?? space,
        ((JsonObject)tree["literals"]!).ToDictionary(pair => pair.Key, pair => (string)pair.Value!),
        ((JsonObject)tree["generated"]!).ToDictionary(pair => pair.Key, pair => (int)(long)pair.Value!),
        (bool)tree["sameInAllRegions"]!)
    {
        NotRotated = ((JsonObject)tree["notRotated"]!).ToDictionary(pair => pair.Key, pair => (string)pair.Value!),
    };

    private static ObservedParameter Observed(string name, JsonObject tree, string space)
    {
        var kind = new ObjectKind((string)tree["apiVersion"]!, (string)tree["kind"]!);
        return new(name, kind, (string)tree["name"]!, ManifestRenderer.IsClusterScoped(kind) ? null : (string?)tree["namespace"] ?? space, (string)tree["field"]!);
    }
}
