using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Cloudflare;

/// <summary>Cloudflare's API (v4) for zones and their DNS records.</summary>
internal sealed class CloudflareZones(JsonApi api)
{
    private const int ZonesOnPage = 50, RecordsOnPage = 1000;

    /// <summary>Every zone that our token may read: name to id.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ListAsync(CancellationToken ct) =>
        (await PagesAsync("zones", ZonesOnPage, "list the zones", ct)).ToDictionary(zone => (string)zone["name"]!, zone => (string)zone["id"]!);

    public async Task<IReadOnlyList<CloudflareRecord>> RecordsAsync(string zone, string id, CancellationToken ct) =>
        [.. (await PagesAsync($"zones/{id}/dns_records", RecordsOnPage, $"list the records of zone {zone}", ct)).Select(record => CloudflareRecord.Of(zone, record))];

    /// <summary>Carries all of it out, or nothing.</summary>
    /// <exception cref="AdapterException">Among others: <see cref="AdapterFailureKind.Exists"/>.</exception>
    public async Task ChangeAsync(
        string zone, string id, IEnumerable<CloudflareRecord> delete, IEnumerable<CloudflareRecord> put, IEnumerable<CloudflareRecord> create, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["deletes"] = new JsonArray([.. delete.Select(record => new JsonObject { ["id"] = record.Id })]),
            ["puts"] = new JsonArray([.. put.Select(record => record.ToBody())]),
            ["posts"] = new JsonArray([.. create.Select(record => record.ToBody())]),
        };
        try
        {
            _ = await api.SendAsync(HttpMethod.Post, $"client/v4/zones/{id}/dns_records/batch", $"change records of zone {zone}", body, ct)
                ?? throw new AdapterException(AdapterFailureKind.Moved, $"Cloudflare no longer has zone {zone}, or one of the records. Observe again.");
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Rejected && failure.Message.Contains("already exists", StringComparison.OrdinalIgnoreCase))
        {
            throw new AdapterException(AdapterFailureKind.Exists, failure.Message, failure);
        }
    }

    private async Task<List<JsonObject>> PagesAsync(string path, int size, string what, CancellationToken ct)
    {
        var found = new List<JsonObject>();
        for (var page = 1; ; page++)
        {
            var answer = await api.GetAsync($"client/v4/{path}?per_page={size}&page={page}", what, ct)
                ?? throw new AdapterException(AdapterFailureKind.Missing, $"Cloudflare cannot {what}: it says that there is nothing. Observe again.");
            var items = (answer["result"] as JsonArray ?? []).OfType<JsonObject>().ToList();
            found.AddRange(items);
            if (items.Count < size)
                return found;
        }
    }
}
