using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Sandbox;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>What only a server shows that takes its time and can be told to fail. It is one of its own: nobody else moves its clock.</summary>
public sealed class DatabaseTroubleTests : IAsyncLifetime
{
    private readonly SandboxAws aws = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static NewDatabase Wanted { get; } = new()
    {
        Identifier = "orders",
        Engine = "postgres",
        Class = "db.t3.medium",
        StorageGigabytes = 20,
        DeletionProtection = false,
        MasterUser = "platform",
    };

    public ValueTask InitializeAsync() => aws.InitializeAsync();

    public ValueTask DisposeAsync() => aws.DisposeAsync();

    [Theory]
    [InlineData(FaultKind.Cut, Creation.Created)]
    [InlineData(FaultKind.CutAfterEffect, Creation.Adopted)]
    public async Task A_creation_whose_answer_was_lost_is_found_by_the_next_try(FaultKind kind, Creation then)
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        aws.Inject(new() { Kind = kind, Path = "/rds/CreateDBInstance", Times = 1 });

        var lost = await Assert.ThrowsAsync<AdapterException>(() => CreateAsync(databases));
        Assert.Equal(AdapterFailureKind.Unavailable, lost.Kind);
        Assert.Equal(then, await CreateAsync(databases));
        Assert.Single(await databases.OwnedAsync(Names.Owner, Ct));
    }

    [Fact]
    public async Task Is_told_to_slow_down_once_and_does_not_try_again_itself()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        aws.Inject(new() { Kind = FaultKind.Error, StatusCode = 429, Times = 1 });

        Assert.Equal(AdapterFailureKind.Throttled, (await Assert.ThrowsAsync<AdapterException>(() => databases.FindAsync("orders", Ct))).Kind);
        Assert.Null(await databases.FindAsync("orders", Ct));
    }

    [Fact]
    public async Task Creating_changing_and_promoting_take_time_and_refuse_what_comes_in_between()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("eu-west-1");
        var (primaries, replicas) = (new DatabaseInstances(here), new DatabaseInstances(there));
        await CreateAsync(primaries);
        var creating = await primaries.FindAsync("orders", Ct);
        Assert.Equal(("creating", null, false), (creating!.Status, creating.Address, creating.Available));
        Assert.Equal(AdapterFailureKind.Moved, (await Assert.ThrowsAsync<AdapterException>(() => primaries.ChangeAsync("orders", new() { BackupDays = 2 }, Names.Owner, Ct))).Kind);

        var primary = await aws.AvailableAsync(primaries, "orders");
        Assert.NotNull(primary.Address);
        await primaries.ChangeAsync("orders", new() { BackupDays = 2 }, Names.Owner, Ct);
        var changing = await primaries.FindAsync("orders", Ct);
        Assert.Equal(("modifying", 7), (changing!.Status, changing.BackupDays));
        Assert.Equal(2, (await aws.AvailableAsync(primaries, "orders")).BackupDays);

        await replicas.CreateReplicaAsync("orders-r", primary.Arn, new() { DeletionProtection = false, EncryptionKey = "alias/aws/rds" }, Names.Owner, "op-1", Ct);
        var replica = await aws.AvailableAsync(replicas, "orders-r");
        Assert.Equal([replica.Arn], (await primaries.FindAsync("orders", Ct))!.Replicas);
        Assert.True(await replicas.PromoteAsync("orders-r", null, Names.Owner, Ct));
        Assert.Equal(("promoting", primary.Arn), ((await replicas.FindAsync("orders-r", Ct))!.Status, (await replicas.FindAsync("orders-r", Ct))!.ReplicaOf));
        // A second try, of an activity that died after the first: it is on its way.
        Assert.False(await replicas.PromoteAsync("orders-r", null, Names.Owner, Ct));
        Assert.Null((await aws.AvailableAsync(replicas, "orders-r")).ReplicaOf);
    }

    [Fact]
    public async Task Refuses_a_bad_password_without_repeating_it_and_a_key_that_it_does_not_know()
    {
        using var connection = aws.Connect();
        var refused = await Assert.ThrowsAsync<AdapterException>(() => new DatabaseInstances(connection).CreateAsync(Wanted, "short/1", Names.Owner, "op-1", Ct));
        Assert.Equal(AdapterFailureKind.Rejected, refused.Kind);
        Assert.DoesNotContain("short/1", refused.ToString(), StringComparison.Ordinal);

        using var stranger = aws.Connect(keys: new("AKIASTRANGER", "secret"));
        Assert.Equal(AdapterFailureKind.Unauthorized, (await Assert.ThrowsAsync<AdapterException>(() => new DatabaseInstances(stranger).FindAsync("orders", Ct))).Kind);
    }

    private static Task<Creation> CreateAsync(DatabaseInstances databases) => databases.CreateAsync(Wanted, "correct-horse-battery", Names.Owner, "op-1", Ct);
}
