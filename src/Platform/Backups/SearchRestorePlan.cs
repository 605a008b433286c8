using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups;

/// <summary>What a restore into a running Elasticsearch does, in this order; then what takes it back.</summary>
public enum SearchRestoreStep
{
    /// <summary>Indices are restored beside those that serve, under other names.</summary>
    Beside,

    /// <summary>Their documents are counted, and the set's marker is looked for.</summary>
    Prove,

    /// <summary>Indices that are replaced take no writes any more; they are read.</summary>
    Fence,

    /// <summary>They are closed, after they were backed up.</summary>
    Close,

    /// <summary>All are restored under their own names. Nobody writes into them yet.</summary>
    Replace,

    /// <summary>Their documents are counted again.</summary>
    Compare,

    /// <summary>They take writes.</summary>
    Open,

    /// <summary>What was restored beside is removed.</summary>
    CleanUp,

    /// <summary>What was to be replaced takes writes again, and what was restored beside is removed.</summary>
    TakeBack,
}

/// <summary>An index that is there.</summary>
/// <param name="Uuid">Elasticsearch's own id of it.</param>
/// <param name="Blocked">Whether somebody had it take no writes.</param>
/// <param name="Aliases">Their names.</param>
/// <param name="Open">Whether it is open.</param>
public sealed record LiveSearchIndex(string Name, string Uuid, bool Blocked, IReadOnlyList<string> Aliases, bool Open = true);

/// <summary>An index that is restored.</summary>
/// <param name="Documents">How many it has in the set; null: they were not counted.</param>
/// <param name="Was">The id of the index that is replaced; null: there is none.</param>
/// <param name="Blocked">Whether that one took no writes before.</param>
public sealed record PlannedSearchIndex(string Name, long? Documents, string? Was = null, bool Blocked = false);

/// <summary>What a restore into a running Elasticsearch would do, as people approve it.</summary>
public sealed record SearchRestorePlan : IRestorePlan
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string Region { get; init; }

    /// <summary>The id of the set.</summary>
    public required string Set { get; init; }

    /// <summary>The name of its snapshot.</summary>
    public required string Label { get; init; }

    /// <summary>The moment that comes back.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why this set.</summary>
    public required string Why { get; init; }

    /// <summary>Digest of the set's manifest.</summary>
    public required string Manifest { get; init; }

    /// <summary>What is restored.</summary>
    public required IReadOnlyList<PlannedSearchIndex> Indices { get; init; }

    /// <summary>What of the set is not restored, a sentence each.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    /// <summary>What whoever approves should know besides.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>How long it takes twice, as the last verification measured it; null: none did.</summary>
    public TimeSpan? Estimate { get; init; }

    /// <summary>Those that are there and are replaced.</summary>
    public IEnumerable<PlannedSearchIndex> Overwrites => Indices.Where(index => index.Was is not null);

    /// <summary>What people approve: which indices are made, and which are replaced. The same facts give the same hash.</summary>
    public string Hash => CanonicalJson.Digest(new JsonObject
    {
        ["environment"] = Environment,
        ["store"] = Store,
        ["region"] = Region,
        ["set"] = Set,
        ["manifest"] = Manifest,
        ["indices"] = new JsonArray([.. Indices.Select(index => (JsonNode)$"{index.Name} {index.Was}")]),
    });
}

/// <summary>Which indices of a set are restored, and which stay as they are.</summary>
public static class SearchRestoreRules
{
    /// <param name="live">What is there.</param>
    /// <param name="asked">Names of indices; empty: all of the set.</param>
    /// <param name="overwrite">Whether those that are there are replaced.</param>
    /// <returns>What is restored and what is not; or why nothing is, and what to do.</returns>
    public static (IReadOnlyList<PlannedSearchIndex> Indices, IReadOnlyList<string> Kept, string? Refusal) Decide(
        SearchSnapshotManifest manifest, IReadOnlyDictionary<string, LiveSearchIndex> live, IReadOnlyList<string> asked, bool overwrite)
    {
        var (restored, kept) = (new List<PlannedSearchIndex>(), new List<string>());
        if (asked.FirstOrDefault(name => manifest.Indices.All(index => index.Name != name)) is { } unknown)
            return ([], [], $"{manifest.Set} has no index {unknown}. It has {string.Join(", ", manifest.Indices.Select(index => index.Name))}.");
        foreach (var index in manifest.Indices.Where(index => index.Name != SearchSnapshotManifest.MarkerIndex && (asked.Count == 0 || asked.Contains(index.Name))))
        {
            if (index.Name.StartsWith(".ds-", StringComparison.Ordinal))
                kept.Add($"{index.Name} belongs to a data stream, which is restored as a whole: do that with Elasticsearch's own API.");
            else if (live.Values.FirstOrDefault(other => other.Aliases.Contains(index.Name)) is { } alias)
                kept.Add($"{index.Name} is an alias of {alias.Name} now: it stays. Remove the alias, or restore another index.");
            else if (!live.TryGetValue(index.Name, out var there))
                restored.Add(new(index.Name, index.Documents));
            else if (overwrite)
                restored.Add(new(index.Name, index.Documents, there.Uuid, there.Blocked));
            else
                kept.Add($"{index.Name} is there and stays as it is.");
        }

        return (restored, kept, null);
    }
}
