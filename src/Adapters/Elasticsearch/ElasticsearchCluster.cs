using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;

namespace PlatformOps.Adapters.Elasticsearch;

/// <summary>An Elasticsearch cluster.</summary>
public sealed class ElasticsearchCluster(JsonApi api) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => api.Dispose();

    /// <summary>How it is: <c>status</c> green, yellow or red, nodes and shards. Asked of the node, without waiting.</summary>
    public async Task<JsonObject> HealthAsync(CancellationToken ct) => await api.GetAsync("_cluster/health", "tell its cluster's health", ct) as JsonObject
        ?? throw new AdapterException(AdapterFailureKind.NotServed, "Elasticsearch has no _cluster/health at that address. Correct the address in the connections file.");
}
