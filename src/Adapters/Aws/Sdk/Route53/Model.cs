using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.Route53.Model;

internal sealed class HostedZoneConfig
{
    public string? Comment { get; set; }

    public bool? PrivateZone { get; set; }
}

internal sealed class HostedZone
{
    public string? Id { get; set; }

    public string? Name { get; set; }

    public string? CallerReference { get; set; }

    public HostedZoneConfig? Config { get; set; }

    public long? ResourceRecordSetCount { get; set; }
}

internal sealed class ChangeInfo
{
    public string? Id { get; set; }

    public string? Status { get; set; }

    public DateTime? SubmittedAt { get; set; }

    public string? Comment { get; set; }
}

internal sealed class DelegationSet
{
    public List<string>? NameServers { get; set; }
}

internal sealed class ResourceRecord
{
    public string? Value { get; set; }
}

internal sealed class AliasTarget
{
    public string? HostedZoneId { get; set; }

    public string? DNSName { get; set; }

    public bool? EvaluateTargetHealth { get; set; }
}

internal sealed class ResourceRecordSet
{
    public string? Name { get; set; }

    public string? Type { get; set; }

    public string? SetIdentifier { get; set; }

    public long? Weight { get; set; }

    public string? Region { get; set; }

    public string? Failover { get; set; }

    public long? TTL { get; set; }

    [ListOf("ResourceRecord")]
    public List<ResourceRecord>? ResourceRecords { get; set; }

    public AliasTarget? AliasTarget { get; set; }

    public string? HealthCheckId { get; set; }
}

internal sealed class Change
{
    public string? Action { get; set; }

    public ResourceRecordSet? ResourceRecordSet { get; set; }
}

internal sealed class ChangeBatch
{
    public string? Comment { get; set; }

    [ListOf("Change")]
    public List<Change>? Changes { get; set; }
}

internal sealed class Tag
{
    public string? Key { get; set; }

    public string? Value { get; set; }
}

internal sealed class ResourceTagSet
{
    public string? ResourceType { get; set; }

    public string? ResourceId { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class CreateHostedZoneRequest : AmazonWebServiceRequest
{
    public string? Name { get; set; }

    public string? CallerReference { get; set; }

    public HostedZoneConfig? HostedZoneConfig { get; set; }
}

internal sealed class CreateHostedZoneResponse : AmazonWebServiceResponse
{
    public HostedZone? HostedZone { get; set; }

    public ChangeInfo? ChangeInfo { get; set; }

    public DelegationSet? DelegationSet { get; set; }
}

internal sealed class GetHostedZoneRequest : AmazonWebServiceRequest
{
    public string? Id { get; set; }
}

internal sealed class GetHostedZoneResponse : AmazonWebServiceResponse
{
    public HostedZone? HostedZone { get; set; }

    public DelegationSet? DelegationSet { get; set; }
}

internal sealed class DeleteHostedZoneRequest : AmazonWebServiceRequest
{
    public string? Id { get; set; }
}

internal sealed class DeleteHostedZoneResponse : AmazonWebServiceResponse
{
    public ChangeInfo? ChangeInfo { get; set; }
}

internal sealed class ListHostedZonesRequest : AmazonWebServiceRequest
{
    public string? Marker { get; set; }

    public string? MaxItems { get; set; }
}

internal sealed class ListHostedZonesResponse : AmazonWebServiceResponse
{
    public List<HostedZone>? HostedZones { get; set; }

    public bool? IsTruncated { get; set; }

    public string? NextMarker { get; set; }
}

internal sealed class ListHostedZonesByNameRequest : AmazonWebServiceRequest
{
    public string? DNSName { get; set; }

    public string? HostedZoneId { get; set; }

    public string? MaxItems { get; set; }
}

internal sealed class ListHostedZonesByNameResponse : AmazonWebServiceResponse
{
    public List<HostedZone>? HostedZones { get; set; }

    public bool? IsTruncated { get; set; }

    public string? NextDNSName { get; set; }

    public string? NextHostedZoneId { get; set; }
}

internal sealed class ChangeResourceRecordSetsRequest : AmazonWebServiceRequest
{
    [NotInBody]
    public string? HostedZoneId { get; set; }

    public ChangeBatch? ChangeBatch { get; set; }
}

internal sealed class ChangeResourceRecordSetsResponse : AmazonWebServiceResponse
{
    public ChangeInfo? ChangeInfo { get; set; }
}

internal sealed class ListResourceRecordSetsRequest : AmazonWebServiceRequest
{
    public string? HostedZoneId { get; set; }

    public string? StartRecordName { get; set; }

    public string? StartRecordType { get; set; }

    public string? StartRecordIdentifier { get; set; }
}

internal sealed class ListResourceRecordSetsResponse : AmazonWebServiceResponse
{
    public List<ResourceRecordSet>? ResourceRecordSets { get; set; }

    public bool? IsTruncated { get; set; }

    public string? NextRecordName { get; set; }

    public string? NextRecordType { get; set; }

    public string? NextRecordIdentifier { get; set; }
}

internal sealed class GetChangeRequest : AmazonWebServiceRequest
{
    public string? Id { get; set; }
}

internal sealed class GetChangeResponse : AmazonWebServiceResponse
{
    public ChangeInfo? ChangeInfo { get; set; }
}

internal sealed class ChangeTagsForResourceRequest : AmazonWebServiceRequest
{
    [NotInBody]
    public string? ResourceType { get; set; }

    [NotInBody]
    public string? ResourceId { get; set; }

    [ListOf("Tag")]
    public List<Tag>? AddTags { get; set; }

    [ListOf("Key")]
    public List<string>? RemoveTagKeys { get; set; }
}

internal sealed class ChangeTagsForResourceResponse : AmazonWebServiceResponse;

internal sealed class ListTagsForResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceType { get; set; }

    public string? ResourceId { get; set; }
}

internal sealed class ListTagsForResourceResponse : AmazonWebServiceResponse
{
    public ResourceTagSet? ResourceTagSet { get; set; }
}
