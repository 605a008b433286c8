using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Adapters.Failover;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Sandbox.Databases;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A Cluster in the Kubernetes API of each region, under a played operator there.</summary>
internal sealed class CloudNativeWorld : OperatedWorld
{
    private const string Space = "databases";

    private readonly ConcurrentDictionary<string, GateSight> sights = new();
    private readonly Dictionary<string, CloudNativePgOperator> operators = [];

    protected override async Task MakeAsync()
    {
        foreach (var region in new[] { First, Second })
        {
            using var cluster = Kubectl(region);
            await cluster.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CloudNativePgOperator.Definition.ToJsonString());
            await cluster.CreateAsync("/api/v1/namespaces", $$"""{"metadata":{"name":"{{Space}}"} }""");
            await cluster.CreateAsync($"/apis/postgresql.cnpg.io/v1/namespaces/{Space}/clusters", new JsonObject
            {
                ["apiVersion"] = "postgresql.cnpg.io/v1",
                ["kind"] = "Cluster",
                ["metadata"] = new JsonObject { ["name"] = region },
                ["spec"] = new JsonObject
                {
                    ["instances"] = 2,
                    ["replica"] = new JsonObject { ["primary"] = First, ["source"] = Other(region) },
                    ["externalClusters"] = new JsonArray(new JsonObject { ["name"] = First }, new JsonObject { ["name"] = Second }),
                },
            }.ToJsonString());
            sights[region] = new(Admits: true, Writes: false, Restarts: 0);
            var (api, token) = Api(region);
            operators[region] = CloudNativePgOperator.Start(api, token, Space, (_, serves) => sights.AddOrUpdate(
                region, _ => throw new InvalidOperationException(region), (_, before) => before with { Writes = serves, Restarts = before.Writes && !serves ? before.Restarts + 1 : before.Restarts }));
        }
    }

    protected override FailoverNodeAccess Node(string region, string clients) => new(null, clients, CloudNativePg: new(Space, region));

    protected override GateSight Look(string region) => sights[region];

    protected override void Lose(string region)
    {
        base.Lose(region);
        operators[region].Lose(region);
    }

    protected override void Return(string region)
    {
        operators[region].Return(region);
        base.Return(region);
    }

    protected override async Task EndAsync()
    {
        foreach (var played in operators.Values)
            await played.DisposeAsync();
    }
}

/// <summary>An instance, and a replica of it in the other region. Its owner makes a new replica of one that was closed and cannot follow.</summary>
internal sealed class RdsWorld : OperatedWorld
{
    private const string Closed = RdsPostgresTests.Closed, Open = RdsPostgresTests.Open;

    private readonly ConcurrentDictionary<string, string> places = new();
    private int made;

    protected override async Task MakeAsync()
    {
        using var east = Connect(First);
        var name = places[First] = Names.New("orders");
        await new DatabaseInstances(east).CreateAsync(
            new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "admin1", SecurityGroups = [Open], DeletionProtection = false }, "a-password-of-a-test", Names.Owner, "op-1", Ct);
        await AvailableAsync(First);
        await RepairAsync(Second, First);
    }

    protected override FailoverNodeAccess Node(string region, string clients) => new(null, clients, Rds: new(places[region], Closed));

    protected override GateSight Look(string region) =>
        Aws.LookAt(region, places[region]) is { } seen ? new(!seen.SecurityGroups.SequenceEqual([Closed]), seen.Writes, seen.Restarts) : new(Admits: false, Writes: false, Restarts: 0);

    protected override async Task<bool> RepairAsync(string region, string primary)
    {
        using var there = Connect(region);
        using var source = Connect(primary);
        var copied = (await new DatabaseInstances(source).FindAsync(places[primary], Ct))!;
        var name = $"{places[primary][..15]}-{++made}";
        await new DatabaseInstances(there).CreateReplicaAsync(name, copied.Arn, new() { SecurityGroups = [Open], DeletionProtection = false, EncryptionKey = "alias/aws/rds" }, Names.Owner, "op-1", Ct);
        places[region] = name;
        await AvailableAsync(region);
        return true;
    }

    private async Task AvailableAsync(string region)
    {
        using var connection = Connect(region);
        while (await new DatabaseInstances(connection).FindAsync(places[region], Ct) is not { Available: true })
            await Task.Delay(20, Ct);
    }
}

/// <summary>A global database with a cluster in each region.</summary>
internal class AuroraWorld : OperatedWorld
{
    private const string Closed = AuroraPostgresTests.Closed, Open = AuroraPostgresTests.Open;

    private readonly string name = Names.New("orders");

    protected override async Task MakeAsync() => await AuroraPostgresTests.MakeGlobalAsync(Aws, name, Connect, Ct);

    protected override FailoverNodeAccess Node(string region, string clients) => new(null, clients, Aurora: new(name, name, Closed));

    protected override GateSight Look(string region) =>
        Aws.LookAt(region, name) is { } seen ? new(!seen.SecurityGroups.SequenceEqual([Closed]), seen.Writes, seen.Restarts) : new(Admits: false, Writes: false, Restarts: 0);
}

/// <summary>With all that moves with it: a record in Route 53, and a namespace of two Temporal clusters, whose server hands it over.</summary>
internal sealed class WholeStackWorld : AuroraWorld
{
    private const string Zone = "orders.example.com", Space = "orders";

    private readonly CancellationTokenSource ended = new();
    private readonly List<Task> working = [];
    private TwoTemporals temporals = null!;

    /// <summary>Where the namespace is active, as each cluster says.</summary>
    public async Task<IReadOnlyList<string>> ActiveAsync() => [(await temporals.SaysAsync(First, Space)).Cluster, (await temporals.SaysAsync(Second, Space)).Cluster];

    protected override async Task MakeAsync()
    {
        await base.MakeAsync();
        using (var east = Connect(First))
            await new HostedZones(east).EnsureAsync(Zone, Names.Owner, "op-1", Ct);
        temporals = await TwoTemporals.StartAsync();
        foreach (var region in new[] { First, Second })
            working.Add((await HandoverStandIn.WorkerAsync(temporals, region, (_, _) => Task.CompletedTask)).ExecuteAsync(ended.Token));
        await temporals.RegisterAsync(Space);
        working.Add(temporals.ReplicateAsync(() => [Space], ended.Token));
    }

    protected override FailoverNodeAccess Node(string region, string clients) => base.Node(region, clients) with { TemporalCluster = region == First ? "east" : "west" };

    protected override FailoverAccess Around(FailoverAccess access) => access with { TemporalNamespaces = [Space], Dns = new(Zone, $"database.{Zone}", Region: First) };

    protected override string TemporalAddress(string region) => temporals.Servers[region].Address;

    protected override async Task EndAsync()
    {
        await ended.CancelAsync();
        await Task.WhenAll(working).ContinueWith(_ => { }, TaskScheduler.Default);
        if (temporals is not null)
            await temporals.DisposeAsync();
        ended.Dispose();
    }
}
