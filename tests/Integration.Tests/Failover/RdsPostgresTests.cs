using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox.Aws;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>An instance and its replica in another region.</summary>
public sealed class RdsPostgresTests : FailoverDatabaseTests
{
    internal const string Closed = "sg-0c105ed0c105ed000", Open = "sg-0bea0bea0bea0bea0";

    private protected override async Task<IDatabaseWorld> NewAsync()
    {
        // Minutes pass in tenths of a second.
        var aws = await AwsStandIn.StartAsync(new() { TimeScale = 0.001 }, Ct);
        return await WorldAsync(region => new(new() { Region = region, Endpoint = aws.Address, Keys = new(aws.AccessKeyId, "not-a-secret") }), aws);
    }

    internal static async Task<World> WorldAsync(Func<string, AwsConnection> connect, IAsyncDisposable? owned)
    {
        var (east, west, third) = (connect(First), connect(Second), connect("eu-central-1"));
        var name = Names.New("orders");
        var (bucket, owner) = (Names.New("witness"), Names.Owner);
        await new Buckets(third).EnsureAsync(new() { Name = bucket }, owner, "op-1", Ct);
        var databases = new DatabaseInstances(east);
        await databases.CreateAsync(
            new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "admin1", SecurityGroups = [Open], DeletionProtection = false }, "a-password-of-a-test", owner, "op-1", Ct);
        var source = await AvailableAsync(databases, name);
        var replicas = new DatabaseInstances(west);
        await replicas.CreateReplicaAsync(name, source.Arn, new() { SecurityGroups = [Open], DeletionProtection = false, EncryptionKey = "alias/aws/rds" }, owner, "op-1", Ct);
        await AvailableAsync(replicas, name);
        var witness = new S3Witness(third, bucket, "production");
        var database = new RdsPostgres(
            new Dictionary<string, (AwsConnection, RdsNode)> { [First] = (east, new(name, Closed)), [Second] = (west, new(name, Closed)) }, witness, TimeProvider.System, TimeSpan.FromMilliseconds(20));
        await database.KeepLeaseAsync(First, Ct);
        return new World(database, witness, bucket, name, east, west, third, owned);
    }

    /// <summary>RDS makes no standby of an instance that was primary: that is said, and nothing is deleted.</summary>
    private protected override async Task FollowsAsync(IFailoverDatabase database, long epoch)
    {
        var failure = await Assert.ThrowsAsync<AdapterException>(() => database.FollowAsync(First, Second, epoch, Ct));
        Assert.Equal(AdapterFailureKind.Rejected, failure.Kind);
        Assert.Contains("Create a replica of arn:aws:rds:us-west-2:", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<DatabaseInstance> AvailableAsync(DatabaseInstances databases, string identifier)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (true)
        {
            if (await databases.FindAsync(identifier, patience.Token) is { Available: true } available)
                return available;
            await Task.Delay(20, patience.Token);
        }
    }

    internal sealed class World(RdsPostgres database, IWitness witness, string bucket, string name, AwsConnection east, AwsConnection west, AwsConnection third, IAsyncDisposable? owned) : IDatabaseWorld
    {
        public IFailoverDatabase Database => database;

        public IWitness Witness => witness;

        /// <summary>Where the witness keeps its record.</summary>
        public string Bucket => bucket;

        /// <summary>Of the instance and its replica.</summary>
        public string Name => name;

        public Task<DatabaseInstance?> InstanceAsync(string node) => new DatabaseInstances(node == First ? east : west).FindAsync(name, Ct);

        public async ValueTask DisposeAsync()
        {
            database.Dispose();
            third.Dispose();
            if (owned is not null)
                await owned.DisposeAsync();
        }
    }
}

/// <summary>The calls, on an implementation that is not ours. It goes on to call an instance that was promoted a replica: promotions are tested on our stand-in.</summary>
public sealed class RdsPostgresOnMotoTests(MotoServer aws)
{
    [Fact]
    public async Task A_closed_instance_has_only_the_group_that_lets_nobody_in_and_gets_its_own_back()
    {
        await using var world = await RdsPostgresTests.WorldAsync(region => aws.Connect(region), owned: null);
        var ct = TestContext.Current.CancellationToken;
        Assert.True(await world.Database.ObserveAsync(GuardedPair.First, ct) is { Role: NodeRole.Primary, Writable: true, Epoch: 0 });
        Assert.True(await world.Database.ObserveAsync(GuardedPair.Second, ct) is { Role: NodeRole.Standby });
        for (var time = 0; time < 2; time++)
            Assert.True(await world.Database.FenceAsync(GuardedPair.First, 1, TimeSpan.Zero, ct) is { Fenced: true, Writable: false, Epoch: 1 });
        Assert.Equal([RdsPostgresTests.Closed], (await world.InstanceAsync(GuardedPair.First))!.SecurityGroups);
        Assert.Equal(AdapterFailureKind.Rejected, (await Assert.ThrowsAsync<AdapterException>(() => world.Database.UnfenceAsync(GuardedPair.First, 0, ct))).Kind);
        for (var time = 0; time < 2; time++)
            Assert.True(await world.Database.UnfenceAsync(GuardedPair.First, 1, ct) is { Fenced: false, Writable: true });
        Assert.Equal([RdsPostgresTests.Open], (await world.InstanceAsync(GuardedPair.First))!.SecurityGroups);
    }
}
