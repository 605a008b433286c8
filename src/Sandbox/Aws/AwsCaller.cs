using Microsoft.AspNetCore.Http;

namespace PlatformOps.Sandbox.Aws;

/// <summary>Who calls which service of which region, as the signature says: <c>AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/rds/aws4_request, ...</c>.</summary>
internal sealed record AwsCaller(string Key, string Region, string Service)
{
    public static AwsCaller Of(HttpRequest request)
    {
        var scope = request.Headers.Authorization.ToString().Split("Credential=", 2) is ["AWS4-HMAC-SHA256 ", var rest] ? rest.Split(',')[0].Split('/') : [];
        return scope is [var key, _, var region, var service, "aws4_request"]
            ? new(key, region, service)
            : throw new AwsFailure(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    }
}
