using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class DescribeDBClustersRequest : AmazonWebServiceRequest
{
    public string? DBClusterIdentifier { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeDBClustersResponse : AmazonWebServiceResponse
{
    public List<DBCluster>? DBClusters { get; set; }

    public string? Marker { get; set; }
}

internal sealed class ModifyDBClusterRequest : AmazonWebServiceRequest
{
    public string? DBClusterIdentifier { get; set; }

    public bool? ApplyImmediately { get; set; }

    [ListOf("VpcSecurityGroupId")]
    public List<string>? VpcSecurityGroupIds { get; set; }
}

internal sealed class ModifyDBClusterResponse : AmazonWebServiceResponse
{
    public DBCluster? DBCluster { get; set; }
}
