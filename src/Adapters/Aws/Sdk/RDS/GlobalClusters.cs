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

internal sealed class RemoveFromGlobalClusterRequest : AmazonWebServiceRequest
{
    public string? GlobalClusterIdentifier { get; set; }

    public string? DbClusterIdentifier { get; set; }
}

internal sealed class RemoveFromGlobalClusterResponse : AmazonWebServiceResponse
{
    public GlobalCluster? GlobalCluster { get; set; }
}
