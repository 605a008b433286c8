namespace PlatformOps.Adapters.Aws.Storage;

/// <summary>What a bucket shall be. It is always versioned, encrypted and closed to the public.</summary>
public sealed record WantedBucket
{
    /// <summary>Decided by the caller, never by chance. Names are shared by all accounts in the world.</summary>
    public required string Name { get; init; }

    /// <summary>Null: keys of S3.</summary>
    public string? EncryptionKey { get; init; }

    /// <summary>How long replaced and deleted versions are kept; null: for ever.</summary>
    public int? OldVersionDays { get; init; }

    /// <summary>After how many days objects are deleted; null: never.</summary>
    public int? ExpireDays { get; init; }

    /// <summary>Where every new object is copied to; null: nowhere.</summary>
    public BucketReplication? Replication { get; init; }

    /// <summary>Nobody can delete a version for so many days after it was written; null: no lock. It can only be had by a bucket that is new.</summary>
    public int? LockDays { get; init; }
}

/// <summary>Copying to a bucket elsewhere.</summary>
/// <param name="Role">The ARN of the role that S3 copies as.</param>
public sealed record BucketReplication(string Bucket, string Role);

/// <summary>A bucket as S3 reports it.</summary>
/// <param name="Encryption"><c>AES256</c> or <c>aws:kms</c>; null: not set.</param>
/// <param name="LockDays">Zero: versions can be locked, and are not by themselves; null: they cannot.</param>
public sealed record ObservedBucket(
    string Name,
    bool Versioned,
    string? Encryption,
    string? EncryptionKey,
    bool ClosedToPublic,
    int? OldVersionDays,
    int? ExpireDays,
    BucketReplication? Replication,
    int? LockDays,
    IReadOnlyDictionary<string, string> Tags);
