using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class DescribeOrderableDBInstanceOptionsRequest : AmazonWebServiceRequest
{
    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public string? DBInstanceClass { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeOrderableDBInstanceOptionsResponse : AmazonWebServiceResponse
{
    public List<OrderableDBInstanceOption>? OrderableDBInstanceOptions { get; set; }

    public string? Marker { get; set; }
}

internal sealed class OrderableDBInstanceOption
{
    public string? Engine { get; set; }

    public string? EngineVersion { get; set; }

    public string? DBInstanceClass { get; set; }
}
