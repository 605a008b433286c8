using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.RDS.Model;

internal sealed class AddTagsToResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceName { get; set; }

    [ListOf("Tag")]
    public List<Tag>? Tags { get; set; }
}

internal sealed class AddTagsToResourceResponse : AmazonWebServiceResponse;

internal sealed class RemoveTagsFromResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceName { get; set; }

    public List<string>? TagKeys { get; set; }
}

internal sealed class RemoveTagsFromResourceResponse : AmazonWebServiceResponse;

internal sealed class ListTagsForResourceRequest : AmazonWebServiceRequest
{
    public string? ResourceName { get; set; }
}

internal sealed class ListTagsForResourceResponse : AmazonWebServiceResponse
{
    public List<Tag>? TagList { get; set; }
}
