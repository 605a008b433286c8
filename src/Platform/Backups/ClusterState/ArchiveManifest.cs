using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>What an archive of a cluster's state holds, so that whatever is missing or other than it was written is found. Holds no value of any object.</summary>
public sealed record ArchiveManifest
{
    /// <summary>How the parts are written; another one is refused.</summary>
    public const string CurrentFormat = "platformops.io/cluster-state/v1";

    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    public required string Format { get; init; }

    /// <summary>The id of the set.</summary>
    public required string Set { get; init; }

    public required string Environment { get; init; }

    public required string Region { get; init; }

    /// <summary>As the API server says it.</summary>
    public required string KubernetesVersion { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>Names the key that the parts are encrypted with; says nothing about it.</summary>
    public required string KeyId { get; init; }

    /// <summary>In the order in which they are restored.</summary>
    public required IReadOnlyList<ArchivePart> Parts { get; init; }

    /// <summary>What is not in it on purpose.</summary>
    public required IReadOnlyList<LeftOut> LeftOut { get; init; }

    /// <summary>The snapshot of the etcd under the cluster; null: none is declared, or it could not be made.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EtcdSnapshot? Etcd { get; init; }

    /// <summary>What should be in it and could not be read, a sentence each: it is partial then.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    /// <summary>Made with the key over everything else here: who does not have the key cannot take a part out of the list. Empty: not made yet.</summary>
    public string Seal { get; init; } = "";

    /// <summary>Of how many objects.</summary>
    [JsonIgnore]
    public int Objects => Parts.Sum(part => part.Objects);

    /// <summary>Everything beside the manifest.</summary>
    [JsonIgnore]
    public IReadOnlyList<FoundPart> Files => [.. Parts.Select(part => part.File), .. Etcd is null ? (FoundPart[])[] : [Etcd.File]];

    /// <summary>SHA-256 over the list of files with their sizes and checksums.</summary>
    [JsonIgnore]
    public string Digest => CanonicalJson.Digest(JsonSerializer.SerializeToNode(Files, Json));

    /// <summary>What <see cref="Seal"/> is made over.</summary>
    public string Sealed() => (this with { Seal = "" }).ToJson();

    /// <summary>The text of the file.</summary>
    public string ToJson() => CanonicalJson.Of(JsonSerializer.SerializeToNode(this, Json));

    /// <summary>Reads the file.</summary>
    /// <param name="problem">Why it cannot be read; null when it can.</param>
    public static ArchiveManifest? Read(ReadOnlySpan<byte> content, out string? problem)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<ArchiveManifest>(content, Json);
            problem = manifest is null ? $"{FileName} is empty." : manifest.Format != CurrentFormat ? $"{FileName} has the format {manifest.Format}; this version reads {CurrentFormat}." : null;
            return problem is null ? manifest : null;
        }
        catch (JsonException)
        {
            // What the parser says may repeat what it read.
            problem = $"{FileName} is damaged: it is no manifest.";
            return null;
        }
    }
}

/// <summary>All objects of one kind.</summary>
/// <param name="Name">Of the file: <c>deployments.apps</c>.</param>
/// <param name="Bytes">Of the file.</param>
/// <param name="Digest">SHA-256 of the file, which is encrypted.</param>
public sealed record ArchivePart(string Name, ObjectKind Kind, int Objects, long Bytes, string Digest)
{
    /// <inheritdoc cref="FoundPart.Attempt"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Attempt { get; init; }

    /// <summary>As the file that it is.</summary>
    [JsonIgnore]
    public FoundPart File => new(Name, Bytes, Digest) { Attempt = Attempt };
}

/// <summary>A file of an archive as it is found.</summary>
public sealed record FoundPart(string Name, long Bytes, string Digest)
{
    /// <summary>Which attempt to make the set wrote it. Each has files of its own where sets lie, so that one that is late writes over nothing. Null: the file has none in its name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Attempt { get; init; }

    /// <summary>What the file is called where sets lie. No kind of objects has an underscore in its name.</summary>
    [JsonIgnore]
    public string Stored => Attempt is null ? Name : $"{Name}_{Attempt}";

    /// <summary>Whether an attempt wrote a file under this name for itself.</summary>
    /// <param name="stored">As of <see cref="Stored"/>.</param>
    public static bool IsOfAnAttempt(string stored) => stored.Contains('_', StringComparison.Ordinal);
}

/// <summary>Compares what is found with what a manifest says.</summary>
public static class ArchiveCheck
{
    /// <summary>A sentence for each trouble; empty: everything is as it was written.</summary>
    public static IReadOnlyList<string> Compare(ArchiveManifest manifest, IReadOnlyCollection<FoundPart> found)
    {
        var byName = found.ToDictionary(part => part.Name);
        return
        [
            .. manifest.Files.Select(file => Trouble(file, Content(manifest, file), byName.GetValueOrDefault(file.Name))).OfType<string>(),
            .. found.Select(part => part.Name).Except(manifest.Files.Select(file => file.Name)).Order(StringComparer.Ordinal).Select(name => $"{name} is there, and the manifest does not know it."),
        ];
    }

    private static string Content(ArchiveManifest manifest, FoundPart file) =>
        manifest.Parts.FirstOrDefault(part => part.Name == file.Name) is { } part ? $"{part.Objects} objects of {part.Kind}" : $"snapshot of {manifest.Etcd}";

    private static string? Trouble(FoundPart written, string content, FoundPart? found) => found switch
    {
        null => $"{written.Name} is missing: {content} cannot be restored from this set.",
        { Bytes: var bytes } when bytes != written.Bytes => $"{written.Name} has {bytes} bytes instead of {written.Bytes}: it was cut or written over. Its {content} cannot be trusted.",
        { Digest: var digest } when digest != written.Digest => $"{written.Name} has another checksum than when it was written: it is damaged. Its {content} cannot be trusted.",
        _ => null,
    };
}
