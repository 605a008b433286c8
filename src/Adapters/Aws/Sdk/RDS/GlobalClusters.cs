using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class DescribeGlobalClustersRequest : AmazonWebServiceRequest
{
    public string? GlobalClusterIdentifier { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeGlobalClustersResponse : AmazonWebServiceResponse
{
    public List<GlobalCluster>? GlobalClusters { get; set; }

    public string? Marker { get; set; }
}

internal sealed class FailoverGlobalClusterRequest : AmazonWebServiceRequest
{
    public string? GlobalClusterIdentifier { get; set; }

    public string? TargetDbClusterIdentifier { get; set; }

    public bool? AllowDataLoss { get; set; }
}

internal sealed class FailoverGlobalClusterResponse : AmazonWebServiceResponse
{
    public GlobalCluster? GlobalCluster { get; set; }
}

internal sealed class SwitchoverGlobalClusterRequest : AmazonWebServiceRequest
{
    public string? GlobalClusterIdentifier { get; set; }

    public string? TargetDbClusterIdentifier { get; set; }
}

internal sealed class SwitchoverGlobalClusterResponse : AmazonWebServiceResponse
{
    public GlobalCluster? GlobalCluster { get; set; }
}
