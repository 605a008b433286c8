using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.IdentityManagement.Model;

internal sealed class CreateAccessKeyRequest : AmazonWebServiceRequest
{
    public string? UserName { get; set; }
}

internal sealed class CreateAccessKeyResponse : AmazonWebServiceResponse
{
    public AccessKey? AccessKey { get; set; }
}

internal sealed class AccessKey
{
    public string? UserName { get; set; }

    public string? AccessKeyId { get; set; }

    public string? Status { get; set; }

    public string? SecretAccessKey { get; set; }
}

internal sealed class ListAccessKeysRequest : AmazonWebServiceRequest
{
    public string? UserName { get; set; }
}

internal sealed class ListAccessKeysResponse : AmazonWebServiceResponse
{
    public List<AccessKeyMetadata>? AccessKeyMetadata { get; set; }
}

internal sealed class AccessKeyMetadata
{
    public string? UserName { get; set; }

    public string? AccessKeyId { get; set; }

    public string? Status { get; set; }

    public DateTime? CreateDate { get; set; }
}

internal sealed class UpdateAccessKeyRequest : AmazonWebServiceRequest
{
    public string? UserName { get; set; }

    public string? AccessKeyId { get; set; }

    public string? Status { get; set; }
}

internal sealed class UpdateAccessKeyResponse : AmazonWebServiceResponse;

internal sealed class DeleteAccessKeyRequest : AmazonWebServiceRequest
{
    public string? UserName { get; set; }

    public string? AccessKeyId { get; set; }
}

internal sealed class DeleteAccessKeyResponse : AmazonWebServiceResponse;
