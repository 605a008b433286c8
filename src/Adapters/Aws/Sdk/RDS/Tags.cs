using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class AddTagsToResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceName { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class AddTagsToResourceResponse : AmazonWebServiceResponse;

internal sealed class ListTagsForResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceName { get; set; }
}

internal sealed class ListTagsForResourceResponse : AmazonWebServiceResponse
{
    public List<Tag>? TagList { get; set; }
}
