using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Scaling;

namespace PlatformOps.Adapters.Elasticsearch;

/// <summary>An Elasticsearch cluster.</summary>
public sealed class ElasticsearchCluster(JsonApi api) : IDisposable
{
    /// <summary>Names of nodes that no shard may stay on (https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/cluster-level-shard-allocation-routing-settings).</summary>
    private const string Exclusion = "cluster.routing.allocation.exclude._name";

    public ElasticsearchIndices Indices { get; } = new(api);

    public ElasticsearchSnapshots Snapshots { get; } = new(api);

    /// <inheritdoc/>
    public void Dispose() => api.Dispose();

    /// <summary>How it is: <c>status</c> green, yellow or red, nodes and shards. Asked of the node, without waiting.</summary>
    public async Task<JsonObject> HealthAsync(CancellationToken ct) => await api.GetAsync("_cluster/health", "tell its cluster's health", ct) as JsonObject
        ?? throw new AdapterException(AdapterFailureKind.NotServed, "Elasticsearch has no _cluster/health at that address. Correct the address in the connections file.");

    /// <summary>Its nodes that hold data, with what each holds, and which are being emptied.</summary>
    public async Task<SearchNodes> NodesAsync(CancellationToken ct)
    {
        var health = await HealthAsync(ct);
        var allocation = await api.GetAsync("_cat/allocation?format=json&h=node,shards", "list how shards are allocated", ct) as JsonArray ?? [];
        var memory = (await api.GetAsync("_nodes/jvm?filter_path=nodes.*.name,nodes.*.jvm.mem.heap_max_in_bytes", "list its nodes", ct))?["nodes"] as JsonObject ?? [];
        var shards = allocation.OfType<JsonObject>().Where(row => (string?)row["node"] != "UNASSIGNED").ToDictionary(row => (string)row["node"]!, row => int.Parse((string)row["shards"]!, CultureInfo.InvariantCulture));
        return new(
            (string?)health["status"],
            memory.Select(node => node.Value!).Where(node => shards.ContainsKey((string)node["name"]!))
                .ToDictionary(node => (string)node["name"]!, node => new SearchNode(shards[(string)node["name"]!], (long?)node["jvm"]?["mem"]?["heap_max_in_bytes"] ?? 0)),
            await EmptiedAsync(ct));
    }

    /// <summary>Has the nodes of these names give their shards to the others; none: nobody has to any more.</summary>
    public Task EmptyAsync(IReadOnlyCollection<string> nodes, CancellationToken ct) => api.SendAsync(
        HttpMethod.Put, "_cluster/settings", "set which nodes are emptied",
        new JsonObject { ["persistent"] = new JsonObject { [Exclusion] = nodes.Count == 0 ? null : string.Join(',', nodes.Order(StringComparer.Ordinal)) } }, ct);

    /// <summary>The nodes that are told to give their shards to the others.</summary>
    public async Task<IReadOnlyList<string>> EmptiedAsync(CancellationToken ct)
    {
        var settings = await api.GetAsync("_cluster/settings?flat_settings=true", "read its settings", ct);
        return ((string?)settings?["persistent"]?[Exclusion])?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
    }
}
