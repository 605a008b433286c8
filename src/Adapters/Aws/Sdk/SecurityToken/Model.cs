using Amazon.Runtime;

namespace PlatformOps.Adapters.Aws.Sdk.SecurityToken.Model;

internal sealed class GetCallerIdentityRequest : AmazonWebServiceRequest;

internal sealed class GetCallerIdentityResponse : AmazonWebServiceResponse
{
    public string? UserId { get; set; }

    public string? Account { get; set; }

    public string? Arn { get; set; }
}

internal sealed class AssumeRoleRequest : AmazonWebServiceRequest
{
    public string? RoleArn { get; set; }

    public string? RoleSessionName { get; set; }

    public int? DurationSeconds { get; set; }

    public string? ExternalId { get; set; }
}

internal sealed class Credentials
{
    public string? AccessKeyId { get; set; }

    public string? SecretAccessKey { get; set; }

    public string? SessionToken { get; set; }

    public DateTime? Expiration { get; set; }
}

internal sealed class AssumedRoleUser
{
    public string? AssumedRoleId { get; set; }

    public string? Arn { get; set; }
}

internal sealed class AssumeRoleResponse : AmazonWebServiceResponse
{
    public Credentials? Credentials { get; set; }

    public AssumedRoleUser? AssumedRoleUser { get; set; }
}
