using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>What a server serves: every kind in its preferred version that can be listed, watched and deleted.</summary>
internal static class Discovery
{
    public static async Task<IReadOnlyList<ApiResource>> ReadAsync(ClusterClient client, CancellationToken ct)
    {
        var groups = (await client.GetAsync("apis", ct)).Items("groups")
            .Select(group => (Name: group.Text("name") ?? "", Version: group.At("preferredVersion").Text("version") ?? ""))
            // An old name of kinds that other groups serve too.
            .Where(group => group.Name != "extensions")
            .Prepend((Name: "", Version: "v1"));
        List<ApiResource> found = [];
        foreach (var (name, version) in groups)
        {
            var path = name.Length == 0 ? $"api/{version}" : $"apis/{name}/{version}";
            found.AddRange((await client.GetAsync(path, ct)).Items("resources").Where(IsObject).Select(item =>
                new ApiResource(name, version, item.Text("kind") ?? "", item.Text("name") ?? "", item.Flag("namespaced"))));
        }
        return found;
    }

    /// <summary>The kind that a CustomResourceDefinition declares, or null while it is not served.</summary>
    public static ApiResource? Declared(ClusterObject definition)
    {
        var established = definition.Status.Item("conditions", "type", "Established")?.Text("status") == "True";
        var version = definition.Spec.Items("versions").Where(version => version.Flag("served"))
            .OrderByDescending(version => version.Flag("storage")).FirstOrDefault();
        return !established || definition.Deleting || version is null
            ? null
            : new(definition.Spec.Text("group") ?? "", version.Text("name") ?? "", definition.Spec.At("names").Text("kind") ?? "",
                definition.Spec.At("names").Text("plural") ?? "", definition.Spec.Text("scope") == "Namespaced");
    }

    private static bool IsObject(JsonNode resource)
    {
        var verbs = resource.Items("verbs").Select(verb => verb.GetValue<string>()).ToHashSet();
        return resource.Text("name")?.Contains('/') == false && verbs.IsSupersetOf(["list", "watch", "delete"]);
    }
}
