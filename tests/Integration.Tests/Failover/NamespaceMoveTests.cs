using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Replication.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A namespace's active cluster goes with the database: two bootstrap servers stand in for the clusters of both regions. What one of them is told the test tells the other, as replication does.</summary>
public sealed class NamespaceMoveTests : IAsyncLifetime
{
    private const string East = "us-east-1", West = "us-west-2", Space = "orders";

    private readonly Dictionary<string, BootstrapServerHost> servers = [];
    private readonly Dictionary<string, TemporalClient> clients = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (var (region, cluster) in new[] { (East, "east"), (West, "west") })
        {
            servers[region] = await BootstrapServerHost.StartAsync(new() { Cluster = cluster, Clusters = ["east", "west"] }, Ct);
            clients[region] = await TemporalClient.ConnectAsync(new(servers[region].Address));
            await clients[region].WorkflowService.RegisterNamespaceAsync(new RegisterNamespaceRequest
            {
                Namespace = Space,
                WorkflowExecutionRetentionPeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(1)),
                IsGlobalNamespace = true,
                ActiveClusterName = "east",
                Clusters = { new ClusterReplicationConfig { ClusterName = "east" }, new ClusterReplicationConfig { ClusterName = "west" } },
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values)
            await server.DisposeAsync();
    }

    [Theory]
    [InlineData(FailoverKind.Switchover)]
    [InlineData(FailoverKind.Failover)]
    public async Task Both_clusters_agree_on_where_it_is_active_and_since_which_failover(FailoverKind kind)
    {
        using var stop = new CancellationTokenSource();
        var replicating = ReplicateAsync(West, East, stop.Token);

        var moved = await MoveAsync(kind);
        await stop.CancelAsync();
        await replicating;

        Assert.Equal("orders (failover version 2) active in west. us-east-1 agrees.", moved);
        Assert.Equal(("west", 2L), await SaysAsync(East));
        Assert.Equal(("west", 2L), await SaysAsync(West));
        Assert.Equal(moved, await MoveAsync(kind));
    }

    [Fact]
    public async Task A_cluster_that_does_not_hear_of_it_is_a_failure_where_everything_is_handed_over_and_is_told_of_in_a_failover()
    {
        var failure = await Assert.ThrowsAsync<ApplicationFailureException>(() => MoveAsync(FailoverKind.Switchover));
        Assert.Equal((FailureTypes.Unavailable, "us-east-1 says east (failover version 1) of namespace orders, us-west-2 says west (2). See that both replicate."), (failure.ErrorType, failure.Message));

        Assert.Contains("us-east-1 still says east (failover version 1)", await MoveAsync(FailoverKind.Failover), StringComparison.Ordinal);
        await servers[East].DisposeAsync();
        Assert.EndsWith("us-east-1 does not answer.", await MoveAsync(FailoverKind.Failover), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespace_that_a_handover_has_left_closed_is_opened_and_moved()
    {
        await clients[West].WorkflowService.UpdateNamespaceAsync(new UpdateNamespaceRequest { Namespace = Space, ReplicationConfig = new() { State = ReplicationState.Handover } });

        await MoveAsync(FailoverKind.Failover);

        var now = await clients[West].WorkflowService.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = Space });
        Assert.Equal((ReplicationState.Normal, "west", 2L), (now.ReplicationConfig.State, now.ReplicationConfig.ActiveClusterName, Assert.Single(now.FailoverHistory).FailoverVersion));
    }

    [Fact]
    public async Task Failovers_count_as_the_real_server_counts_and_what_there_is_not_is_refused()
    {
        foreach (var (cluster, version) in new[] { ("west", 2L), ("east", 11L), ("west", 12L) })
        {
            await ActivateAsync(West, cluster);
            Assert.Equal((cluster, version), await SaysAsync(West));
        }

        var unknown = await Assert.ThrowsAsync<RpcException>(() => ActivateAsync(West, "north"));
        Assert.Equal((RpcException.StatusCode.InvalidArgument, "Active cluster is not contained in all clusters: north"), (unknown.Code, unknown.Message));
    }

    private async Task<string> MoveAsync(FailoverKind kind)
    {
        var locations = Locations.From(null, null, null);
        var connections = new PlatformConnections
        {
            Regions = servers.Keys.ToDictionary(region => region, region => new RegionConnection { Kubeconfig = "/nowhere", TemporalAddress = servers[region].Address, Aws = new(Endpoint: "http://127.0.0.1:1") }),
            Failover = new Dictionary<string, FailoverAccess>
            {
                ["production"] = new()
                {
                    Nodes = new Dictionary<string, FailoverNodeAccess> { [East] = new("https://127.0.0.1:1", "127.0.0.1:1", "east"), [West] = new("https://127.0.0.1:1", "127.0.0.1:1", "west") },
                    TemporalNamespaces = [Space],
                    HandoverSeconds = 1,
                },
            },
        };
        using var activities = new FailoverActivities(new ProvisioningSources(locations.Specification, locations.Catalog), connections, FailoverPairs.Open);
        return await new ActivityEnvironment().RunAsync(async () => (await activities.MoveNamespacesAsync(new("production", "failover-1", 2, East, West, kind))).Detail);
    }

    private Task ActivateAsync(string region, string cluster) =>
        clients[region].WorkflowService.UpdateNamespaceAsync(new UpdateNamespaceRequest { Namespace = Space, ReplicationConfig = new() { ActiveClusterName = cluster } });

    private async Task<(string Cluster, long Version)> SaysAsync(string region)
    {
        var now = await clients[region].WorkflowService.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = Space });
        return (now.ReplicationConfig.ActiveClusterName, now.FailoverVersion);
    }

    private async Task ReplicateAsync(string from, string to, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (await SaysAsync(from) is var now && now != await SaysAsync(to))
                await ActivateAsync(to, now.Cluster);
            await Task.Yield();
        }
    }
}
