using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class CreateDBInstanceRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public string? DBName { get; set; }

    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public string? MasterUsername { get; set; }

    public string? MasterUserPassword { get; set; }

    public bool? ManageMasterUserPassword { get; set; }

    public int? AllocatedStorage { get; set; }

    public int? MaxAllocatedStorage { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public bool? AutoMinorVersionUpgrade { get; set; }

    public bool? StorageEncrypted { get; set; }

    public string? KmsKeyId { get; set; }

    public bool? CopyTagsToSnapshot { get; set; }

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

internal sealed class CreateDBInstanceResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class CreateDBInstanceReadReplicaRequest : AmazonWebServiceRequest, IFromAnotherRegion
{
    public string? DBInstanceIdentifier { get; set; }

    public string? SourceDBInstanceIdentifier { get; set; }

    [NotInBody]
    public string? SourceRegion { get; set; }

    public string? KmsKeyId { get; set; }

    public bool? CopyTagsToSnapshot { get; set; }

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

internal sealed class CreateDBInstanceReadReplicaResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class ModifyDBInstanceRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public string? NewDBInstanceIdentifier { get; set; }

    public bool? ApplyImmediately { get; set; }

    public string? DBInstanceClass { get; set; }

    public string? EngineVersion { get; set; }

    public bool? AllowMajorVersionUpgrade { get; set; }

    public string? MasterUserPassword { get; set; }

    public int? AllocatedStorage { get; set; }

    public int? MaxAllocatedStorage { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public bool? MultiAZ { get; set; }

    public bool? DeletionProtection { get; set; }

    public bool? PubliclyAccessible { get; set; }

    [ListOf("VpcSecurityGroupId")]
    public List<string>? VpcSecurityGroupIds { get; set; }
}

internal sealed class ModifyDBInstanceResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class PromoteReadReplicaRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public int? BackupRetentionPeriod { get; set; }

    public string? PreferredBackupWindow { get; set; }
}

internal sealed class PromoteReadReplicaResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class RebootDBInstanceRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public bool? ForceFailover { get; set; }
}

internal sealed class RebootDBInstanceResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class DeleteDBInstanceRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    public bool? SkipFinalSnapshot { get; set; }

    public string? FinalDBSnapshotIdentifier { get; set; }

    public bool? DeleteAutomatedBackups { get; set; }
}

internal sealed class DeleteDBInstanceResponse : AmazonWebServiceResponse
{
    public DBInstance? DBInstance { get; set; }
}

internal sealed class DescribeDBInstancesRequest : AmazonWebServiceRequest
{
    public string? DBInstanceIdentifier { get; set; }

    [ListOf("Filter")]
    public List<Filter>? Filters { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeDBInstancesResponse : AmazonWebServiceResponse
{
    public List<DBInstance>? DBInstances { get; set; }

    public string? Marker { get; set; }
}
