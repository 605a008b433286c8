using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PlatformOps.Sandbox.External;

/// <summary>Elasticsearch's snapshot API: repositories in S3, snapshots and restores. Whoever calls holds the lock.</summary>
internal sealed class SearchSnapshots(SearchIndices indices, SearchStorage storage, TimeProvider time)
{
    private const string Version = "8.17.4";
    private static readonly string[] Unremovable = ["number_of_shards", "version.created", "uuid", "creation_date"];
    private readonly SortedDictionary<string, JsonObject> repositories = [];

    private DateTimeOffset Now => time.GetUtcNow() + storage.Ahead;

    /// <summary>Goes on with what is on its way, then answers.</summary>
    public ExternalAnswer? Answer(ExternalCall call)
    {
        indices.Busy = () => repositories.Keys.SelectMany(name => On(name, all => all.Values.Where(snapshot => snapshot.State == "IN_PROGRESS").SelectMany(snapshot => snapshot.Indices.Keys).ToList()));
        foreach (var index in indices.All.Values.Where(index => index.Restoring && !storage.RestoresHeld))
        {
            index.Restoring = false;
            index.Refresh();
        }

        return (call.Method, call.Path) switch
        {
            ("GET", ["_snapshot"]) => new JsonObject(repositories.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, entry.Value.DeepClone()))),
            ("GET", ["_snapshot", var name]) => repositories.TryGetValue(name, out var found) ? new JsonObject { [name] = found.DeepClone() } : NoRepository(name),
            ("PUT" or "POST", ["_snapshot", var name]) => Register(name, call.Body, call.Query("verify") != "false"),
            (_, ["_snapshot", var name, ..]) when !repositories.ContainsKey(name) => NoRepository(name),
            ("POST", ["_snapshot", var name, "_verify"]) => Verify(name),
            (_, ["_snapshot", var name, ..]) when storage.Refusal is { } why => SearchAnswers.Error(500, "repository_exception", $"[{name}] Could not determine repository generation from root blobs: {why}"),
            ("GET", ["_snapshot", var name, "_all"]) => List(name),
            ("PUT" or "POST", ["_snapshot", var name, var snapshot]) => Create(name, snapshot, call.Body),
            ("GET", ["_snapshot", var name, var snapshot]) => Found(name, snapshot, found => new JsonObject { ["snapshots"] = new JsonArray(Info(name, snapshot, found)), ["total"] = 1, ["remaining"] = 0 }),
            ("DELETE", ["_snapshot", var name, var snapshot]) => Delete(name, snapshot),
            ("GET", ["_snapshot", var name, var snapshot, "_status"]) => Found(name, snapshot, found => new JsonObject { ["snapshots"] = new JsonArray(Status(name, snapshot, found)) }),
            ("POST", ["_snapshot", var name, var snapshot, "_restore"]) => Restore(name, snapshot, call.Body),
            _ => null,
        };
    }

    private ExternalAnswer Register(string name, JsonNode? body, bool verify)
    {
        if ((string?)body?["type"] != "s3")
            return SearchAnswers.Error(500, "repository_exception", $"[{name}] repository type [{body?["type"]}] does not exist");
        if ((string?)body["settings"]?["bucket"] is not { Length: > 0 })
            return SearchAnswers.Error(500, "repository_exception", $"[{name}] No bucket defined for s3 repository");
        if (indices.Busy().Any())
            return SearchAnswers.Error(409, "repository_conflict_exception", $"[{name}] trying to modify or unregister repository that is currently used");
        if (verify && storage.Refusal is not null)
            return Inaccessible(name);
        repositories[name] = new() { ["type"] = "s3", ["settings"] = new JsonObject(body["settings"]!.AsObject().Select(setting => KeyValuePair.Create<string, JsonNode?>(setting.Key, setting.Value?.ToString()))) };
        return SearchAnswers.Acknowledged;
    }

    private ExternalAnswer Verify(string name) => storage.Refusal is null ? new JsonObject { ["nodes"] = new JsonObject { ["n0"] = new JsonObject { ["name"] = "elasticsearch-0" } } } : Inaccessible(name);

    private ExternalAnswer Create(string repository, string name, JsonNode? body)
    {
        if (name.Any(char.IsUpper) || name.IndexOfAny(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#']) >= 0 || name[0] == '_')
            return SearchAnswers.Error(400, "invalid_snapshot_name_exception", $"[{repository}:{name}] Invalid snapshot name [{name}], must be lowercase");
        if (SearchAnswers.Unknown(body, "indices", "ignore_unavailable", "include_global_state", "feature_states", "metadata", "partial", "expand_wildcards") is { } unknown)
            return unknown;
        if (body?["metadata"] is { } metadata && metadata.ToJsonString().Length > 1024)
            return SearchAnswers.Error(400, "action_request_validation_exception", "Validation Failed: 1: metadata must be smaller than 1024 bytes;");
        return On<ExternalAnswer>(repository, all =>
        {
            if (all.TryGetValue(name, out var there))
                return SearchAnswers.Error(400, "snapshot_name_already_in_use_exception", $"[{repository}:{name}] Invalid snapshot name [{name}], snapshot with the same name {(there.State == "IN_PROGRESS" ? "is already in-progress" : "already exists")}");
            var wanted = Matching(body?["indices"]);
            var missing = storage.Unreadable is { } unreadable && wanted.Contains(unreadable) ? [unreadable] : Array.Empty<string>();
            var fails = storage.Fails || (missing.Length > 0 && (bool?)body?["partial"] != true);
            (storage.Unreadable, storage.Fails) = (null, false);
            storage.Begun++;
            all[name] = new()
            {
                Indices = new(wanted.ToDictionary(index => index, index => indices.All[index].Copy())),
                Missing = missing,
                Metadata = body?["metadata"]?.DeepClone(),
                Started = Now,
                State = "IN_PROGRESS",
                Becomes = fails ? "FAILED" : missing.Length > 0 ? "PARTIAL" : "SUCCESS",
            };
            return new JsonObject { ["accepted"] = true };
        });
    }

    private ExternalAnswer List(string repository) => On(repository, all => new JsonObject
    {
        ["snapshots"] = new JsonArray([.. all.OrderBy(entry => entry.Value.Started).Select(entry => Info(repository, entry.Key, entry.Value))]),
        ["total"] = all.Count,
        ["remaining"] = 0,
    });

    private ExternalAnswer Delete(string repository, string name) => On(repository, all => all.Remove(name) ? SearchAnswers.Acknowledged : NoSnapshot(repository, name));

    private ExternalAnswer Restore(string repository, string name, JsonNode? body)
    {
        if (SearchAnswers.Unknown(
            body, "indices", "ignore_unavailable", "include_global_state", "include_aliases", "partial", "rename_pattern", "rename_replacement", "index_settings", "ignore_index_settings", "feature_states") is { } unknown)
            return unknown;
        ExternalAnswer Refused(string why) => SearchAnswers.Error(500, "snapshot_restore_exception", $"[{repository}:{name}] {why}");
        return On<ExternalAnswer>(repository, all =>
        {
            if (!all.TryGetValue(name, out var snapshot))
                return Refused("snapshot does not exist");
            if (snapshot.State is not ("SUCCESS" or "PARTIAL"))
                return Refused($"unsupported snapshot state [{snapshot.State}]");
            var made = new List<(string From, string To)>();
            foreach (var from in body?["indices"] is JsonArray list ? list.Select(index => (string)index!) : snapshot.Indices.Keys)
            {
                if (!snapshot.Indices.TryGetValue(from, out var kept))
                    return SearchAnswers.NoIndex(from);
                if (snapshot.Missing.Contains(from) && (bool?)body?["partial"] != true)
                    return Refused($"index [{from}] wasn't fully snapshotted - cannot restore");
                var to = (string?)body?["rename_pattern"] is { } pattern ? Regex.Replace(from, pattern, (string?)body["rename_replacement"] ?? "") : from;
                if (SearchIndices.Misnamed(to) is { } misnamed)
                    return misnamed;
                if (indices.All.TryGetValue(to, out var there) && !there.Closed)
                    return Refused($"cannot restore index [{to}] because an open index with same name already exists in the cluster. Either close or delete the existing index or restore the index under a different name by providing a rename pattern and replacement name");
                if (there is not null && there.Shards != kept.Shards)
                    return Refused($"cannot restore index [{to}] with [{there.Shards}] shards from a snapshot of index [{from}] with [{kept.Shards}] shards");
                if (indices.All.Values.Any(index => index.Aliases.Contains(to)))
                    return SearchAnswers.Error(400, "invalid_index_name_exception", $"Invalid index name [{to}], already exists as alias");
                made.Add((from, to));
            }

            var ignored = (body?["ignore_index_settings"] as JsonArray ?? []).Select(setting => ((string)setting!)["index.".Length..]).ToList();
            if (ignored.Find(Unremovable.Contains) is { } needed)
                return Refused($"cannot remove setting [index.{needed}] on restore");
            foreach (var (from, to) in made)
                indices.All[to] = Restored(name, snapshot, from, indices.All.GetValueOrDefault(to), body, ignored);
            return new JsonObject { ["accepted"] = true };
        });
    }

    /// <param name="there">A closed one keeps its id, and without those of the snapshot its aliases.</param>
    private SearchIndex Restored(string name, SearchSnapshot snapshot, string from, SearchIndex? there, JsonNode? body, List<string> ignored)
    {
        var copy = snapshot.Indices[from].Copy(there?.Uuid, name);
        copy.Closed = false;
        if ((bool?)body?["include_aliases"] == false)
        {
            copy.Aliases.Clear();
            copy.Aliases.UnionWith(there?.Aliases ?? []);
        }

        foreach (var setting in copy.Settings.Keys.Where(setting => ignored.Exists(pattern => Regex.IsMatch(setting, $"^{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)}$"))).ToList())
            copy.Settings.Remove(setting);
        foreach (var (setting, value) in SearchAnswers.Flat(body?["index_settings"]))
            copy.Settings[setting] = value;
        copy.Restoring = true;
        copy.Failure = storage.RestoreFailure ?? (snapshot.Damaged.Contains(from)
            ? "failed shard on node [n0]: failed recovery, failure RecoveryFailedException[restore failed]; nested: CorruptIndexException[verification failed (hardware problem?) : expected=1f8a actual=93bc]" : null);
        return copy;
    }

    private JsonObject Info(string repository, string name, SearchSnapshot snapshot)
    {
        if (snapshot.State == "IN_PROGRESS" && !storage.SnapshotsHeld)
            (snapshot.State, snapshot.Ended) = (snapshot.Becomes, Now);
        var (total, failed) = (snapshot.Indices.Values.Sum(index => index.Shards), snapshot.State == "FAILED" ? snapshot.Indices.Values.Sum(index => index.Shards) : snapshot.Missing.Sum(index => snapshot.Indices[index].Shards));
        return new()
        {
            ["snapshot"] = name,
            ["uuid"] = snapshot.Uuid,
            ["repository"] = repository,
            ["version"] = Version,
            ["indices"] = new JsonArray([.. snapshot.Indices.Keys.Select(index => (JsonNode)index)]),
            ["data_streams"] = new JsonArray(),
            ["feature_states"] = new JsonArray(),
            ["include_global_state"] = true,
            ["metadata"] = snapshot.Metadata?.DeepClone(),
            ["state"] = snapshot.State,
            ["reason"] = snapshot.State == "FAILED" ? "Indices don't have primary shards" : null,
            ["start_time_in_millis"] = snapshot.Started.ToUnixTimeMilliseconds(),
            ["end_time_in_millis"] = snapshot.Ended?.ToUnixTimeMilliseconds() ?? 0,
            ["failures"] = new JsonArray([.. snapshot.Missing.Select(index => new JsonObject { ["index"] = index, ["shard_id"] = 0, ["reason"] = "primary shard is not allocated", ["status"] = "INTERNAL_SERVER_ERROR" })]),
            ["shards"] = new JsonObject { ["total"] = total, ["failed"] = failed, ["successful"] = total - failed },
        };
    }

    private static JsonObject Status(string repository, string name, SearchSnapshot snapshot)
    {
        var (shards, bytes) = (snapshot.Indices.Values.Sum(index => index.Shards), snapshot.Indices.Values.SelectMany(index => index.Documents.Values).Sum(document => document?.ToJsonString().Length ?? 0));
        return new()
        {
            ["snapshot"] = name,
            ["repository"] = repository,
            ["uuid"] = snapshot.Uuid,
            ["state"] = snapshot.State == "IN_PROGRESS" ? "STARTED" : snapshot.State,
            ["shards_stats"] = new JsonObject { ["total"] = shards, ["done"] = snapshot.State == "IN_PROGRESS" ? 0 : shards },
            ["stats"] = new JsonObject { ["total"] = new JsonObject { ["file_count"] = 4 * shards, ["size_in_bytes"] = bytes } },
        };
    }

    /// <summary>By names, with stars, and what is taken away by a minus.</summary>
    private List<string> Matching(JsonNode? wanted)
    {
        var names = new List<string>();
        foreach (var pattern in wanted is JsonArray list ? list.Select(part => (string)part!) : ((string?)wanted ?? "*").Split(','))
        {
            var matches = indices.All.Keys.Where(name => Regex.IsMatch(name, $"^{Regex.Escape(pattern.TrimStart('-')).Replace("\\*", ".*", StringComparison.Ordinal)}$")).ToList();
            names = pattern.StartsWith('-') ? [.. names.Except(matches)] : [.. names.Union(matches)];
        }

        return names;
    }

    private T On<T>(string repository, Func<SortedDictionary<string, SearchSnapshot>, T> work) =>
        storage.At($"{repositories[repository]["settings"]!["bucket"]}/{repositories[repository]["settings"]!["base_path"]}", work);

    private ExternalAnswer Found(string repository, string name, Func<SearchSnapshot, ExternalAnswer> answer) =>
        On(repository, all => all.TryGetValue(name, out var found) ? answer(found) : NoSnapshot(repository, name));

    private ExternalAnswer Inaccessible(string name) => SearchAnswers.Error(500, "repository_verification_exception", $"[{name}] path is not accessible on master node: {storage.Refusal}");

    private static ExternalAnswer NoRepository(string name) => SearchAnswers.Error(404, "repository_missing_exception", $"[{name}] missing");

    private static ExternalAnswer NoSnapshot(string repository, string name) => SearchAnswers.Error(404, "snapshot_missing_exception", $"[{repository}:{name}] is missing");
}
