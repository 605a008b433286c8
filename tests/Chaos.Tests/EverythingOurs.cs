using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Sandbox;

namespace PlatformOps.Chaos.Tests;

/// <summary>Lists what carries our label in a region's cluster, of every kind that it serves, without the product's code.</summary>
internal static class EverythingOurs
{
    /// <summary>Made by controllers, with the labels of the Service or StatefulSet that they are made for.</summary>
    private static readonly string[] Copies = ["Endpoints", "EndpointSlice", "PersistentVolumeClaim"];

    /// <summary>The values of a Secret.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> SecretAsync(SandboxRegion region, string space, string name, CancellationToken ct)
    {
        using var client = Client(region);
        var secret = JsonNode.Parse(await client.GetStringAsync(new Uri($"/api/v1/namespaces/{space}/secrets/{name}", UriKind.Relative), ct))!;
        return secret["data"]!.AsObject().ToDictionary(value => value.Key, value => Encoding.UTF8.GetString(Convert.FromBase64String((string)value.Value!)));
    }

    /// <summary>Addresses, each as often as it is there; what a controller made out of something else is left out.</summary>
    public static async Task<IReadOnlyList<ResourceAddress>> ListAsync(SandboxRegion region, CancellationToken ct)
    {
        using var client = Client(region);
        var roots = new List<string> { "/api/v1" };
        foreach (var group in Items(await GetAsync("/apis"), "groups"))
            roots.AddRange(Items(group, "versions").Select(version => $"/apis/{version["groupVersion"]}"));
        var found = new List<ResourceAddress>();
        foreach (var root in roots)
        {
            foreach (var resource in Items(await GetAsync(root), "resources").Where(resource => !((string)resource["name"]!).Contains('/', StringComparison.Ordinal) && !Copies.Contains((string)resource["kind"]!)))
                found.AddRange(await OursAsync(root, resource));
        }

        return found;

        async Task<IEnumerable<ResourceAddress>> OursAsync(string root, JsonObject resource)
        {
            var list = await GetAsync($"{root}/{resource["name"]}?labelSelector={Uri.EscapeDataString($"{Ownership.ManagedByLabel}={Ownership.ManagedBy}")}");
            return Items(list, "items").Select(item => item["metadata"]!).Where(metadata => metadata["ownerReferences"] is null).Select(metadata => new ResourceAddress(
                region.Name, root[(root.IndexOf('/', 1) + 1)..], (string)resource["kind"]!, (string?)metadata["namespace"], (string)metadata["name"]!));
        }

        async Task<JsonObject> GetAsync(string path)
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), ct);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            return (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct))!;
        }
    }

    private static HttpClient Client(SandboxRegion region)
    {
        var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator }) { BaseAddress = region.ApiServer };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", region.Kubeconfig.Split("token: \"")[1].Split('"')[0]);
        return client;
    }

    private static IEnumerable<JsonObject> Items(JsonObject of, string name) => (of[name] as JsonArray ?? []).OfType<JsonObject>();
}
