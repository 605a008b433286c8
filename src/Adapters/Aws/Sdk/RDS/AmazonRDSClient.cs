using Amazon.Runtime;
using PlatformOps.Adapters.Aws.Sdk.RDS.Model;

namespace PlatformOps.Adapters.Aws.Sdk.RDS;

/// <summary>RDS, as much as we call. Operations, types and members are named as in the package AWSSDK.RDS, which can replace this folder.</summary>
internal sealed class AmazonRDSClient(AWSCredentials? credentials, AwsServiceConfig config) : AwsServiceClient(credentials, config)
{
    private const string Version = "2014-10-31";

    public Task<AddTagsToResourceResponse> AddTagsToResourceAsync(AddTagsToResourceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<AddTagsToResourceResponse>(request, Version, cancellationToken);

    public Task<CopyDBSnapshotResponse> CopyDBSnapshotAsync(CopyDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<CopyDBSnapshotResponse>(request, Version, cancellationToken);

    public Task<CreateDBInstanceResponse> CreateDBInstanceAsync(CreateDBInstanceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<CreateDBInstanceResponse>(request, Version, cancellationToken);

    public Task<CreateDBInstanceReadReplicaResponse> CreateDBInstanceReadReplicaAsync(CreateDBInstanceReadReplicaRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<CreateDBInstanceReadReplicaResponse>(request, Version, cancellationToken);

    public Task<CreateDBSnapshotResponse> CreateDBSnapshotAsync(CreateDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<CreateDBSnapshotResponse>(request, Version, cancellationToken);

    public Task<DeleteDBInstanceResponse> DeleteDBInstanceAsync(DeleteDBInstanceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DeleteDBInstanceResponse>(request, Version, cancellationToken);

    public Task<DeleteDBSnapshotResponse> DeleteDBSnapshotAsync(DeleteDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DeleteDBSnapshotResponse>(request, Version, cancellationToken);

    public Task<DescribeCertificatesResponse> DescribeCertificatesAsync(DescribeCertificatesRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeCertificatesResponse>(request, Version, cancellationToken);

    public Task<DescribeDBClustersResponse> DescribeDBClustersAsync(DescribeDBClustersRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeDBClustersResponse>(request, Version, cancellationToken);

    public Task<DescribeDBInstancesResponse> DescribeDBInstancesAsync(DescribeDBInstancesRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeDBInstancesResponse>(request, Version, cancellationToken);

    public Task<DescribeDBSnapshotsResponse> DescribeDBSnapshotsAsync(DescribeDBSnapshotsRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeDBSnapshotsResponse>(request, Version, cancellationToken);

    public Task<DescribeEventsResponse> DescribeEventsAsync(DescribeEventsRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeEventsResponse>(request, Version, cancellationToken);

    public Task<DescribeGlobalClustersResponse> DescribeGlobalClustersAsync(DescribeGlobalClustersRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeGlobalClustersResponse>(request, Version, cancellationToken);

    public Task<DescribeOrderableDBInstanceOptionsResponse> DescribeOrderableDBInstanceOptionsAsync(DescribeOrderableDBInstanceOptionsRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<DescribeOrderableDBInstanceOptionsResponse>(request, Version, cancellationToken);

    public Task<FailoverGlobalClusterResponse> FailoverGlobalClusterAsync(FailoverGlobalClusterRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<FailoverGlobalClusterResponse>(request, Version, cancellationToken);

    public Task<ListTagsForResourceResponse> ListTagsForResourceAsync(ListTagsForResourceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<ListTagsForResourceResponse>(request, Version, cancellationToken);

    public Task<ModifyDBClusterResponse> ModifyDBClusterAsync(ModifyDBClusterRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<ModifyDBClusterResponse>(request, Version, cancellationToken);

    public Task<ModifyDBInstanceResponse> ModifyDBInstanceAsync(ModifyDBInstanceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<ModifyDBInstanceResponse>(request, Version, cancellationToken);

    public Task<PromoteReadReplicaResponse> PromoteReadReplicaAsync(PromoteReadReplicaRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<PromoteReadReplicaResponse>(request, Version, cancellationToken);

    public Task<RebootDBInstanceResponse> RebootDBInstanceAsync(RebootDBInstanceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<RebootDBInstanceResponse>(request, Version, cancellationToken);

    public Task<RemoveTagsFromResourceResponse> RemoveTagsFromResourceAsync(RemoveTagsFromResourceRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<RemoveTagsFromResourceResponse>(request, Version, cancellationToken);

    public Task<RestoreDBInstanceFromDBSnapshotResponse> RestoreDBInstanceFromDBSnapshotAsync(RestoreDBInstanceFromDBSnapshotRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<RestoreDBInstanceFromDBSnapshotResponse>(request, Version, cancellationToken);

    public Task<RestoreDBInstanceToPointInTimeResponse> RestoreDBInstanceToPointInTimeAsync(RestoreDBInstanceToPointInTimeRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<RestoreDBInstanceToPointInTimeResponse>(request, Version, cancellationToken);

    public Task<SwitchoverGlobalClusterResponse> SwitchoverGlobalClusterAsync(SwitchoverGlobalClusterRequest request, CancellationToken cancellationToken = default) =>
        QueryAsync<SwitchoverGlobalClusterResponse>(request, Version, cancellationToken);
}
