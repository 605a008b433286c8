using Amazon.Runtime;
using PlatformOps.Adapters.Aws.Sdk.SecurityToken.Model;

namespace PlatformOps.Adapters.Aws.Sdk.SecurityToken;

/// <summary>STS, as much as we call, named as in the package AWSSDK.SecurityToken.</summary>
internal sealed class AmazonSecurityTokenServiceClient(AWSCredentials? credentials, AwsServiceConfig config) : AwsServiceClient(credentials, config)
{
    private const string Version = "2011-06-15";

    public Task<GetCallerIdentityResponse> GetCallerIdentityAsync(GetCallerIdentityRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<GetCallerIdentityResponse>(request, Version, cancellationToken);

    public Task<AssumeRoleResponse> AssumeRoleAsync(AssumeRoleRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<AssumeRoleResponse>(request, Version, cancellationToken);
}
