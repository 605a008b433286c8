using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Catalog;

/// <summary>Finds objects that would be declared twice: the two declarations would undo each other in every run.</summary>
internal static class ManifestDuplicates
{
    public static void Report(IReadOnlyList<ComponentDefinition> components, ICollection<Problem> problems)
    {
        var declared = components.SelectMany(component => component.Manifests.Select(manifest => (component, manifest, key: Key(component, manifest.Tree)))).ToList();
        foreach (var same in declared.GroupBy(declaration => (KindOf(declaration.manifest.Tree).Group, declaration.key)).Select(group => group.ToList()))
        {
            for (var later = 1; later < same.Count; later++)
            {
                var (component, manifest, key) = same[later];
                if (same.Take(later).FirstOrDefault(earlier => !Exclude(earlier.component, component) && !Exclude(earlier.manifest.When, manifest.When)) is { manifest: not null } first)
                    problems.Add(new(
                        component.Name, $"{key} is declared already in {File(first.component, first.manifest)}:{first.manifest.Line}; rename or remove one, or give both conditions that exclude each other",
                        File(component, manifest), manifest.Line));
            }
        }

        foreach (var (component, manifest, key) in declared.Where(declaration => declaration.component.RepeatFor == RepeatFor.Namespaces
            && !Placeholders.NamesIn(declaration.key).Contains("name")))
            problems.Add(new(
                component.Name, $"{key} would be the same for every namespace; put ${{name}} into metadata.name or metadata.namespace", File(component, manifest), manifest.Line));
    }

    private static string Key(ComponentDefinition component, JsonObject tree)
    {
        var metadata = tree["metadata"]!;
        var space = ManifestRenderer.IsClusterScoped(KindOf(tree)) ? "" : $"{metadata["namespace"] ?? component.Namespace}/";
        return $"{tree["kind"]} {space}{metadata["name"]}";
    }

    private static ObjectKind KindOf(JsonObject tree) => new((string)tree["apiVersion"]!, (string)tree["kind"]!);

    private static bool Exclude(ComponentDefinition one, ComponentDefinition other) => one.Excludes.Contains(other.Name) || other.Excludes.Contains(one.Name);

    private static bool Exclude(string? one, string? other) =>
        one is not null && other is not null && Condition.Parse(one)!.Excludes(Condition.Parse(other)!);

    private static string File(ComponentDefinition component, ManifestTemplate manifest) => $"{component.Name}/{manifest.File}";
}
