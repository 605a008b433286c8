using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>The nodes of the Elasticsearch that is played, and how many shards each holds: those that an <c>ElasticsearchCluster</c> object names under <c>nodes</c> (name to shards). A node that is excluded from
/// allocation gives one shard away with each look; shards move nowhere when nobody else may hold them. Whoever calls holds the lock.</summary>
internal sealed class SearchNodes(DeclaredObjects objects)
{
    private const string Exclusion = "cluster.routing.allocation.exclude._name";

    private readonly Dictionary<string, int> held = [];
    private string? excluded;

    /// <summary>Null: no object names nodes, so that there is one, which holds everything.</summary>
    public ExternalAnswer? Answer(ExternalCall call) => (call.Method, call.Path) switch
    {
        ("GET", ["_cluster", "settings"]) => new JsonObject { ["persistent"] = excluded is null ? new JsonObject() : new JsonObject { [Exclusion] = excluded }, ["transient"] = new JsonObject() },
        ("PUT", ["_cluster", "settings"]) => Set(call.Body),
        ("GET", ["_cat", "allocation"]) when Named().Count > 0 && call.Query("h") == "node,shards" => Moved(),
        ("GET", ["_nodes", "jvm"]) when Named() is { Count: > 0 } nodes => new JsonObject
        {
            ["nodes"] = new JsonObject(nodes.Keys.Select(name => KeyValuePair.Create<string, JsonNode?>(
                $"id-{name}", new JsonObject { ["name"] = name, ["jvm"] = new JsonObject { ["mem"] = new JsonObject { ["heap_max_in_bytes"] = 1L << 30 } } }))),
        },
        _ => null,
    };

    private Dictionary<string, int> Named()
    {
        foreach (var (name, shards) in objects.Of("ElasticsearchCluster").Select(cluster => cluster["nodes"]).OfType<JsonObject>().SelectMany(nodes => nodes))
            held.TryAdd(name, (int)shards!);
        return held;
    }

    private JsonObject Set(JsonNode? body)
    {
        if (body?["persistent"] is JsonObject persistent && persistent.TryGetPropertyValue(Exclusion, out var names))
            excluded = (string?)names;
        return new JsonObject { ["acknowledged"] = true, ["persistent"] = body?["persistent"]?.DeepClone(), ["transient"] = new JsonObject() };
    }

    private JsonArray Moved()
    {
        var away = excluded?.Split(',') ?? [];
        if (held.Keys.Where(name => !away.Contains(name)).OrderBy(name => held[name]).FirstOrDefault() is { } target)
            foreach (var name in away.Where(name => held.GetValueOrDefault(name) > 0))
                (held[name], held[target]) = (held[name] - 1, held[target] + 1);
        return [.. held.OrderBy(node => node.Key, StringComparer.Ordinal).Select(node => new JsonObject { ["node"] = node.Key, ["shards"] = $"{node.Value}" })];
    }
}
