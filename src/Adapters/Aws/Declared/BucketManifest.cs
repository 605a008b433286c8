using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>A bucket as it is declared.</summary>
/// <param name="ReplicaOf">The bucket of another region whose new objects are copied here, and the role that S3 copies as; null: none.</param>
internal sealed record BucketManifest(WantedBucket Wanted, (string Region, string Name, string Role)? ReplicaOf)
{
    public static BucketManifest Read(DesiredObject wanted)
    {
        var fields = DeclaredFields.Of(wanted);
        fields.AlwaysOn("versioning", "a bucket of the platform keeps what is overwritten");
        fields.AlwaysOn("publicAccessBlock", "a bucket of the platform is never public");
        var (encryption, lifecycle, locked, source) = (fields.Part("encryption"), fields.Part("lifecycle"), fields.Part("objectLock"), fields.Part("replicaOf"));
        var (algorithm, key) = (encryption?.Text("algorithm") ?? "AES256", encryption?.Text("kmsKeyId"));
        if (algorithm is not ("AES256" or "aws:kms") || (algorithm == "aws:kms") != key is not null)
            throw fields.Wrong("encryption", "is AES256 without, or aws:kms with a kmsKeyId");
        if (locked is not null && locked.Required("mode") != "COMPLIANCE")
            throw fields.Wrong("objectLock.mode", "is COMPLIANCE: a lock that somebody can lift is none");
        var read = new BucketManifest(
            new()
            {
                Name = wanted.Address.Name,
                EncryptionKey = key,
                ExpireDays = lifecycle?.Number("expirationDays"),
                OldVersionDays = lifecycle?.Number("noncurrentVersionExpirationDays"),
                LockDays = locked?.RequiredNumber("days"),
            },
            source is null ? null : (source.Required("region"), source.Required("name"), source.Required("role")));
        foreach (var part in new[] { encryption, lifecycle, locked, source })
            part?.NothingElse();
        fields.NothingElse();
        return read;
    }

    /// <param name="replicaOf">As the source says itself.</param>
    public static ObservedObject Of(ResourceAddress address, ObservedBucket bucket, (string Region, string Name, string Role)? replicaOf) => LiveManifest.Of(
        address, $"{address.Region}/{bucket.Name}", bucket.Tags, LiveManifest.Fields(
            ("versioning", bucket.Versioned),
            ("publicAccessBlock", bucket.ClosedToPublic),
            ("encryption", bucket.Encryption is null ? null : LiveManifest.Fields(("algorithm", bucket.Encryption), ("kmsKeyId", bucket.EncryptionKey))),
            ("lifecycle", bucket is { ExpireDays: null, OldVersionDays: null } ? null
                : LiveManifest.Fields(("expirationDays", bucket.ExpireDays), ("noncurrentVersionExpirationDays", bucket.OldVersionDays))),
            ("objectLock", bucket.LockDays is { } days ? LiveManifest.Fields(("mode", "COMPLIANCE"), ("days", days)) : null),
            ("replicaOf", replicaOf is { } source ? LiveManifest.Fields(("region", source.Region), ("name", source.Name), ("role", source.Role)) : null)),
        bucket.LockDays > 0 ? ["lifecycle", "objectLock", "replicaOf"] : ["lifecycle", "replicaOf"]);
}
