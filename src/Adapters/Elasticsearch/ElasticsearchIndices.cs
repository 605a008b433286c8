using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Adapters.Elasticsearch;

/// <summary>Indices of an Elasticsearch cluster, with hidden ones: what they are, how many documents they have, and whether their shards are there.</summary>
public sealed class ElasticsearchIndices
{
    private readonly JsonApi api;

    internal ElasticsearchIndices(JsonApi api) => this.api = api;

    /// <summary>Whether each is open, by name.</summary>
    public async Task<IReadOnlyDictionary<string, bool>> ListAsync(CancellationToken ct) => (await RowsAsync("_cat/indices?format=json&h=index,status&expand_wildcards=all", "list its indices", ct))
        .ToDictionary(row => (string)row["index"]!, row => (string?)row["status"] == "open");

    /// <summary>How many changes each open one has seen: a number that only grows, as long as it is the same index.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ChangesAsync(CancellationToken ct)
    {
        var stats = await api.GetAsync(
            "_stats/docs?level=shards&expand_wildcards=open,hidden&filter_path=indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no.max_seq_no", "count the changes of its indices", ct);
        return (stats?["indices"] as JsonObject ?? []).ToDictionary(
            index => index.Key,
            index => (index.Value?["shards"] as JsonObject ?? []).SelectMany(shard => shard.Value!.AsArray())
                .Where(copy => (bool?)copy!["routing"]?["primary"] == true).Sum(copy => 1 + ((long?)copy!["seq_no"]?["max_seq_no"] ?? -1)));
    }

    /// <summary>Has searches see everything that was written.</summary>
    public Task RefreshAsync(CancellationToken ct) => api.SendAsync(HttpMethod.Post, "_refresh?expand_wildcards=open,hidden", "refresh its indices", null, ct);

    /// <summary>How many documents a search finds in it. Null: there is no such index.</summary>
    public async Task<long?> CountAsync(string index, CancellationToken ct) => (long?)(await api.GetAsync($"{Escaped(index)}/_count", $"count the documents of {index}", ct))?["count"];

    /// <summary>A document; null when there is none.</summary>
    public async Task<JsonObject?> ReadAsync(string index, string id, CancellationToken ct) => (await api.GetAsync($"{Escaped(index)}/_doc/{Escaped(id)}", $"read {id} of {index}", ct))?["_source"] as JsonObject;

    /// <summary>Writes a document into an index of ours that no search over all meets; the index is made when it is not there.</summary>
    public async Task WriteAsync(string index, string id, JsonObject document, CancellationToken ct)
    {
        if (await FindAsync(index, ct) is null)
        {
            try
            {
                await api.SendAsync(HttpMethod.Put, Escaped(index), $"create {index}", new JsonObject
                {
                    ["settings"] = new JsonObject { ["index"] = new JsonObject { ["number_of_shards"] = 1, ["auto_expand_replicas"] = "0-1", ["hidden"] = true } },
                }, ct);
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Rejected && failure.Message.Contains("already exists", StringComparison.Ordinal))
            {
                // Somebody else made it meanwhile.
            }
        }

        await api.SendAsync(HttpMethod.Put, $"{Escaped(index)}/_doc/{Escaped(id)}?refresh=true", $"write {id} into {index}", document, ct);
    }

    /// <summary>Removes a document. One that is not there is removed.</summary>
    public Task RemoveAsync(string index, string id, CancellationToken ct) => api.SendAsync(HttpMethod.Delete, $"{Escaped(index)}/_doc/{Escaped(id)}?refresh=true", $"remove {id} from {index}", null, ct);

    /// <summary>Removes an index. One that is not there is removed.</summary>
    public Task DeleteAsync(string index, CancellationToken ct) => api.SendAsync(HttpMethod.Delete, Escaped(index), $"delete {index}", null, ct);

    /// <summary>What each index is, hidden ones and closed ones too.</summary>
    public async Task<IReadOnlyDictionary<string, LiveSearchIndex>> DescribeAsync(CancellationToken ct)
    {
        var (open, aliases) = (await ListAsync(ct), await api.GetAsync("_alias?expand_wildcards=all", "list its aliases", ct));
        var settings = await api.GetAsync("_all/_settings/index.uuid,index.blocks.write?flat_settings=true&expand_wildcards=all", "read the settings of its indices", ct) as JsonObject ?? [];
        return settings.Where(index => open.ContainsKey(index.Key)).ToDictionary(
            index => index.Key,
            index => new LiveSearchIndex(
                index.Key, (string?)index.Value?["settings"]?["index.uuid"] ?? "", (string?)index.Value?["settings"]?["index.blocks.write"] == "true",
                [.. (aliases?[index.Key]?["aliases"] as JsonObject ?? []).Select(alias => alias.Key)], open[index.Key]));
    }

