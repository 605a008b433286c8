using System.Text.Json;
using System.Text.Json.Serialization;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups;

/// <summary>What a set of Vault holds, and by what its restore is recognised. Holds no secret.</summary>
public sealed record VaultSnapshotManifest
{
    /// <summary>Another one is refused.</summary>
    public const string CurrentFormat = "platformops.io/vault-snapshot/v1";

    public const string FileName = "manifest.json";

    /// <summary>What a snapshot is called on the way. As Vault gives it and takes it: <c>vault operator raft snapshot restore</c> takes it too.</summary>
    public const string SnapshotName = "vault.snap";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    public required string Format { get; init; }

    /// <summary>The id of the set, which is also what its canary says.</summary>
    public required string Set { get; init; }

    public required string Environment { get; init; }

    public required string Region { get; init; }

    public required string VaultVersion { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>The name of the snapshot in the set. Each attempt to make it has a name of its own, so that one that is late writes over nothing. Default: that of sets of before.</summary>
    public string File { get; init; } = SnapshotName;

    /// <summary>Of the snapshot.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the snapshot.</summary>
    public required string SnapshotDigest { get; init; }

    /// <summary>Engines and login methods that it has, each as <c>path type</c>.</summary>
    public required IReadOnlyList<string> Mounts { get; init; }

    /// <summary>SHA-256 over the list of files with their sizes and checksums.</summary>
    [JsonIgnore]
    public string Digest => CanonicalJson.Digest($"{File} {Bytes} {SnapshotDigest}");

    /// <summary>The text of the file.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads the file.</summary>
    /// <param name="problem">Why it cannot be read; null when it can.</param>
    public static VaultSnapshotManifest? Read(ReadOnlySpan<byte> content, out string? problem)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<VaultSnapshotManifest>(content, Json);
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
