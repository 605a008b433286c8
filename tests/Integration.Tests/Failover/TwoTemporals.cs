using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.CommandLine;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Replication.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Two bootstrap servers that stand in for the Temporal clusters of both regions. What one of them says of a namespace the test tells the other, as replication does.</summary>
public sealed class TwoTemporals : IAsyncDisposable
{
    public const string East = "us-east-1", West = "us-west-2";

    private readonly Dictionary<string, BootstrapServerHost> servers = [];
    private readonly Dictionary<string, TemporalClient> clients = [];

    public IReadOnlyDictionary<string, BootstrapServerHost> Servers => servers;

    public IReadOnlyDictionary<string, TemporalClient> Clients => clients;

    public static async Task<TwoTemporals> StartAsync()
    {
        var two = new TwoTemporals();
        foreach (var (region, cluster) in new[] { (East, "east"), (West, "west") })
        {
            two.servers[region] = await BootstrapServerHost.StartAsync(new() { Cluster = cluster, Clusters = ["east", "west"] }, TestContext.Current.CancellationToken);
            two.clients[region] = await TemporalClient.ConnectAsync(new(two.servers[region].Address));
        }

        return two;
    }

    public async Task RegisterAsync(string space)
    {
        foreach (var client in clients.Values)
        {
            await client.WorkflowService.RegisterNamespaceAsync(new RegisterNamespaceRequest
            {
                Namespace = space,
                WorkflowExecutionRetentionPeriod = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromDays(1)),
                IsGlobalNamespace = true,
                ActiveClusterName = "east",
                Clusters = { new ClusterReplicationConfig { ClusterName = "east" }, new ClusterReplicationConfig { ClusterName = "west" } },
            });
        }
    }

    /// <summary>What moves these namespaces, and watches over it.</summary>
    public FailoverActivities Activities(int handoverSeconds, params string[] spaces)
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
                    TemporalNamespaces = spaces,
                    HandoverSeconds = handoverSeconds,
                },
            },
        };
        return new(new ProvisioningSources(locations.Specification, locations.Catalog), connections, FailoverPairs.Open);
    }

    public Task ActivateAsync(string region, string space, string cluster) => UpdateAsync(region, space, new() { ActiveClusterName = cluster });

    public Task SetStateAsync(string region, string space, ReplicationState state) => UpdateAsync(region, space, new() { State = state });

    public async Task<ActiveNamespace> SaysAsync(string region, string space)
    {
        var now = await clients[region].WorkflowService.DescribeNamespaceAsync(new DescribeNamespaceRequest { Namespace = space });
        return new(now.ReplicationConfig.ActiveClusterName, [], now.FailoverVersion, now.ReplicationConfig.State == ReplicationState.Handover);
    }

    /// <summary>The later failover is told to the other side, again and again. That a namespace is closed is not.</summary>
    /// <param name="spaces">Looked at anew in each round.</param>
    public async Task ReplicateAsync(Func<IEnumerable<string>> spaces, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            foreach (var space in spaces())
            {
                var (east, west) = (await SaysAsync(East, space), await SaysAsync(West, space));
                if (east.FailoverVersion > west.FailoverVersion)
                    await ActivateAsync(West, space, east.Cluster);
                else if (west.FailoverVersion > east.FailoverVersion)
                    await ActivateAsync(East, space, west.Cluster);
            }

            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values)
            await server.DisposeAsync();
    }

    private Task UpdateAsync(string region, string space, NamespaceReplicationConfig config) =>
        clients[region].WorkflowService.UpdateNamespaceAsync(new UpdateNamespaceRequest { Namespace = space, ReplicationConfig = config });
}
