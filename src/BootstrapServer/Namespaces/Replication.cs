using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Replication.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Namespaces;

/// <summary>In which clusters a namespace is, where it is active, and since which failover: kept as data, with the real server's numbers. Nothing is replicated.</summary>
/// <param name="known">All clusters in the order of their initial failover versions; empty: only this one, and namespaces are local.</param>
internal sealed class Replication(string own, IReadOnlyList<string> known, TimeProvider clock)
{
    /// <summary>From one failover of a cluster to its next one.</summary>
    private const long Increment = 10;

    private bool OneCluster => known.Count < 2;

    /// <summary>The version that namespaces have when they begin in a cluster.</summary>
    public static long Initial(string cluster, IReadOnlyList<string> known) => Math.Max(0, known.ToList().IndexOf(cluster)) + 1;

    /// <summary>Refuses a registration that names what there is not.</summary>
    public void Require(RegisterNamespaceRequest request)
    {
        if (request.IsGlobalNamespace && OneCluster)
            throw ServiceError.InvalidArgument("Cannot register global namespace when not enabled: this server is one cluster.");
        if (!request.IsGlobalNamespace)
            RequireLocal(request.ActiveClusterName, request.Clusters.Select(cluster => cluster.ClusterName));
        else
            RequireClusters(request.ActiveClusterName.Length == 0 ? own : request.ActiveClusterName, Named(request.Clusters));
    }

    /// <summary>What a new namespace says of it.</summary>
    public void Describe(DescribeNamespaceResponse description, RegisterNamespaceRequest request)
    {
        var active = request is { IsGlobalNamespace: true, ActiveClusterName.Length: > 0 } ? request.ActiveClusterName : own;
        description.IsGlobalNamespace = request.IsGlobalNamespace;
        description.FailoverVersion = request.IsGlobalNamespace ? Initial(active) : 0;
        description.ReplicationConfig = new NamespaceReplicationConfig { ActiveClusterName = active, State = ReplicationState.Normal };
        description.ReplicationConfig.Clusters.Add(Named(request.Clusters).Select(name => new ClusterReplicationConfig { ClusterName = name }));
    }

    /// <summary>Changes what a namespace says of it; before anything else of the request is looked at.</summary>
    public void Update(DescribeNamespaceResponse description, UpdateNamespaceRequest request)
    {
        if (request.PromoteNamespace)
            Promote(description);
        if (request.ReplicationConfig is not { } wanted)
            return;
        if (!description.IsGlobalNamespace)
        {
            if (wanted.State == ReplicationState.Handover)
                throw ServiceError.InvalidArgument($"{ReplicationState.Handover} can only be set for global namespace");
            RequireLocal(wanted.ActiveClusterName, wanted.Clusters.Select(cluster => cluster.ClusterName));
            return;
        }

        var now = description.ReplicationConfig;
        var changesState = wanted.State != ReplicationState.Unspecified && wanted.State != now.State;
        if (wanted.ActiveClusterName.Length > 0 && (changesState || wanted.Clusters.Count > 0 || request.UpdateInfo is not null || request.Config is not null))
            throw ServiceError.InvalidArgument("Cannot set active cluster to current cluster when other parameters are set.");
        if (changesState && description.NamespaceInfo.State != NamespaceState.Registered)
            throw ServiceError.InvalidArgument($"update ReplicationState is only supported when namespace is in {NamespaceState.Registered} state, current state: {description.NamespaceInfo.State}");
        var clusters = wanted.Clusters.Count == 0 ? [.. now.Clusters.Select(cluster => cluster.ClusterName)] : Named(wanted.Clusters);
        var active = wanted.ActiveClusterName.Length == 0 ? now.ActiveClusterName : wanted.ActiveClusterName;
        RequireClusters(active, clusters);
        if (changesState && wanted.State == ReplicationState.Handover && clusters.Count < 2)
            throw ServiceError.InvalidArgument($"{ReplicationState.Handover} require more than one replication clusters");
        now.Clusters.Clear();
        now.Clusters.Add(clusters.Select(name => new ClusterReplicationConfig { ClusterName = name }));
        if (changesState)
            now.State = wanted.State;
        // Naming it again opens it too.
        if (wanted.ActiveClusterName.Length > 0)
            now.State = ReplicationState.Normal;
        if (active == now.ActiveClusterName)
            return;
        now.ActiveClusterName = active;
        description.FailoverVersion = Next(active, description.FailoverVersion);
        description.FailoverHistory.Add(new FailoverStatus { FailoverVersion = description.FailoverVersion, FailoverTime = Timestamp.FromDateTimeOffset(clock.GetUtcNow()) });
    }

    private void Promote(DescribeNamespaceResponse description)
    {
        if (OneCluster)
            throw ServiceError.InvalidArgument($"global namespace is not enabled on this cluster, cannot update global namespace or promote local namespace: {description.NamespaceInfo.Name}");
        if (description.IsGlobalNamespace)
            return;
        description.IsGlobalNamespace = true;
        description.FailoverVersion = Initial(description.ReplicationConfig.ActiveClusterName);
    }

    private void RequireLocal(string activeCluster, IEnumerable<string> clusters)
    {
        if (activeCluster.Length > 0 && activeCluster != own)
            throw ServiceError.InvalidArgument($"Invalid local namespace active cluster: {activeCluster}; there is only {own}");
        if (clusters.FirstOrDefault(cluster => cluster != own) is { } other)
            throw ServiceError.InvalidArgument($"Invalid local namespace clusters: {other}; there is only {own}");
    }

    private void RequireClusters(string active, IReadOnlyList<string> clusters)
    {
        if (clusters.FirstOrDefault(cluster => !known.Contains(cluster)) is { } unknown)
            throw ServiceError.InvalidArgument($"Invalid cluster name: {unknown}");
        if (!clusters.Contains(active))
            throw ServiceError.InvalidArgument($"Active cluster is not contained in all clusters: {active}");
    }

    private List<string> Named(IEnumerable<ClusterReplicationConfig> clusters) => [.. clusters.Select(cluster => cluster.ClusterName).DefaultIfEmpty(own)];

    private long Initial(string cluster) => Initial(cluster, known);

    /// <summary>The lowest version of a cluster that is not below the one of now.</summary>
    private long Next(string cluster, long current)
    {
        var next = (current / Increment * Increment) + Initial(cluster);
        return next < current ? next + Increment : next;
    }
}