    /// <summary>Has an index take no writes, or take them.</summary>
    public Task BlockWritesAsync(string index, bool blocked, CancellationToken ct) => api.SendAsync(
        HttpMethod.Put, $"{Escaped(index)}/_settings", $"{(blocked ? "stop" : "allow")} writes into {index}", new JsonObject { ["index.blocks.write"] = blocked ? true : null }, ct);

    /// <summary>Closes an index, or opens it.</summary>
    public Task CloseAsync(string index, bool closed, CancellationToken ct) => api.SendAsync(HttpMethod.Post, $"{Escaped(index)}/{(closed ? "_close" : "_open")}", $"{(closed ? "close" : "open")} {index}", null, ct);

    /// <summary>Whether an index came from a snapshot.</summary>
    public async Task<bool> CameFromAsync(string index, string snapshot, CancellationToken ct) =>
        ((await api.GetAsync($"{Escaped(index)}/_recovery", $"read where {index} came from", ct))?[index]?["shards"] as JsonArray ?? [])
            .Any(shard => (string?)shard?["type"] == "SNAPSHOT" && (string?)shard["source"]?["snapshot"] == snapshot);

    /// <summary>Its primary shards, those that are closed left out.</summary>
    public async Task<IReadOnlyList<PrimaryShard>> PrimariesAsync(CancellationToken ct) =>
        [.. (await RowsAsync("_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason", "list its shards", ct)).Where(row => (string?)row["prirep"] == "p")
            .Select(row => new PrimaryShard((string)row["index"]!, int.Parse((string)row["shard"]!, CultureInfo.InvariantCulture), (string?)row["state"] ?? "", (string?)row["unassigned.reason"]))];

    /// <summary>Why a shard that was to be restored is given up; null: it is not.</summary>
    public async Task<string?> WhyGivenUpAsync(PrimaryShard shard, CancellationToken ct)
    {
        var explained = await api.SendAsync(
            HttpMethod.Post, "_cluster/allocation/explain", $"explain why shard {shard.Number} of {shard.Index} is not there",
            new JsonObject { ["index"] = shard.Index, ["shard"] = shard.Number, ["primary"] = true }, ct);
        var final = (explained?["node_allocation_decisions"] as JsonArray ?? []).SelectMany(node => node?["deciders"] as JsonArray ?? [])
            .Any(decider => (string?)decider?["decider"] is "restore_in_progress" or "max_retry" && (string?)decider["decision"] == "NO");
        return final ? (string?)explained?["unassigned_info"]?["details"] ?? "Elasticsearch does not say why." : null;
    }

    /// <summary>How many bytes fit onto its disks before the low watermark of 85 %; null: it does not say.</summary>
    public async Task<long?> RoomAsync(CancellationToken ct)
    {
        var rows = (await RowsAsync("_cat/allocation?format=json&bytes=b&h=node,disk.avail,disk.total", "tell how much room it has", ct))
            .Where(row => (string?)row["node"] != "UNASSIGNED").Select(row => (Free: Number(row["disk.avail"]), Total: Number(row["disk.total"]))).ToList();
        return rows.Count == 0 || rows.Exists(row => row.Free is null || row.Total is null) ? null : rows.Sum(row => Math.Max(0, row.Free!.Value - (long)(0.15 * row.Total!.Value)));
    }

    internal static string Escaped(string part) => Uri.EscapeDataString(part);

    private async Task<JsonObject?> FindAsync(string index, CancellationToken ct) => (await api.GetAsync(Escaped(index), $"read {index}", ct))?[index] as JsonObject;

    private async Task<IEnumerable<JsonObject>> RowsAsync(string path, string what, CancellationToken ct) => (await api.GetAsync(path, what, ct) as JsonArray ?? []).OfType<JsonObject>();

    private static long? Number(JsonNode? value) => long.TryParse((string?)value, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <param name="State">As Elasticsearch says it: <c>STARTED</c>, <c>INITIALIZING</c>, <c>UNASSIGNED</c>, <c>RELOCATING</c>.</param>
/// <param name="Why">Why it is nowhere; null: it is somewhere.</param>
public sealed record PrimaryShard(string Index, int Number, string State, string? Why);
