using PlatformOps.Platform.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Replication.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>In which of its clusters a namespace is active.</summary>
public sealed class ActiveCluster(TemporalCluster cluster)
{
    /// <summary>What this cluster says of a namespace, and since which failover.</summary>
    public async Task<ActiveNamespace> ReadAsync(string space, CancellationToken ct)
    {
        var answer = await cluster.CallAsync($"describe namespace {space}", (services, rpc) => services.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = space }, rpc), ct);
        return new(answer.ReplicationConfig?.ActiveClusterName ?? "", [.. answer.ReplicationConfig?.Clusters.Select(known => known.ClusterName) ?? []], answer.FailoverVersion,
            answer.ReplicationConfig?.State == ReplicationState.Handover);
    }

    /// <summary>Opens a namespace that a handover has closed and not opened again: it stays where it is active.</summary>
    public Task LeaveHandoverAsync(string space, CancellationToken ct) => cluster.CallAsync(
        $"take namespace {space} out of handover",
        (services, rpc) => services.UpdateNamespaceAsync(new UpdateNamespaceRequest { Namespace = space, ReplicationConfig = new NamespaceReplicationConfig { State = ReplicationState.Normal } }, rpc), ct);

    /// <summary>Makes a namespace active in a cluster, from this one: the others need not be reachable.</summary>
    public Task ActivateAsync(string space, string clusterName, CancellationToken ct) => cluster.CallAsync(
        $"make namespace {space} active in {clusterName}",
        (services, rpc) => services.UpdateNamespaceAsync(
            new UpdateNamespaceRequest { Namespace = space, ReplicationConfig = new NamespaceReplicationConfig { ActiveClusterName = clusterName } }, rpc), ct);
}
