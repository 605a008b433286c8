using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.External;

/// <summary>Indices, aliases and documents of the Elasticsearch that is played, as its REST API has them. Whoever calls holds the lock.</summary>
internal sealed class SearchIndices(SearchStorage storage)
{
    public SortedDictionary<string, SearchIndex> All { get; } = [];

    /// <summary>Names of indices of which a snapshot is being made: they cannot be deleted or closed.</summary>
    public Func<IEnumerable<string>> Busy { get; set; } = () => [];

    public ExternalAnswer? Answer(ExternalCall call) => (call.Method, call.Path) switch
    {
        ("POST" or "GET", ["_refresh"]) => Refresh(All.Values.Where(index => !index.Closed)),
        ("GET", ["_stats", "docs"]) => Stats(),
        ("GET", ["_cat", "indices"]) => Rows(call, All.Where(entry => !entry.Value.Hidden || call.Query("expand_wildcards") == "all").Select(Row)),
        ("GET", ["_cat", "shards"]) => Rows(call, All.Where(entry => !entry.Value.Closed).SelectMany(Shards)),
        ("GET", ["_cat", "allocation"]) => Rows(call, [Allocation()]),
        ("POST" or "GET", ["_cluster", "allocation", "explain"]) => Explain(call.Body),
        ("GET", ["_all", "_settings", _]) => new JsonObject(All.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, new JsonObject { ["settings"] = FlatSettings(entry.Value) }))),
        ("GET", ["_alias"]) => new JsonObject(All.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, new JsonObject { ["aliases"] = Aliases(entry.Value) }))),
        ("POST", ["_aliases"]) => ChangeAliases(call.Body?["actions"] as JsonArray ?? []),
        (_, [['_', ..], ..]) => null,
        ("PUT", [var name]) => Create(name, call.Body),
        ("GET", [var name]) => On(name, index => new JsonObject { [name] = new JsonObject { ["aliases"] = Aliases(index), ["mappings"] = new JsonObject(), ["settings"] = new JsonObject { ["index"] = Settings(index) } } }),
        ("DELETE", [var name]) => Delete(name),
        ("POST", [var name, "_refresh"]) => On(name, index => Refresh([index])),
        ("POST", [var name, "_close"]) => Busy().Contains(name) ? InSnapshot("close", name) : On(name, index => Closed(index, true)),
        ("POST", [var name, "_open"]) => On(name, index => Closed(index, false)),
        ("GET", [var name, "_recovery"]) => On(name, index => new JsonObject { [name] = new JsonObject { ["shards"] = new JsonArray(Recovery(index)) } }),
        ("PUT", [var name, "_settings"]) => On(name, index => Set(index, call.Body)),
        ("GET" or "POST", [var name, "_count"]) => On(name, index => Count(name, index)),
        ("PUT" or "POST", [var name, "_doc" or "_create", var id]) => Write(name, id, call),
        ("GET", [var name, "_doc", var id]) => On(name, index => Read(name, index, id)),
        ("DELETE", [var name, "_doc", var id]) => On(name, index => Remove(name, index, id, call.Query("refresh") == "true")),
        _ => null,
    };

    public static ExternalAnswer? Misnamed(string name) =>
        name.Length is 0 or > 255 || name.Any(char.IsUpper) || name[0] is '-' or '_' or '+' || name.IndexOfAny(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':']) >= 0
            ? SearchAnswers.Error(400, "invalid_index_name_exception", $"Invalid index name [{name}], must be lowercase and must not contain the following characters") : null;

    private ExternalAnswer On(string name, Func<SearchIndex, ExternalAnswer> answer) =>
        (All.GetValueOrDefault(name) ?? All.Values.FirstOrDefault(index => index.Aliases.Contains(name))) is { } index ? answer(index) : SearchAnswers.NoIndex(name);

    private ExternalAnswer Create(string name, JsonNode? body)
    {
        if (Misnamed(name) is { } refusal)
            return refusal;
        if (All.TryGetValue(name, out var there))
            return SearchAnswers.Error(400, "resource_already_exists_exception", $"index [{name}/{there.Uuid}] already exists");
        if (SearchAnswers.Unknown(body, "settings", "mappings", "aliases") is { } unknown)
            return unknown;
        All[name] = new() { Settings = SearchAnswers.Flat(body?["settings"]), Aliases = [.. (body?["aliases"] as JsonObject ?? []).Select(alias => alias.Key)] };
        return new JsonObject { ["acknowledged"] = true, ["shards_acknowledged"] = true, ["index"] = name };
    }

    private ExternalAnswer Delete(string name)
    {
        if (name.Contains('*') || name == "_all")
            return SearchAnswers.Error(400, "illegal_argument_exception", "Wildcard expressions or all indices are not allowed");
        if (!All.ContainsKey(name))
            return All.Values.Any(index => index.Aliases.Contains(name))
                ? SearchAnswers.Error(400, "illegal_argument_exception", $"The provided expression [{name}] matches an alias, specify the corresponding concrete indices instead.")
                : SearchAnswers.NoIndex(name);
        if (Busy().Contains(name))
            return InSnapshot("delete", name);
        All.Remove(name);
        return SearchAnswers.Acknowledged;
    }

    private ExternalAnswer Write(string name, string id, ExternalCall call)
    {
        var index = All.GetValueOrDefault(name) ?? All.Values.FirstOrDefault(other => other.Aliases.Contains(name));
        if (index is null)
        {
            if (Misnamed(name) is { } refusal)
                return refusal;
            All[name] = index = new();
        }

        if (index.Closed)
            return IsClosed(name);
        if (index.Settings.GetValueOrDefault("blocks.write") == "true")
            return SearchAnswers.Error(403, "cluster_block_exception", $"index [{name}] blocked by: [FORBIDDEN/8/index write (api)];");
        if (call.Path[1] == "_create" && index.Documents.ContainsKey(id))
            return SearchAnswers.Error(409, "version_conflict_engine_exception", $"[{id}]: version conflict, document already exists");
        var created = index.Write(id, call.Body);
        if (call.Query("refresh") is "true" or "")
            index.Refresh();
        return new(created ? 201 : 200, new JsonObject { ["_index"] = name, ["_id"] = id, ["result"] = created ? "created" : "updated", ["_seq_no"] = index.Sequence });
    }

    private static ExternalAnswer Read(string name, SearchIndex index, string id) => index.Closed ? IsClosed(name)
        : index.Documents.TryGetValue(id, out var document)
            ? new JsonObject { ["_index"] = name, ["_id"] = id, ["found"] = true, ["_source"] = document?.DeepClone() }
            : ExternalAnswer.Refusal(404, new JsonObject { ["_index"] = name, ["_id"] = id, ["found"] = false });

    private static ExternalAnswer Remove(string name, SearchIndex index, string id, bool refresh)
    {
        index.Sequence++;
        var removed = index.Documents.Remove(id);
        if (refresh)
            index.Refresh();
        return new(removed ? 200 : 404, new JsonObject { ["_index"] = name, ["_id"] = id, ["result"] = removed ? "deleted" : "not_found" });
    }

    private static ExternalAnswer Count(string name, SearchIndex index) => index.Closed ? IsClosed(name)
        : index.Restoring || index.Failure is not null ? SearchAnswers.Error(503, "search_phase_execution_exception", "all shards failed")
        : new JsonObject { ["count"] = index.Seen, ["_shards"] = new JsonObject { ["total"] = index.Shards, ["successful"] = index.Shards, ["skipped"] = 0, ["failed"] = 0 } };

    private static JsonObject Refresh(IEnumerable<SearchIndex> some)
    {
        foreach (var index in some)
            index.Refresh();
        return new() { ["_shards"] = new JsonObject { ["failed"] = 0 } };
    }

    private static JsonObject Closed(SearchIndex index, bool closed)
    {
        index.Closed = closed;
        return SearchAnswers.Acknowledged;
    }

    private static JsonObject Set(SearchIndex index, JsonNode? body)
    {
        foreach (var (name, value) in SearchAnswers.Flat(body))
            index.Settings[name] = value;
        // Null brings the default back.
        foreach (var name in (body as JsonObject ?? []).Where(setting => setting.Value is null).Select(setting => setting.Key))
            index.Settings.Remove(name.Replace("index.", "", StringComparison.Ordinal));
        return SearchAnswers.Acknowledged;
    }

    /// <summary>All of them, or none.</summary>
    private ExternalAnswer ChangeAliases(JsonArray actions)
    {
        var steps = actions.OfType<JsonObject>().Select(action => action.Single()).Select(action => (action.Key, Index: (string?)action.Value?["index"] ?? "", Alias: (string?)action.Value?["alias"] ?? "")).ToList();
        foreach (var (action, index, alias) in steps)
        {
            if (!All.TryGetValue(index, out var there))
                return SearchAnswers.NoIndex(index);
            if (action == "add" && All.ContainsKey(alias) && !steps.Contains(("remove_index", alias, "")))
                return SearchAnswers.Error(400, "invalid_alias_name_exception", $"Invalid alias name [{alias}]: an index or data stream exists with the same name as the alias");
            if (action == "remove" && !there.Aliases.Contains(alias))
                return SearchAnswers.Error(404, "aliases_not_found_exception", $"aliases [{alias}] missing");
            if (action == "remove_index" && Busy().Contains(index))
                return InSnapshot("delete", index);
            if (action is not ("add" or "remove" or "remove_index"))
                return SearchAnswers.Error(400, "x_content_parse_exception", $"[aliases] unknown field [{action}]");
        }

        foreach (var (action, index, alias) in steps)
        {
            if (action == "add")
                All[index].Aliases.Add(alias);
            else if (action == "remove")
                All[index].Aliases.Remove(alias);
            else
                All.Remove(index);
        }

        return SearchAnswers.Acknowledged;
    }

    private JsonObject Stats() => new()
    {
        ["indices"] = new JsonObject(All.Where(entry => !entry.Value.Closed).Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, new JsonObject
        {
            ["uuid"] = entry.Value.Uuid,
            ["shards"] = new JsonObject(Enumerable.Range(0, entry.Value.Shards).Select(shard => KeyValuePair.Create<string, JsonNode?>($"{shard}", new JsonArray(new JsonObject
            {
                ["routing"] = new JsonObject { ["state"] = "STARTED", ["primary"] = true },
                ["docs"] = new JsonObject { ["count"] = shard == 0 ? entry.Value.Seen : 0 },
                ["seq_no"] = new JsonObject { ["max_seq_no"] = shard == 0 ? entry.Value.Sequence : -1 },
            })))),
        }))),
    };

    private ExternalAnswer Explain(JsonNode? body) => On((string?)body?["index"] ?? "", index => index is { Failure: null, Restoring: false }
        ? SearchAnswers.Error(400, "illegal_argument_exception", "unable to find any unassigned shards to explain")
        : new JsonObject
        {
            ["can_allocate"] = index.Failure is null ? "yes" : "no",
            ["unassigned_info"] = new JsonObject { ["reason"] = index.Failure is null ? "NEW_INDEX_RESTORED" : "ALLOCATION_FAILED", ["details"] = index.Failure },
            ["node_allocation_decisions"] = new JsonArray(new JsonObject
            {
                ["deciders"] = index.Failure is null ? new JsonArray() : new JsonArray(new JsonObject { ["decider"] = "restore_in_progress", ["decision"] = "NO", ["explanation"] = "shard has failed to be restored from the snapshot" }),
            }),
        });

    private JsonObject Row(KeyValuePair<string, SearchIndex> entry) => new()
    {
        ["index"] = entry.Key,
        ["status"] = entry.Value.Closed ? "close" : "open",
        ["health"] = entry.Value is { Failure: null, Restoring: false } ? "green" : "red",
        ["docs.count"] = entry.Value.Closed ? null : $"{entry.Value.Seen}",
    };

    private IEnumerable<JsonObject> Shards(KeyValuePair<string, SearchIndex> entry) => Enumerable.Range(0, entry.Value.Shards).Select(shard => new JsonObject
    {
        ["index"] = entry.Key,
        ["shard"] = $"{shard}",
        ["prirep"] = "p",
        ["state"] = entry.Value.Failure is not null ? "UNASSIGNED" : entry.Value.Restoring ? "INITIALIZING" : "STARTED",
        ["unassigned.reason"] = entry.Value.Failure is null ? null : "ALLOCATION_FAILED",
        ["unassigned.details"] = entry.Value.Failure,
    });

    private JsonObject Allocation() => new()
    {
        ["node"] = "elasticsearch-0",
        ["shards"] = $"{All.Values.Sum(index => index.Shards)}",
        ["disk.avail"] = $"{storage.DiskAvailable}",
        ["disk.total"] = $"{storage.DiskTotal}",
    };

    private static JsonArray Rows(ExternalCall call, IEnumerable<JsonObject> rows)
    {
        var columns = call.Query("h")?.Split(',');
        return new([.. rows.Select(row => columns is null ? row : new JsonObject(columns.Select(column => KeyValuePair.Create(column, row[column]?.DeepClone()))))]);
    }

    private static JsonObject Aliases(SearchIndex index) => new(index.Aliases.Select(alias => KeyValuePair.Create<string, JsonNode?>(alias, new JsonObject())));

    private static JsonObject Settings(SearchIndex index) => new(index.Settings.Select(setting => KeyValuePair.Create<string, JsonNode?>(setting.Key, setting.Value)));

    private static JsonObject Recovery(SearchIndex index) => new() { ["type"] = index.CameFrom is null ? "EMPTY_STORE" : "SNAPSHOT", ["source"] = new JsonObject { ["snapshot"] = index.CameFrom } };

    private static JsonObject FlatSettings(SearchIndex index)
    {
        var settings = new JsonObject { ["index.uuid"] = index.Uuid };
        if (index.Settings.TryGetValue("blocks.write", out var blocked))
            settings["index.blocks.write"] = blocked;
        return settings;
    }

    private static ExternalAnswer IsClosed(string name) => SearchAnswers.Error(400, "index_closed_exception", $"closed index [{name}]");

    private static ExternalAnswer InSnapshot(string what, string name) =>
        SearchAnswers.Error(400, "snapshot_in_progress_exception", $"Cannot {what} indices that are being snapshotted: [[{name}]]. Try again after snapshot finishes or cancel the currently running snapshot.");
}
