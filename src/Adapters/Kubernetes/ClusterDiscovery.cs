using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>What a cluster serves.</summary>
/// <param name="Unread">Groups whose list of kinds could not be had, a sentence each: what serves them does not answer.</param>
public sealed record ServedResources(string Version, IReadOnlyList<ServedResource> Resources, IReadOnlyList<string> Unread);

/// <summary>Asks an API server for every kind that it serves.</summary>
public sealed class ClusterDiscovery(KubernetesConnection connection)
{
    /// <exception cref="AdapterException">The API server itself does not answer. A group that others serve for it may be missing.</exception>
    public async Task<ServedResources> ReadAsync(CancellationToken ct)
    {
        var version = (string?)(await connection.SendAsync(ApiCall.Get("/version", "get", "the version"), ct)).Body["gitVersion"] ?? "unknown";
        var groups = (await connection.SendAsync(ApiCall.Get("/apis", "get", "the list of API groups"), ct)).Body;
        var (found, unread) = (new List<ServedResource>(), new List<string>());
        found.AddRange(await ResourcesAsync("/api/v1", "v1", preferred: true, ct));
        foreach (var group in Items(groups["groups"]))
        {
            var preferred = (string?)group["preferredVersion"]?["groupVersion"];
            foreach (var served in Items(group["versions"]).Select(item => (string)item["groupVersion"]!))
            {
                try
                {
                    found.AddRange(await ResourcesAsync($"/apis/{served}", served, served == preferred, ct));
                }
                // Somebody else serves this group. Losing the whole backup for it would be worse than to say what is missing.
                catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Forbidden)
                {
                    unread.Add($"The kinds of {served} are not known: {failure.Message}");
                }
            }
        }

        return new(version, found, unread);
    }

    private async Task<IEnumerable<ServedResource>> ResourcesAsync(string root, string apiVersion, bool preferred, CancellationToken ct)
    {
        var answer = await connection.SendAsync(ApiCall.Get(root, "get", $"the resources of {apiVersion}"), ct);
        return Items(answer.Body["resources"])
            .Where(resource => !((string)resource["name"]!).Contains('/', StringComparison.Ordinal))
            .Select(resource => new ServedResource(
                new(apiVersion, (string)resource["kind"]!), (string)resource["name"]!, (bool?)resource["namespaced"] == true,
                [.. (resource["verbs"] as JsonArray ?? []).Select(verb => (string)verb!)], preferred));
    }

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}
