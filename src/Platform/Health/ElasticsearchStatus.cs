using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>Whether an Elasticsearch cluster can be worked with.</summary>
public static class ElasticsearchStatus
{
    /// <param name="health">What <c>_cluster/health</c> answers.</param>
    public static GateStatus Judge(string name, JsonObject health)
    {
        var nodes = health["number_of_nodes"]?.ToString() ?? "?";
        return (string?)health["status"] switch
        {
            "green" => GateStatus.Passed($"{name} is green ({nodes} nodes)"),
            // Everything can be read and written; a copy is missing.
            "yellow" => GateStatus.Passed($"{name} is yellow ({nodes} nodes, {health["unassigned_shards"]} shards without their copy)"),
            "red" => GateStatus.OnTheWay($"{name} is red: {health["unassigned_shards"]} shards cannot be read or written. See _cluster/allocation/explain"),
            var other => GateStatus.OnTheWay($"{name} does not say how it is (status {other ?? "missing"})"),
        };
    }
}
