using Amazon.Runtime;
using PlatformOps.Adapters.Aws.Sdk.IdentityManagement.Model;

namespace PlatformOps.Adapters.Aws.Sdk.IdentityManagement;

/// <summary>IAM, as much as we call, named as in the package AWSSDK.IdentityManagement.</summary>
internal sealed class AmazonIdentityManagementServiceClient(AWSCredentials? credentials, AwsServiceConfig config) : AwsServiceClient(credentials, config)
{
    private const string Version = "2010-05-08";

    public Task<CreateAccessKeyResponse> CreateAccessKeyAsync(CreateAccessKeyRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<CreateAccessKeyResponse>(request, Version, cancellationToken);

    public Task<ListAccessKeysResponse> ListAccessKeysAsync(ListAccessKeysRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<ListAccessKeysResponse>(request, Version, cancellationToken);

    public Task<UpdateAccessKeyResponse> UpdateAccessKeyAsync(UpdateAccessKeyRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<UpdateAccessKeyResponse>(request, Version, cancellationToken);

    public Task<DeleteAccessKeyResponse> DeleteAccessKeyAsync(DeleteAccessKeyRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DeleteAccessKeyResponse>(request, Version, cancellationToken);
}
