using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class CreateDBSnapshotRequest : AmazonWebServiceRequest
{
    public string? DBSnapshotIdentifier { get; set; }

    public string? DBInstanceIdentifier { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class CreateDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBSnapshot? DBSnapshot { get; set; }
}

internal sealed class CopyDBSnapshotRequest : AmazonWebServiceRequest, IFromAnotherRegion
{
    public string? SourceDBSnapshotIdentifier { get; set; }

    public string? TargetDBSnapshotIdentifier { get; set; }

    [NotInBody]
    public string? SourceRegion { get; set; }

    public string? KmsKeyId { get; set; }

    public bool? CopyTags { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class CopyDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBSnapshot? DBSnapshot { get; set; }
}

internal sealed class DeleteDBSnapshotRequest : AmazonWebServiceRequest
{
    public string? DBSnapshotIdentifier { get; set; }
}

internal sealed class DeleteDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBSnapshot? DBSnapshot { get; set; }
}

internal sealed class DescribeDBSnapshotsRequest : AmazonWebServiceRequest
{
    public string? DBSnapshotIdentifier { get; set; }

    public string? DBInstanceIdentifier { get; set; }

    public string? SnapshotType { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeDBSnapshotsResponse : AmazonWebServiceResponse
{
    public List<DBSnapshot>? DBSnapshots { get; set; }

    public string? Marker { get; set; }
}

internal sealed class RestoreDBInstanceFromDBSnapshotRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public string? DBSnapshotIdentifier { get; set; }

    public string? DBInstanceClass { get; set; }

    public int? Port { get; set; }

    public bool? MultiAZ { get; set; }

    public bool? PubliclyAccessible { get; set; }

    public bool? DeletionProtection { get; set; }

    public string? DBSubnetGroupName { get; set; }

    [ListOf("VpcSecurityGroupId")]
    public List<string>? VpcSecurityGroupIds { get; set; }

    public string? DBParameterGroupName { get; set; }

    public string? StorageType { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class RestoreDBInstanceFromDBSnapshotResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class RestoreDBInstanceToPointInTimeRequest : AmazonWebServiceRequest
{
    public string? SourceDBInstanceIdentifier { get; set; }

    public string? SourceDBInstanceAutomatedBackupsArn { get; set; }

    public string? TargetDBInstanceIdentifier { get; set; }

    public DateTime? RestoreTime { get; set; }

    public bool? UseLatestRestorableTime { get; set; }

    public string? DBInstanceClass { get; set; }

    public int? Port { get; set; }

    public bool? MultiAZ { get; set; }

    public bool? PubliclyAccessible { get; set; }

    public bool? DeletionProtection { get; set; }

    public string? DBSubnetGroupName { get; set; }

    [ListOf("VpcSecurityGroupId")]
    public List<string>? VpcSecurityGroupIds { get; set; }

    public string? DBParameterGroupName { get; set; }

    public string? StorageType { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class RestoreDBInstanceToPointInTimeResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}
