using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Provisioning;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary>A catalog of a few lines, and an environment that has all of it.</summary>
internal static class SmallCatalog
{
    public static EnvironmentSpecification Environment(ComponentCatalog catalog, Func<string, bool>? enabled = null) => TestEnvironment.Of(
        mayDestroy: true, [.. catalog.Components.Select(component => new ComponentSpecification { Name = component.Name, Enabled = enabled?.Invoke(component.Name) ?? true, Parameters = [] })]);

    /// <summary>Definitions by name, other files by path; what they leave out is filled in.</summary>
    public static CatalogResult Read(Dictionary<string, string> texts)
    {
        var files = texts.ToDictionary(pair => pair.Key.Contains('/', StringComparison.Ordinal) ? pair.Key : $"{pair.Key}/component.yaml", pair => pair.Value);
        foreach (var name in texts.Keys.Where(key => !key.Contains('/', StringComparison.Ordinal)))
        {
            var text = files[$"{name}/component.yaml"] + "\nsummary: A system.";
            foreach (var (key, value) in new[] { ("plane", "test"), ("namespace", "security"), ("health", "[]"), ("manifests", "[objects.yaml]") })
                text += text.Contains($"{key}: ", StringComparison.Ordinal) && (key != "namespace" || text.Contains("\nnamespace: ", StringComparison.Ordinal)) ? "" : $"\n{key}: {value}";
            files[$"{name}/component.yaml"] = text;
            if (text.Contains("manifests: [objects.yaml]", StringComparison.Ordinal))
                files.TryAdd($"{name}/objects.yaml", $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}");
        }

        return CatalogReader.Read(files);
    }
}
