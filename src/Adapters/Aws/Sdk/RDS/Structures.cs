namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class Tag
{
    public string? Key { get; set; }

    public string? Value { get; set; }
}

internal sealed class Filter
{
    public string? Name { get; set; }

    [ListOf("Value")]
    public List<string>? Values { get; set; }
}

internal sealed class Endpoint
{
    public string? Address { get; set; }

    public int? Port { get; set; }

    public string? HostedZoneId { get; set; }
}

internal sealed class DBSubnetGroup
{
    public string? DBSubnetGroupName { get; set; }
}

internal sealed class VpcSecurityGroupMembership
{
    public string? VpcSecurityGroupId { get; set; }

    public string? Status { get; set; }
}

internal sealed class DBInstanceStatusInfo
{
    public string? StatusType { get; set; }

    public bool? Normal { get; set; }

    public string? Status { get; set; }

    public string? Message { get; set; }
}

internal sealed class MasterUserSecret
{
    public string? SecretArn { get; set; }

    public string? SecretStatus { get; set; }
}

internal sealed class PendingModifiedValues
{
    public string? DBInstanceClass { get; set; }

    public int? AllocatedStorage { get; set; }

    public string? EngineVersion { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public bool? MultiAZ { get; set; }
}

internal sealed class DBInstance
{
    public string? DBInstanceIdentifier { get; set; }

    public string? DBInstanceArn { get; set; }

    public string? DbiResourceId { get; set; }

    public string? DBInstanceClass { get; set; }

    public string? DBInstanceStatus { get; set; }

    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public string? DBName { get; set; }

    public string? MasterUsername { get; set; }

    public Endpoint? Endpoint { get; set; }

    public int? AllocatedStorage { get; set; }

    public int? MaxAllocatedStorage { get; set; }

    public string? StorageType { get; set; }

    public DateTime? InstanceCreateTime { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public DateTime? LatestRestorableTime { get; set; }

    public bool? MultiAZ { get; set; }

    public string? AvailabilityZone { get; set; }

    public bool? PubliclyAccessible { get; set; }

    public bool? StorageEncrypted { get; set; }

    public string? KmsKeyId { get; set; }

    public bool? DeletionProtection { get; set; }

    public string? CACertificateIdentifier { get; set; }

    public CertificateDetails? CertificateDetails { get; set; }

    public string? ReadReplicaSourceDBInstanceIdentifier { get; set; }

    public List<string>? ReadReplicaDBInstanceIdentifiers { get; set; }

    public DBSubnetGroup? DBSubnetGroup { get; set; }

    public List<VpcSecurityGroupMembership>? VpcSecurityGroups { get; set; }

    public PendingModifiedValues? PendingModifiedValues { get; set; }

    public MasterUserSecret? MasterUserSecret { get; set; }

    public List<DBInstanceStatusInfo>? StatusInfos { get; set; }

    public List<Tag>? TagList { get; set; }
}

internal sealed class DBSnapshot
{
    public string? DBSnapshotIdentifier { get; set; }

    public string? DBSnapshotArn { get; set; }

    public string? DBInstanceIdentifier { get; set; }

    public string? Status { get; set; }

    public string? SnapshotType { get; set; }

    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public int? AllocatedStorage { get; set; }

    public int? PercentProgress { get; set; }

    public bool? Encrypted { get; set; }

    public string? KmsKeyId { get; set; }

    public DateTime? SnapshotCreateTime { get; set; }

    public string? SourceRegion { get; set; }

    public string? SourceDBSnapshotIdentifier { get; set; }

    public List<Tag>? TagList { get; set; }
}

internal sealed class Event
{
    public string? SourceIdentifier { get; set; }

    public string? SourceType { get; set; }

    public string? SourceArn { get; set; }

    public string? Message { get; set; }

    public List<string>? EventCategories { get; set; }

    public DateTime? Date { get; set; }
}

internal sealed class DBClusterMember
{
    public string? DBInstanceIdentifier { get; set; }

    public bool? IsClusterWriter { get; set; }
}

internal sealed class DBCluster
{
    public string? DBClusterIdentifier { get; set; }

    public string? DBClusterArn { get; set; }

    public string? Status { get; set; }

    public string? Engine { get; set; }

    public List<DBClusterMember>? DBClusterMembers { get; set; }

    public List<VpcSecurityGroupMembership>? VpcSecurityGroups { get; set; }

    public List<Tag>? TagList { get; set; }
}

internal sealed class FailoverState
{
    public string? Status { get; set; }

    public string? FromDbClusterArn { get; set; }

    public string? ToDbClusterArn { get; set; }

    public bool? IsDataLossAllowed { get; set; }
}

internal sealed class GlobalClusterMember
{
    public string? DBClusterArn { get; set; }

    public List<string>? Readers { get; set; }

    public bool? IsWriter { get; set; }

    public string? GlobalWriteForwardingStatus { get; set; }

    public string? SynchronizationStatus { get; set; }
}

internal sealed class GlobalCluster
{
    public string? GlobalClusterIdentifier { get; set; }

    public string? GlobalClusterResourceId { get; set; }

    public string? GlobalClusterArn { get; set; }

    public string? Status { get; set; }

    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public bool? DeletionProtection { get; set; }

    public List<GlobalClusterMember>? GlobalClusterMembers { get; set; }

    public FailoverState? FailoverState { get; set; }
}
