using System.Collections.Concurrent;
using System.Net.Http.Headers;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox.Aws;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A global database with a cluster in each of two regions.</summary>
public sealed class AuroraPostgresTests : FailoverDatabaseTests
{
    internal const string Closed = "sg-0c105ed0c105ed000", Open = "sg-0bea0bea0bea0bea0";

    private protected override async Task<IDatabaseWorld> NewAsync() => await StartAsync();

    [Fact]
    public async Task A_planned_change_is_a_switchover_and_taking_it_back_switches_over_again()
    {
        await using var world = await StartAsync();
        for (var time = 0; time < 2; time++)
            Assert.True(await world.Database.FenceAsync(First, 1, TimeSpan.FromSeconds(30), Ct) is { Role: NodeRole.Standby, Fenced: true, Writable: false });
        Assert.True(await world.WriterAsync() == Second);

        for (var time = 0; time < 2; time++)
            Assert.True(await world.Database.UnfenceAsync(First, 1, Ct) is { Role: NodeRole.Primary, Writable: true, Fenced: false });
        Assert.True(await world.WriterAsync() == First);
        Assert.True(await world.Database.ObserveAsync(Second, Ct) is { Role: NodeRole.Standby, Streaming: true, Fenced: false });
        // Each of the two once, however often it was asked for; and nothing was lost.
        Assert.Equal(2, world.Calls("SwitchoverGlobalCluster"));
        Assert.Equal(0, world.Calls("FailoverGlobalCluster"));
    }

    [Fact]
    public async Task An_unplanned_change_closes_the_old_cluster_before_it_fails_over_and_the_old_one_comes_back_as_a_secondary()
    {
        await using var world = await StartAsync();
        var epoch = await ClaimAsync(world.Witness, Second);
        Assert.True((await world.Database.PromoteAsync(Second, epoch, Ct)).Writable);
        Assert.Equal(["ModifyDBCluster", "RebootDBInstance", "FailoverGlobalCluster"], world.Changes);
        Assert.True(await world.Database.ObserveAsync(First, Ct) is { Writable: false });

        await FollowsAsync(world.Database, epoch);
        Assert.Equal([Open], (await world.ClusterAsync(First)).SecurityGroups);
        Assert.True(await world.Database.ObserveAsync(First, Ct) is { Role: NodeRole.Standby, Streaming: true, Fenced: false });
    }

    [Fact]
    public async Task A_cluster_that_was_taken_out_is_not_promoted_and_not_called_a_standby()
    {
        await using var world = await StartAsync();
        using var stray = new AuroraPostgres(
            new Dictionary<string, (AwsConnection, AuroraNode)> { [First] = (world.Connect(First), new(world.Name, world.Name, Closed)), [Second] = (world.Connect(Second), new(world.Name, await world.AloneAsync(), Closed)) },
            world.Witness, TimeProvider.System, TimeSpan.FromMilliseconds(20));
        Assert.True(await stray.ObserveAsync(Second, Ct) is { Role: NodeRole.Primary, Streaming: null, Trouble: not null });
        var epoch = await ClaimAsync(world.Witness, Second);
        var failure = await Assert.ThrowsAsync<AdapterException>(() => stray.PromoteAsync(Second, epoch, Ct));
        Assert.Equal(AdapterFailureKind.Rejected, failure.Kind);
        Assert.Contains("is no member of global database", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, world.Calls("FailoverGlobalCluster"));
    }

    private static async Task<World> StartAsync()
    {
        // Minutes pass in tenths of a second.
        var changes = new ConcurrentQueue<string>();
        var world = new World(await AwsStandIn.StartAsync(new() { TimeScale = 0.001, Changing = changes.Enqueue }, Ct), changes);
        await world.MakeAsync();
        changes.Clear();
        return world;
    }

