using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>The catalog and the reference platform of this repository, read as the product reads them, and what they render to.</summary>
internal static class CommittedCatalog
{
    public static CatalogResult Result { get; } = CatalogReader.Read(Repository.Texts("k8s/components"));

    public static ComponentCatalog Catalog { get; } = Result.Catalog ?? throw new InvalidOperationException(string.Join('\n', Result.Problems));

    public static SpecificationResult Reference { get; } = SpecificationReader.Read(Repository.Texts("examples/reference"), Catalog);

    public static EnvironmentSpecification Environment(string name) =>
        Reference.Specification?.Environments.Single(environment => environment.Name == name) ?? throw new InvalidOperationException(string.Join('\n', Reference.Problems));

    /// <summary>Every object of the environment's primary region, with the component that it belongs to.</summary>
    public static IReadOnlyList<(ComponentDefinition Component, DesiredObject Object)> Render(EnvironmentSpecification environment) =>
        [.. Catalog.Components.SelectMany(component => ManifestRenderer.Render(environment, component, environment.Regions[0].Name).Select(rendered => (component, rendered)))];

    /// <summary>The pod template of a workload with the labels that its controller adds; null for every other object.</summary>
    public static JsonObject? PodTemplate(DesiredObject rendered) =>
        rendered.Address.Kind is "Deployment" or "StatefulSet" or "DaemonSet" or "Job" ? (JsonObject)rendered.Manifest["spec"]!["template"]! : null;

    /// <summary>The values of a key anywhere below a node, for example of every <c>secretKeyRef</c>.</summary>
    public static IEnumerable<JsonNode> Everywhere(JsonNode? node, string key) => node switch
    {
        JsonObject map => map.SelectMany(pair => pair.Key == key && pair.Value is not null ? [pair.Value] : Everywhere(pair.Value, key)),
        JsonArray list => list.SelectMany(item => Everywhere(item, key)),
        _ => [],
    };
}
