namespace PlatformOps.Sandbox.Aws.S3;

/// <summary>All buckets of the account, whose names are shared by all regions.</summary>
internal sealed class S3State
{
    public SortedDictionary<string, StoredBucket> Buckets { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Gives versions their order and names.</summary>
    public long Versions { get; set; }
}

/// <summary>A bucket. Its settings are kept as they were written, by the name of their subresource.</summary>
internal sealed class StoredBucket
{
    public required string Region { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Whether object lock was asked for when it was created.</summary>
    public required bool Lockable { get; init; }

    public Dictionary<string, string> Settings { get; init; } = [];

    /// <summary>By key, the newest version last.</summary>
    public SortedDictionary<string, List<StoredVersion>> Objects { get; init; } = new(StringComparer.Ordinal);

    public Dictionary<string, SortedDictionary<int, string>> Uploads { get; init; } = [];
}

/// <summary>One version of an object; its bytes are kept beside, under its id.</summary>
/// <param name="Marker">It says that the object was deleted.</param>
/// <param name="Until">Nobody can delete it before; null: anybody can.</param>
internal sealed record StoredVersion(string Id, string Tag, long Bytes, DateTimeOffset Written, bool Marker, DateTimeOffset? Until);
