using PlatformOps.Platform.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A namespace's active cluster goes with the database in a failover, whatever the side that was lost says.</summary>
public sealed class NamespaceMoveTests : IAsyncLifetime
{
    private const string East = TwoTemporals.East, West = TwoTemporals.West, Space = "orders";

    private TwoTemporals two = null!;

    public async ValueTask InitializeAsync()
    {
        two = await TwoTemporals.StartAsync();
        await two.RegisterAsync(Space);
    }

    public ValueTask DisposeAsync() => two.DisposeAsync();

    [Fact]
    public async Task Both_clusters_agree_on_where_it_is_active_and_since_which_failover()
    {
        using var stop = new CancellationTokenSource();
        var replicating = two.ReplicateAsync(() => [Space], stop.Token);

        var moved = await MoveAsync();
        await stop.CancelAsync();
        await replicating;

        Assert.Equal("orders (failover version 2) active in west. us-east-1 agrees.", moved);
        Assert.Equal(("west", 2L), await SaysAsync(East));
        Assert.Equal(("west", 2L), await SaysAsync(West));
        Assert.Equal(moved, await MoveAsync());
    }

    [Fact]
    public async Task A_cluster_that_does_not_hear_of_it_or_does_not_answer_is_told_of()
    {
        Assert.Contains("us-east-1 still says east (failover version 1)", await MoveAsync(), StringComparison.Ordinal);
        await two.Servers[East].DisposeAsync();
        Assert.EndsWith("us-east-1 does not answer.", await MoveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespace_that_a_handover_has_left_closed_is_opened_and_moved()
    {
        await two.SetStateAsync(West, Space, ReplicationState.Handover);

        await MoveAsync();

        var now = await two.Clients[West].WorkflowService.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = Space });
        Assert.Equal((ReplicationState.Normal, "west", 2L), (now.ReplicationConfig.State, now.ReplicationConfig.ActiveClusterName, Assert.Single(now.FailoverHistory).FailoverVersion));
    }

    [Fact]
    public async Task Failovers_count_as_the_real_server_counts_and_what_there_is_not_is_refused()
    {
        foreach (var (cluster, version) in new[] { ("west", 2L), ("east", 11L), ("west", 12L) })
        {
            await two.ActivateAsync(West, Space, cluster);
            Assert.Equal((cluster, version), await SaysAsync(West));
        }

        var unknown = await Assert.ThrowsAsync<RpcException>(() => two.ActivateAsync(West, Space, "north"));
        Assert.Equal((RpcException.StatusCode.InvalidArgument, "Active cluster is not contained in all clusters: north"), (unknown.Code, unknown.Message));
        var both = await Assert.ThrowsAsync<RpcException>(() => two.Clients[West].WorkflowService.UpdateNamespaceAsync(
            new UpdateNamespaceRequest { Namespace = Space, ReplicationConfig = new() { ActiveClusterName = "east", State = ReplicationState.Handover } }));
        Assert.Equal("Cannot set active cluster to current cluster when other parameters are set.", both.Message);
        await two.SetStateAsync(West, Space, ReplicationState.Handover);
        var closed = await Assert.ThrowsAsync<RpcException>(() => two.Clients[West].WorkflowService.DeprecateNamespaceAsync(new DeprecateNamespaceRequest { Namespace = Space }));
        Assert.Equal("cannot update namespace state while its replication state in Handover", closed.Message);
    }

    private async Task<string> MoveAsync()
    {
        using var activities = two.Activities(1, Space);
        return await new ActivityEnvironment().RunAsync(async () => (await activities.MoveNamespacesAsync(new("production", "failover-1", 2, East, West, FailoverKind.Failover))).Detail);
    }

    private async Task<(string Cluster, long Version)> SaysAsync(string region) => await two.SaysAsync(region, Space) is var now ? (now.Cluster, now.FailoverVersion) : default;
}