    /// <summary>A global database with a cluster of its name in each region, the first one primary. The product never creates one: its owner does.</summary>
    internal static async Task MakeGlobalAsync(AwsStandIn aws, string name, Func<string, AwsConnection> connect, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = aws.Address };
        await CallAsync(http, aws, First, "CreateGlobalCluster", ct, ("GlobalClusterIdentifier", name), ("Engine", "aurora-postgresql"));
        await CreateClusterAsync(http, aws, First, name, connect, ct, ("GlobalClusterIdentifier", name), ("MasterUsername", "admin1"), ("MasterUserPassword", "a-password-of-a-test"));
        await CreateClusterAsync(http, aws, Second, name, connect, ct, ("GlobalClusterIdentifier", name));
    }

    private static async Task CreateClusterAsync(HttpClient http, AwsStandIn aws, string region, string name, Func<string, AwsConnection> connect, CancellationToken ct, params (string, string)[] more)
    {
        await CallAsync(http, aws, region, "CreateDBCluster", ct, [("DBClusterIdentifier", name), ("Engine", "aurora-postgresql"), ("VpcSecurityGroupIds.VpcSecurityGroupId.1", Open), .. more]);
        await CallAsync(http, aws, region, "CreateDBInstance", ct, ("DBInstanceIdentifier", $"{name}-1"), ("DBClusterIdentifier", name), ("Engine", "aurora-postgresql"), ("DBInstanceClass", "db.r6g.large"));
        using var connection = connect(region);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromMinutes(3));
        while (await new DatabaseClusters(connection).FindAsync(name, patience.Token) is not { Status: "available" }
            || await new DatabaseInstances(connection).FindAsync($"{name}-1", patience.Token) is not { Available: true })
            await Task.Delay(20, patience.Token);
    }

    private static async Task CallAsync(HttpClient http, AwsStandIn aws, string region, string operation, CancellationToken ct, params (string Name, string Value)[] parameters)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/")
        {
            Content = new FormUrlEncodedContent([new("Action", operation), new("Version", "2014-10-31"), .. parameters.Select(one => KeyValuePair.Create(one.Name, one.Value))]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", $"Credential={aws.AccessKeyId}/20260101/{region}/rds/aws4_request, SignedHeaders=host, Signature=0");
        using var answer = await http.SendAsync(request, ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    internal sealed class World(AwsStandIn aws, ConcurrentQueue<string> changes) : IDatabaseWorld
    {
        private readonly AwsConnection third = Connection(aws, "eu-central-1");

        public string Name { get; } = Names.New("orders");

        public IFailoverDatabase Database { get; private set; } = null!;

        public IWitness Witness { get; private set; } = null!;

        /// <summary>What was changed at RDS, without tags.</summary>
        public IEnumerable<string> Changes => changes.Where(operation => operation.Contains("Cluster", StringComparison.Ordinal) || operation.Contains("DBInstance", StringComparison.Ordinal));

        public int Calls(string operation) => changes.Count(change => change == operation);

        public AwsConnection Connect(string region) => Connection(aws, region);

        public async Task MakeAsync()
        {
            var bucket = Names.New("witness");
            await new Buckets(third).EnsureAsync(new() { Name = bucket }, Names.Owner, "op-1", Ct);
            await MakeGlobalAsync(aws, Name, Connect, Ct);
            Witness = new S3Witness(third, bucket, "production");
            var database = new AuroraPostgres(
                new[] { First, Second }.ToDictionary(region => region, region => (Connect(region), new AuroraNode(Name, Name, Closed))), Witness, TimeProvider.System, TimeSpan.FromMilliseconds(20));
            Database = database;
            await database.KeepLeaseAsync(First, Ct);
        }

        /// <summary>A cluster that is no member of the global database.</summary>
        public async Task<string> AloneAsync()
        {
            var name = Names.New("alone");
            using var http = new HttpClient { BaseAddress = aws.Address };
            await CreateClusterAsync(http, aws, Second, name, Connect, Ct, ("MasterUsername", "admin1"), ("MasterUserPassword", "a-password-of-a-test"));
            return name;
        }

        public async Task<DatabaseCluster> ClusterAsync(string node)
        {
            using var connection = Connect(node);
            return (await new DatabaseClusters(connection).FindAsync(Name, Ct))!;
        }

        public async Task<string> WriterAsync()
        {
            using var connection = Connect(First);
            var whole = (await new GlobalDatabases(connection).FindAsync(Name, Ct))!;
            return whole.Members.Single(member => member.Writer).ClusterArn.Split(':')[3];
        }

        public async ValueTask DisposeAsync()
        {
            (Database as IDisposable)?.Dispose();
            third.Dispose();
            await aws.DisposeAsync();
        }

        private static AwsConnection Connection(AwsStandIn aws, string region) => new(new() { Region = region, Endpoint = aws.Address, Keys = new(aws.AccessKeyId, "not-a-secret") });

    }
}
