using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Catalog;

/// <summary>Rules of what only the world knows: it must be somebody's to tell, and nothing may depend on it before it is known.</summary>
internal static class ObservedChecks
{
    public static void Check(ReadDefinition component, ComponentCatalog catalog)
    {
        var definition = component.Definition;
        var used = definition.Manifests.SelectMany(manifest => ManifestReader.TextsOf(manifest.Tree)).SelectMany(Placeholders.NamesIn).ToHashSet();
        var before = DependencyGraph.Closure([definition.Name], catalog.Dependencies);
        foreach (var observed in definition.Observed)
        {
            var path = $"{definition.Name}.observed.{observed.Name}";
            if (!used.Contains(observed.Name))
                component.Reader.Report(path, "no manifest uses it: use it, or remove it");
            if (!catalog.Components.Any(other => before.Contains(other.Name) && other.Kinds.Contains(observed.Kind)))
                component.Reader.Report(path, $"neither {definition.Name} nor anything that it depends on declares a {observed.Kind}: depend on the component that does");
            foreach (var unknown in Placeholders.NamesIn(observed.Object).Except([.. BuiltInParameters.Always, .. definition.Parameters.Select(parameter => parameter.Name), .. definition.Imports.Keys]))
                component.Reader.Report($"{path}.name", $"${{{unknown}}} is not a parameter of {definition.Name}");
            foreach (var manifest in definition.Manifests.Where(manifest => Decides(manifest, observed.Name)))
                component.Reader.Report(path, $"{manifest.File} needs it to say whether an object exists, or what it is called: that must be known before anything is there");
        }
    }

    private static bool Decides(ManifestTemplate manifest, string name) =>
        (manifest.When is { } when && Condition.Parse(when)!.Parameter == name)
        || new[] { manifest.Tree["metadata"]!["name"], manifest.Tree["metadata"]!["namespace"] }.SelectMany(ManifestReader.TextsOf).SelectMany(Placeholders.NamesIn).Contains(name);
}
