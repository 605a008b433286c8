using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Adapters.Elasticsearch;

/// <summary>Snapshots of an Elasticsearch cluster in a repository in S3, by its snapshot API.</summary>
public sealed class ElasticsearchSnapshots
{
    private readonly JsonApi api;

    internal ElasticsearchSnapshots(JsonApi api) => this.api = api;

    /// <summary>Has the cluster know a repository, and every node try whether it can use it.</summary>
    /// <param name="readOnly">Whether it only reads: another cluster writes there.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Unavailable"/>: it cannot be used; the message says what Elasticsearch said.</exception>
    public async Task EnsureAsync(SearchRepository repository, bool readOnly, CancellationToken ct)
    {
        var settings = new JsonObject { ["bucket"] = repository.Bucket, ["base_path"] = repository.BasePath, ["client"] = repository.Client };
        if (readOnly)
            settings["readonly"] = true;
        var there = (await api.GetAsync(At(repository), $"read the repository {repository.Name}", ct))?[repository.Name]?["settings"];
        try
        {
            if (there is not null && settings.All(wanted => there[wanted.Key]?.ToString() == wanted.Value!.ToString()))
                await api.SendAsync(HttpMethod.Post, $"{At(repository)}/_verify", $"verify the repository {repository.Name}", null, ct);
            else
                await api.SendAsync(HttpMethod.Put, At(repository), $"register the repository {repository.Name}", new JsonObject { ["type"] = "s3", ["settings"] = settings }, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            throw new AdapterException(
                AdapterFailureKind.Unavailable,
                $"{failure.Message} Check that its nodes reach s3://{repository.Bucket}, and that the S3 client {repository.Client} in their keystores has a credential that is good there; after a change, POST _nodes/reload_secure_settings.", failure);
        }
    }

    /// <summary>Has every node try whether it can use each repository that the cluster knows. Nothing is changed but a file that is written and removed.</summary>
    /// <returns>Their names.</returns>
    /// <exception cref="AdapterException">One of them cannot be used; the message says which, and what Elasticsearch said.</exception>
    public async Task<IReadOnlyList<string>> VerifyAllAsync(CancellationToken ct)
    {
        var names = (await api.GetAsync("_snapshot", "list its snapshot repositories", ct) as JsonObject ?? []).Select(entry => entry.Key).Order(StringComparer.Ordinal).ToList();
        foreach (var name in names)
            await api.SendAsync(HttpMethod.Post, $"_snapshot/{Uri.EscapeDataString(name)}/_verify", $"verify the repository {name}", null, ct);
        return names;
    }

    /// <summary>Begins a snapshot of all indices but some. Shards that cannot be read make it partial.</summary>
    /// <param name="metadata">What is kept with it.</param>
    /// <param name="except">Patterns of names.</param>
    /// <returns>False: one of that name was begun before.</returns>
    public async Task<bool> BeginAsync(SearchRepository repository, string name, JsonObject metadata, IReadOnlyList<string> except, CancellationToken ct)
    {
        try
        {
            await api.SendAsync(HttpMethod.Put, $"{At(repository, name)}?wait_for_completion=false", $"begin the snapshot {name}", new JsonObject
            {
                ["indices"] = string.Join(',', except.Select(pattern => $"-{pattern}").Prepend("*")),
                ["include_global_state"] = true,
                ["partial"] = true,
                ["metadata"] = metadata,
            }, ct);
            return true;
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Rejected && failure.Message.Contains("snapshot with the same name", StringComparison.Ordinal))
        {
            return false;
        }
    }

    /// <summary>Null: the repository has none of that name.</summary>
    public async Task<SearchSnapshot?> FindAsync(SearchRepository repository, string name, CancellationToken ct) =>
        (await api.GetAsync(At(repository, name), $"read the snapshot {name}", ct))?["snapshots"] is JsonArray { Count: > 0 } found ? Snapshot(found[0]!) : null;

    /// <summary>Everything that lies in the repository, whoever made it. Null: the cluster does not know the repository.</summary>
    public async Task<IReadOnlyList<SearchSnapshot>?> ListAsync(SearchRepository repository, CancellationToken ct) =>
        (await api.GetAsync($"{At(repository)}/_all", $"list the snapshots of {repository.Name}", ct))?["snapshots"] is JsonArray all ? [.. all.Select(found => Snapshot(found!))] : null;

    /// <summary>How far it is and what it takes. Reads much: for one that is being made, or was made just now.</summary>
    public async Task<SearchSnapshotSize> SizeAsync(SearchRepository repository, string name, CancellationToken ct)
    {
        var status = (await api.GetAsync($"{At(repository, name)}/_status", $"read how far the snapshot {name} is", ct))?["snapshots"]?[0];
        var (shards, total) = (status?["shards_stats"], status?["stats"]?["total"]);
        return new((int?)shards?["done"] ?? 0, (int?)shards?["total"] ?? 0, (int?)total?["file_count"] ?? 0, (long?)total?["size_in_bytes"] ?? 0);
    }

    /// <summary>Has indices restored under other names, without aliases, lifecycle, replicas and pipelines, and hidden from searches over all. Answers before their shards are there.</summary>
    /// <param name="prefix">What their names begin with.</param>
    public Task RestoreAsync(SearchRepository repository, string name, IReadOnlyList<string> indices, string prefix, CancellationToken ct) => api.SendAsync(
        HttpMethod.Post, $"{At(repository, name)}/_restore?wait_for_completion=false", $"restore the snapshot {name}", new JsonObject
        {
            ["indices"] = new JsonArray([.. indices.Select(index => (JsonNode)index)]),
            ["rename_pattern"] = "(.+)",
            ["rename_replacement"] = $"{prefix}$1",
            ["include_aliases"] = false,
            ["include_global_state"] = false,
            ["feature_states"] = new JsonArray("none"),
            ["index_settings"] = new JsonObject { ["index.number_of_replicas"] = 0, ["index.hidden"] = true },
            ["ignore_index_settings"] = new JsonArray("index.auto_expand_replicas", "index.lifecycle.*", "index.default_pipeline", "index.final_pipeline"),
        }, ct);

    /// <summary>Has indices restored under their own names, which are closed or not there; they keep their aliases of today and take no writes. Answers before their shards are there.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Conflict"/>: it cannot be restored over what is there.</exception>
    public async Task RestoreInPlaceAsync(SearchRepository repository, string name, IReadOnlyList<string> indices, CancellationToken ct)
    {
        try
        {
            await api.SendAsync(HttpMethod.Post, $"{At(repository, name)}/_restore?wait_for_completion=false", $"restore the snapshot {name}", new JsonObject
            {
                ["indices"] = new JsonArray([.. indices.Select(index => (JsonNode)index)]),
                ["include_aliases"] = false,
                ["include_global_state"] = false,
                ["feature_states"] = new JsonArray("none"),
                ["index_settings"] = new JsonObject { ["index.blocks.write"] = true },
            }, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable && failure.Message.Contains("cannot restore index", StringComparison.Ordinal))
        {
            throw new AdapterException(AdapterFailureKind.Conflict, $"{failure.Message} Remove or rename what is there, then retry.", failure);
        }
    }

    /// <summary>Removes a snapshot; one that is being made is ended. One that is not there is removed.</summary>
    public Task DeleteAsync(SearchRepository repository, string name, CancellationToken ct) => api.SendAsync(HttpMethod.Delete, At(repository, name), $"delete the snapshot {name}", null, ct);

    private static string At(SearchRepository repository) => $"_snapshot/{ElasticsearchIndices.Escaped(repository.Name)}";

    private static string At(SearchRepository repository, string name) => $"{At(repository)}/{ElasticsearchIndices.Escaped(name)}";

    private static SearchSnapshot Snapshot(JsonNode found) => new(
        (string)found["snapshot"]!, (string?)found["uuid"] ?? "",
        (string?)found["state"] switch
        {
            "IN_PROGRESS" => SearchSnapshotState.InProgress,
            "SUCCESS" => SearchSnapshotState.Success,
            "PARTIAL" => SearchSnapshotState.Partial,
            "FAILED" => SearchSnapshotState.Failed,
            // INCOMPATIBLE, or what a later version calls a state that we do not know: nobody knows whether it can be restored.
            _ => SearchSnapshotState.Incompatible,
        },
        (string?)found["version"] ?? "",
        [.. (found["indices"] as JsonArray ?? []).Select(index => (string)index!)],
        [.. (found["feature_states"] as JsonArray ?? []).SelectMany(feature => feature?["indices"] as JsonArray ?? []).Select(index => (string)index!)],
        (int?)found["shards"]?["total"] ?? 0, (int?)found["shards"]?["failed"] ?? 0,
        [.. (found["failures"] as JsonArray ?? []).Select(failure => $"Shard {failure?["shard_id"]} of {failure?["index"]} is not in it: {((string?)failure?["reason"] ?? "nobody says why").TrimEnd('.')}.")],
        (string?)found["reason"], DateTimeOffset.FromUnixTimeMilliseconds((long?)found["start_time_in_millis"] ?? 0), (string?)found["metadata"]?["platformops"]?["store"]);
}

/// <summary>Where snapshots of a cluster lie.</summary>
/// <param name="Name">What the cluster calls it.</param>
/// <param name="BasePath">Where in the bucket.</param>
/// <param name="Client">Which of the cluster's S3 clients is used: its address and credentials are settings of the nodes.</param>
public sealed record SearchRepository(string Name, string Bucket, string BasePath, string Client);

/// <param name="Files">How many there are.</param>
/// <param name="Bytes">What all of it takes, shared with others or not.</param>
public sealed record SearchSnapshotSize(int ShardsDone, int Shards, int Files, long Bytes);

/// <summary>A snapshot as the cluster knows it.</summary>
/// <param name="Version">Of the Elasticsearch that made it.</param>
/// <param name="SystemIndices">Those of them that belong to features, and are not restored by name.</param>
/// <param name="Failures">Shards that are not in it, one sentence each.</param>
/// <param name="Reason">Why it failed; null: it did not.</param>
/// <param name="StartedAt">By the cluster's clock.</param>
/// <param name="Store">Whose it is, when it was made by us; null: it was not.</param>
public sealed record SearchSnapshot(
    string Name, string Uuid, SearchSnapshotState State, string Version, IReadOnlyList<string> Indices, IReadOnlyList<string> SystemIndices, int Shards, int FailedShards, IReadOnlyList<string> Failures, string? Reason,
    DateTimeOffset StartedAt, string? Store);
