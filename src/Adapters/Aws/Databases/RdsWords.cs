using System.Globalization;
using PlatformOps.Adapters.Aws.Sdk.RDS.Model;

namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>From RDS's types to our words and back.</summary>
internal static class RdsWords
{
    public static DatabaseInstance ToInstance(this DBInstance instance) => new(
        instance.DBInstanceIdentifier ?? "",
        instance.DBInstanceArn ?? "",
        instance.DBInstanceStatus ?? "unknown",
        instance.Engine ?? "",
        instance.EngineVersion ?? "",
        instance.DBInstanceClass ?? "",
        instance.AllocatedStorage ?? 0,
        instance.BackupRetentionPeriod ?? 0,
        instance.MultiAZ ?? false,
        instance.StorageEncrypted ?? false,
        instance.DeletionProtection ?? false,
        instance.PubliclyAccessible ?? false,
        instance.Endpoint is { Address: { Length: > 0 } host, Port: { } port } ? string.Create(CultureInfo.InvariantCulture, $"{host}:{port}") : null,
        instance.ReadReplicaSourceDBInstanceIdentifier is { Length: > 0 } source ? source : null,
        instance.ReadReplicaDBInstanceIdentifiers ?? [],
        instance.LatestRestorableTime,
        ToDictionary(instance.TagList))
    {
        ResourceId = instance.DbiResourceId,
        DatabaseName = instance.DBName is { Length: > 0 } name ? name : null,
        MasterUser = instance.MasterUsername,
        ManagesPassword = instance.MasterUserSecret?.SecretArn is not null,
        SubnetGroup = instance.DBSubnetGroup?.DBSubnetGroupName,
        SecurityGroups = [.. (instance.VpcSecurityGroups ?? []).Select(group => group.VpcSecurityGroupId ?? "")],
        Pending = new()
        {
            EngineVersion = instance.PendingModifiedValues?.EngineVersion,
            Class = instance.PendingModifiedValues?.DBInstanceClass,
            StorageGigabytes = instance.PendingModifiedValues?.AllocatedStorage,
            BackupDays = instance.PendingModifiedValues?.BackupRetentionPeriod,
            MultipleZones = instance.PendingModifiedValues?.MultiAZ,
        },
        Authority = instance.CertificateDetails?.CAIdentifier ?? instance.CACertificateIdentifier,
        CertificateEnds = instance.CertificateDetails?.ValidTill,
        Replication = Replication(instance)?.Status,
        ReplicatesNormally = Replication(instance)?.Normal,
    };

    private static DBInstanceStatusInfo? Replication(DBInstance instance) => instance.StatusInfos?.Find(info => info.StatusType == "read replication");

    public static DatabaseSnapshot ToSnapshot(this DBSnapshot snapshot) => new(
        snapshot.DBSnapshotIdentifier ?? "",
        snapshot.DBSnapshotArn ?? "",
        snapshot.DBInstanceIdentifier ?? "",
        snapshot.Status ?? "unknown",
        snapshot.PercentProgress ?? 0,
        snapshot.Encrypted ?? false,
        snapshot.SnapshotCreateTime,
        ToDictionary(snapshot.TagList));

    public static Dictionary<string, string> ToDictionary(List<Tag>? tags) =>
        (tags ?? []).Where(tag => tag.Key is not null).ToDictionary(tag => tag.Key!, tag => tag.Value ?? "");

    public static List<Tag> ToTags(this AwsOwner owner, string? operationId) => [.. owner.Tags(operationId).Select(tag => new Tag { Key = tag.Key, Value = tag.Value })];

    /// <summary>A text as RDS takes it for a tag: of other characters than letters, digits, spaces and <c>_.:/=+-@</c> it says nothing, and of more than 256.</summary>
    public static string TagText(string text) => string.Concat(text.Take(256).Select(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '_' or '.' or ':' or '/' or '=' or '+' or '-' or '@' ? letter : '.'));

    public static List<string>? OrNull(this IReadOnlyList<string> names) => names.Count == 0 ? null : [.. names];
}
