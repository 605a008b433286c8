using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Bench.Provisioning;

/// <summary>The objects of a cluster as they were applied, by component: what somebody would have in files.</summary>
internal static class AppliedObjects
{
    private const string Ours = $"{Ownership.ManagedByLabel}={Ownership.ManagedBy}";

    /// <summary>Of every kind that the cluster serves.</summary>
    public static async Task<ILookup<string, JsonObject>> ReadAsync(string kubeconfig)
    {
        var roots = new List<string> { "/api/v1" };
        roots.AddRange(Items(await GetAsync("/apis"), "groups").SelectMany(group => Items(group, "versions")).Select(version => $"/apis/{version["groupVersion"]}"));
        var found = new List<JsonObject>();
        foreach (var root in roots)
        {
            foreach (var kind in Items(await GetAsync(root), "resources").Where(kind => !((string)kind["name"]!).Contains('/', StringComparison.Ordinal)))
            {
                foreach (var live in Items(await GetAsync($"{root}/{kind["name"]}?labelSelector={Uri.EscapeDataString(Ours)}"), "items"))
                {
                    // Lists leave out what their items are.
                    (live["apiVersion"], live["kind"]) = (root[(root.IndexOf('/', 1) + 1)..], (string)kind["kind"]!);
                    found.Add(live);
                }
            }
        }

        return found.Where(live => live["metadata"]!["ownerReferences"] is null && Manifest(live) is not null)
            .OrderBy(live => (string?)live["kind"] == "Namespace" ? 0 : 1)
            .ToLookup(live => (string?)live["metadata"]!["labels"]?[Ownership.ComponentLabel] ?? "", live => Manifest(live)!);

        async Task<JsonObject> GetAsync(string path) => (JsonObject)JsonNode.Parse(await Kubectl.RunAsync(kubeconfig, "get", "--raw", path))!;
    }

    private static JsonObject? Manifest(JsonObject live) => ManagedManifest.Of(live) ?? ((string?)live["kind"] == "Secret" ? Secret(live) : null);

    private static JsonObject Secret(JsonObject live) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = live["metadata"]!["name"]!.DeepClone(), ["namespace"] = live["metadata"]!["namespace"]!.DeepClone() },
        ["data"] = live["data"]?.DeepClone(),
    };

    private static IEnumerable<JsonObject> Items(JsonObject of, string name) => (of[name] as JsonArray ?? []).OfType<JsonObject>();
}
