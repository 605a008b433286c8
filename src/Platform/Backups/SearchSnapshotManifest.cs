using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups;

/// <summary>How a snapshot of Elasticsearch stands.</summary>
public enum SearchSnapshotState
{
    /// <summary>It is being made.</summary>
    InProgress,

    /// <summary>All shards are in it.</summary>
    Success,

    /// <summary>Some shards are not in it: it never counts as the last good one.</summary>
    Partial,

    /// <summary>Nothing of it can be used.</summary>
    Failed,

    /// <summary>The cluster cannot read it: a later version made it.</summary>
    Incompatible,
}

/// <summary>An index as it was when a set was made.</summary>
/// <param name="Documents">How many documents it had before the snapshot was begun; null: they were not counted, since it was closed, or came meanwhile.</param>
/// <param name="Changes">How many changes it saw from then until the snapshot was there: each makes one document more or less, at most.</param>
public sealed record SearchIndexCount(string Name, long? Documents, long Changes = 0)
{
    /// <summary>What is wrong with a copy; null: nothing.</summary>
    /// <param name="found">How many documents the copy has; null: there is no copy.</param>
    public string? Trouble(long? found) => (found, Documents) switch
    {
        (null, _) => $"{Name} is missing.",
        (_, null) => null,
        var (has, had) when Math.Abs(has.Value - had.Value) <= Changes => null,
        var (has, had) => string.Create(CultureInfo.InvariantCulture, $"{Name} has {has} documents instead of {had}{(Changes == 0 ? "" : $" (and at most {Changes} more or less)")}."),
    };
}

/// <summary>What a set of Elasticsearch holds, and by what its restore is recognised. Holds no document.</summary>
public sealed record SearchSnapshotManifest
{
    /// <summary>Another one is refused.</summary>
    public const string CurrentFormat = "platformops.io/search-snapshot/v1";

    public const string FileName = "manifest.json";

    /// <summary>The same as <see cref="FileName"/>, written before the snapshot is begun: what is counted then is not counted again after a kill.</summary>
    public const string BegunName = "begun.json";

    /// <summary>The index with the document that is written before each snapshot.</summary>
    public const string MarkerIndex = "platformops-markers";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public required string Format { get; init; }

    /// <summary>The id of the set, which is also what its marker says.</summary>
    public required string Set { get; init; }

    public required string Environment { get; init; }

    public required string Region { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>By our clock: when it was seen finished.</summary>
    public required DateTimeOffset FinishedAt { get; init; }

    public required SearchSnapshotState State { get; init; }

    /// <summary>Elasticsearch's own id of the snapshot: another one of the same name is another one. Empty: it was not begun.</summary>
    public string Uuid { get; init; } = "";

    /// <summary>Of the Elasticsearch that made it.</summary>
    public string Version { get; init; } = "";

    /// <summary>Those that are restored by name.</summary>
    public required IReadOnlyList<SearchIndexCount> Indices { get; init; }

    /// <summary>Why it is partial, one sentence each.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    public int Files { get; init; }

    public long Bytes { get; init; }

    /// <summary>Of everything that it says.</summary>
    [JsonIgnore]
    public string Digest => CanonicalJson.Digest(JsonSerializer.SerializeToNode(this, Json));

    /// <summary>The text of the file.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>What a set that was counted before it was begun is, now that it has ended.</summary>
    /// <param name="changes">How many changes each index has seen by now, as <paramref name="before"/> has it of then.</param>
    public static IReadOnlyList<SearchIndexCount> Counted(
        IEnumerable<string> indices, IReadOnlyList<SearchIndexCount> before, IReadOnlyDictionary<string, long> changes) =>
        [.. indices.Order(StringComparer.Ordinal).Select(index =>
            // One that has seen fewer changes than before is another one of the same name.
            before.FirstOrDefault(counted => counted.Name == index) is { Documents: { } documents } then && changes.TryGetValue(index, out var now) && now >= then.Changes
                ? new SearchIndexCount(index, documents, now - then.Changes) : new(index, null))];

    /// <summary>Reads the file.</summary>
    /// <param name="problem">Why it cannot be read; null when it can.</param>
    public static SearchSnapshotManifest? Read(ReadOnlySpan<byte> content, out string? problem)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<SearchSnapshotManifest>(content, Json);
            problem = manifest is null ? $"{FileName} is empty." : manifest.Format != CurrentFormat ? $"{FileName} has the format {manifest.Format}; this version reads {CurrentFormat}." : null;
            return problem is null ? manifest : null;
        }
        catch (JsonException)
        {
            problem = $"{FileName} is damaged: it is no manifest.";
            return null;
        }
    }
}

/// <summary>What speaks for damage when a shard could not be restored.</summary>
public static class SearchRestoreFailure
{
    private static readonly string[] Damages = ["CorruptIndexException", "IndexFormatTooOldException", "IndexFormatTooNewException", "NoSuchFileException", "FileNotFoundException", "CorruptStateException"];

    /// <summary>Whether what lies in the repository is to blame, rather than the way to it or the disks.</summary>
    /// <param name="details">What Elasticsearch says of the shard.</param>
    public static bool IsDamage(string details) => Damages.Any(word => details.Contains(word, StringComparison.Ordinal));
}
