using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;

namespace PlatformOps.Chaos.Tests;

/// <summary>Calls of the sandbox's Cloudflare, without the product's code.</summary>
internal sealed class CloudflareWire : IDisposable
{
    private readonly HttpClient client;

    private CloudflareWire(HttpClient client) => this.client = client;

    public static async Task<CloudflareWire> OpenAsync(ExternalAccess cloudflare, CancellationToken ct)
    {
        var client = new HttpClient { BaseAddress = new(cloudflare.Address!) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", await File.ReadAllTextAsync(cloudflare.TokenFile!, ct));
        return new(client);
    }

    public async Task<IReadOnlyList<(string Zone, JsonNode Record)>> RecordsAsync(CancellationToken ct)
    {
        var found = new List<(string, JsonNode)>();
        foreach (var zone in await ResultAsync("client/v4/zones", ct))
            found.AddRange((await ResultAsync($"client/v4/zones/{zone["id"]}/dns_records", ct)).Select(record => ((string)zone["id"]!, record)));
        return found;
    }

    /// <summary>Writes a record in the place of the one that has its id.</summary>
    public async Task PutAsync(string zone, JsonNode record, CancellationToken ct)
    {
        using var answer = await client.PostAsJsonAsync(new Uri($"client/v4/zones/{zone}/dns_records/batch", UriKind.Relative), new JsonObject { ["puts"] = new JsonArray(record.DeepClone()) }, ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    public void Dispose() => client.Dispose();

    private async Task<IEnumerable<JsonNode>> ResultAsync(string path, CancellationToken ct) =>
        JsonNode.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative), ct))!["result"]!.AsArray().OfType<JsonNode>();
}
