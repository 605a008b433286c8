using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class DescribeEventsRequest : AmazonWebServiceRequest
{
    public string? SourceIdentifier { get; set; }

    public string? SourceType { get; set; }

    public DateTime? StartTime { get; set; }

    public DateTime? EndTime { get; set; }

    public int? Duration { get; set; }

    [ListOf("EventCategory")]
    public List<string>? EventCategories { get; set; }

    public int? MaxRecords { get; set; }

    public string? Marker { get; set; }
}

internal sealed class DescribeEventsResponse : AmazonWebServiceResponse
{
    public List<Event>? Events { get; set; }

    public string? Marker { get; set; }
}
