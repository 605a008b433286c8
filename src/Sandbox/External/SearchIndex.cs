using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>An index of the Elasticsearch that is played. Its documents are in its first shard.</summary>
internal sealed class SearchIndex
{
    public string Uuid { get; init; } = SearchAnswers.NewId();

    /// <summary>The snapshot that it came from; null: from none.</summary>
    public string? CameFrom { get; init; }

    /// <summary>What is below <c>index</c>, flat: <c>number_of_replicas</c>.</summary>
    public SortedDictionary<string, string> Settings { get; init; } = [];

    public SortedSet<string> Aliases { get; init; } = [];

    public SortedDictionary<string, JsonNode?> Documents { get; init; } = [];

    /// <summary>How many changes it has seen, less one: the highest sequence number.</summary>
    public long Sequence { get; set; } = -1;

    /// <summary>How many documents a search sees: those of the last refresh.</summary>
    public int Seen { get; private set; }

    public bool Closed { get; set; }

    /// <summary>Whether its shards are on their way out of a snapshot.</summary>
    public bool Restoring { get; set; }

    /// <summary>Why its shards could not be restored; null: they could.</summary>
    public string? Failure { get; set; }

    public int Shards => int.Parse(Settings.GetValueOrDefault("number_of_shards", "1"));

    public bool Hidden => Settings.GetValueOrDefault("hidden") == "true";

    public void Refresh() => Seen = Documents.Count;

    /// <returns>Whether it is new.</returns>
    public bool Write(string id, JsonNode? document)
    {
        Sequence++;
        var created = !Documents.ContainsKey(id);
        Documents[id] = document?.DeepClone();
        return created;
    }

    /// <summary>Also what no search sees yet: a snapshot flushes first.</summary>
    /// <param name="uuid">Its id; null: a new one.</param>
    /// <param name="cameFrom">The snapshot; null: it is on its way into one.</param>
    public SearchIndex Copy(string? uuid = null, string? cameFrom = null) => new()
    {
        Uuid = uuid ?? SearchAnswers.NewId(),
        CameFrom = cameFrom,
        Settings = new(Settings),
        Aliases = [.. Aliases],
        Documents = new(Documents.ToDictionary(entry => entry.Key, entry => entry.Value?.DeepClone())),
        Sequence = Sequence,
        Closed = Closed,
    };
}

/// <summary>Elasticsearch's own words.</summary>
internal static class SearchAnswers
{
    public static JsonObject Acknowledged => new() { ["acknowledged"] = true };

    public static string NewId() => Convert.ToBase64String(Guid.NewGuid().ToByteArray()).Replace('+', '-').Replace('/', '_').TrimEnd('=');

    public static ExternalAnswer Error(int status, string type, string reason) =>
        ExternalAnswer.Refusal(status, new JsonObject { ["error"] = new JsonObject { ["type"] = type, ["reason"] = reason }, ["status"] = status });

    public static ExternalAnswer NoIndex(string name) => Error(404, "index_not_found_exception", $"no such index [{name}]");

    /// <summary>What is in a field of a body and what it is, or a refusal of those that are not known.</summary>
    public static ExternalAnswer? Unknown(JsonNode? body, params string[] known) => (body as JsonObject ?? []).Select(field => field.Key).FirstOrDefault(field => !known.Contains(field)) is { } field
        ? Error(400, "illegal_argument_exception", $"Unknown parameter {field}") : null;

    /// <summary>Settings as the API takes them, nested or with dots, with or without <c>index</c> in front.</summary>
    public static SortedDictionary<string, string> Flat(JsonNode? settings)
    {
        var flat = new SortedDictionary<string, string>();
        Add("", settings);
        return flat;

        void Add(string path, JsonNode? node)
        {
            if (node is JsonObject map)
            {
                foreach (var (name, value) in map)
                    Add(path.Length == 0 ? name : $"{path}.{name}", value);
            }
            else if (node is not null)
            {
                flat[path.StartsWith("index.", StringComparison.Ordinal) ? path["index.".Length..] : path] = node.ToString();
            }
        }
    }
}
