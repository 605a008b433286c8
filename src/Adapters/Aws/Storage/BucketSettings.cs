using Amazon.S3;
using Amazon.S3.Model;

namespace PlatformOps.Adapters.Aws.Storage;

/// <summary>What is wanted, in S3's types.</summary>
internal static class BucketSettings
{
    /// <summary>The name of our rule by which a bucket is copied.</summary>
    public const string ReplicationRule = "platformops";

    public static PublicAccessBlockConfiguration Closed() => new() { BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true, RestrictPublicBuckets = true };

    public static string Encryption(WantedBucket wanted) => (wanted.EncryptionKey is null ? ServerSideEncryptionMethod.AES256 : ServerSideEncryptionMethod.AWSKMS).Value;

    public static ServerSideEncryptionConfiguration Encrypted(WantedBucket wanted) => new()
    {
        ServerSideEncryptionRules =
        [
            new()
            {
                BucketKeyEnabled = wanted.EncryptionKey is not null,
                ServerSideEncryptionByDefault = new() { ServerSideEncryptionAlgorithm = Encryption(wanted), ServerSideEncryptionKeyManagementServiceKeyId = wanted.EncryptionKey },
            },
        ],
    };

    public static LifecycleConfiguration Lifecycle(WantedBucket wanted, string id) => new()
    {
        Rules =
        [
            new()
            {
                Id = id,
                Status = LifecycleRuleStatus.Enabled,
                Filter = new() { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = "" } },
                Expiration = wanted.ExpireDays is { } days ? new() { Days = days } : null,
                NoncurrentVersionExpiration = wanted.OldVersionDays is { } old ? new() { NoncurrentDays = old } : null,
                // Parts of uploads that were never completed cost as much as objects and are seen by nobody.
                AbortIncompleteMultipartUpload = new() { DaysAfterInitiation = 7 },
            },
        ],
    };

    public static ObjectLockConfiguration Locked(int days) => new()
    {
        ObjectLockEnabled = ObjectLockEnabled.Enabled,
        Rule = new() { DefaultRetention = new() { Mode = ObjectLockRetentionMode.Compliance, Days = days } },
    };

    public static ReplicationConfiguration Replicated(BucketReplication target) => new()
    {
        Role = target.Role,
        Rules =
        [
            new()
            {
                Id = ReplicationRule,
                Priority = 1,
                Status = ReplicationRuleStatus.Enabled,
                Filter = new() { Prefix = "" },
                DeleteMarkerReplication = new() { Status = DeleteMarkerReplicationStatus.Enabled },
                Destination = new() { BucketArn = $"arn:aws:s3:::{target.Bucket}" },
            },
        ],
    };
}
