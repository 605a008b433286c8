using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;

namespace PlatformOps.Integration.Tests.Aws;

/// <summary>Managed databases against an RDS API.</summary>
public abstract class DatabaseTests(TestAws aws)
{
    private const string Password = "correct-horse-battery";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Creates_a_closed_encrypted_instance_once_and_adopts_it_when_asked_again()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("orders");
        Assert.Null(await databases.FindAsync(name, Ct));

        Assert.Equal(Creation.Created, await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct));
        // Another try of the same step, and a later operation: both find what is there.
        Assert.Equal(Creation.Adopted, await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-2", Ct));

        var instance = await aws.AvailableAsync(databases, name);
        Assert.Equal(("postgres", "db.t3.medium", 20, 3, true, false), (instance.Engine, instance.Class, instance.StorageGigabytes, instance.BackupDays, instance.Encrypted, instance.PubliclyAccessible));
        Assert.Equal("op-1", instance.Tags["platformops.io/created-by"]);
        Assert.NotNull(instance.Address);
        Assert.Single(await databases.OwnedAsync(Names.Owner, Ct), owned => owned.Identifier == name);
        Assert.DoesNotContain(await databases.OwnedAsync(Names.Stranger, Ct), owned => owned.Identifier == name);
    }

    [Fact]
    public async Task Eight_creations_at_once_leave_one_instance()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("race");

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct)));

        Assert.Single(results, Creation.Created);
        Assert.Single(await databases.OwnedAsync(Names.Owner, Ct), owned => owned.Identifier == name);
    }

    [Fact]
    public async Task Leaves_an_instance_of_somebody_else_alone()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("theirs");
        await databases.CreateAsync(Wanted(name), Password, Names.Stranger, "op-1", Ct);
        await aws.AvailableAsync(databases, name);

        foreach (var touch in new Func<Task>[]
        {
            () => databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-2", Ct),
            () => databases.ChangeAsync(name, new() { BackupDays = 9 }, Names.Owner, Ct),
            () => databases.PromoteAsync(name, null, Names.Owner, Ct),
            () => databases.DeleteAsync(name, null, Names.Owner, Ct),
        })
        {
            var refused = await Assert.ThrowsAsync<AdapterException>(touch);
            Assert.Equal(AdapterFailureKind.Conflict, refused.Kind);
            Assert.Contains("belongs to orders-db of another/production", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, (await databases.FindAsync(name, Ct))!.BackupDays);
    }

    [Fact]
    public async Task Changes_an_instance_and_deletes_it_with_a_last_snapshot()
    {
        using var connection = aws.Connect();
        var (databases, snapshots) = (new DatabaseInstances(connection), new DatabaseSnapshots(connection));
        var name = Names.New("change");
        await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct);
        await aws.AvailableAsync(databases, name);

        await databases.ChangeAsync(name, new() { Class = "db.t3.large", BackupDays = 9 }, Names.Owner, Ct);
        var changed = await aws.AvailableAsync(databases, name);
        Assert.Equal(("db.t3.large", 9), (changed.Class, changed.BackupDays));

        Assert.True(await databases.DeleteAsync(name, $"{name}-last", Names.Owner, Ct));
        aws.LetTimePass();
        Assert.False(await databases.DeleteAsync(name, $"{name}-last", Names.Owner, Ct));
        Assert.Null(await databases.FindAsync(name, Ct));
        Assert.Equal("available", (await snapshots.FindAsync($"{name}-last", Ct))!.Status);
    }

    [Fact]
    public async Task A_class_is_changed_once_and_only_from_the_one_that_was_decided_on()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("resize");
        await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct);
        var before = await aws.AvailableAsync(databases, name);

        Assert.True(await databases.ResizeAsync(name, "db.t3.medium", "db.t3.large", atOnce: true, Names.Owner, Ct));
        // Again before it is there, as after an answer that got lost, and when it is.
        Assert.False(await databases.ResizeAsync(name, "db.t3.medium", "db.t3.large", atOnce: true, Names.Owner, Ct));
        var after = await aws.AvailableAsync(databases, name);
        Assert.False(await databases.ResizeAsync(name, "db.t3.medium", "db.t3.large", atOnce: true, Names.Owner, Ct));

        Assert.Equal(("db.t3.large", null), (after.Class, after.Pending.Class));
        Assert.Equal((before.Engine, before.EngineVersion, before.StorageGigabytes, before.MultipleZones), (after.Engine, after.EngineVersion, after.StorageGigabytes, after.MultipleZones));
        Assert.Equal(AdapterFailureKind.Moved, (await Assert.ThrowsAsync<AdapterException>(() => databases.ResizeAsync(name, "db.t3.medium", "db.t3.xlarge", atOnce: true, Names.Owner, Ct))).Kind);
        Assert.Equal(AdapterFailureKind.Conflict, (await Assert.ThrowsAsync<AdapterException>(() => databases.ResizeAsync(name, "db.t3.large", "db.t3.xlarge", atOnce: true, Names.Stranger, Ct))).Kind);
    }

    [Fact]
    public async Task Does_not_delete_a_protected_instance()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("protected");
        await databases.CreateAsync(Wanted(name) with { DeletionProtection = true }, Password, Names.Owner, "op-1", Ct);
        await aws.AvailableAsync(databases, name);

        var refused = await Assert.ThrowsAsync<AdapterException>(() => databases.DeleteAsync(name, null, Names.Owner, Ct));

        Assert.Equal(AdapterFailureKind.Rejected, refused.Kind);
        Assert.NotNull(await databases.FindAsync(name, Ct));
    }

    [Fact]
    public async Task A_replica_in_another_region_is_created_once_and_can_be_promoted()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("eu-west-1");
        var (primaries, replicas) = (new DatabaseInstances(here), new DatabaseInstances(there));
        var name = Names.New("primary");
        await primaries.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct);
        var primary = await aws.AvailableAsync(primaries, name);

        // An encrypted instance needs a key of the other region; this alias is every region's own.
        var placement = new DatabasePlacement { DeletionProtection = false, EncryptionKey = "alias/aws/rds" };
        Assert.Equal(Creation.Created, await replicas.CreateReplicaAsync($"{name}-r", primary.Arn, placement, Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await replicas.CreateReplicaAsync($"{name}-r", primary.Arn, placement, Names.Owner, "op-1", Ct));
        var replica = await aws.AvailableAsync(replicas, $"{name}-r");
        Assert.Equal(primary.Arn, replica.ReplicaOf);
        Assert.Null(await primaries.FindAsync($"{name}-r", Ct));

        Assert.True(await replicas.PromoteAsync($"{name}-r", 5, Names.Owner, Ct));
        var promoted = await aws.AvailableAsync(replicas, $"{name}-r");
        if (aws.DatabasesTakeTime)
        {
            // Moto leaves the source of a promoted replica as it was.
            Assert.Null(promoted.ReplicaOf);
            Assert.Empty((await primaries.FindAsync(name, Ct))!.Replicas);
            Assert.False(await replicas.PromoteAsync($"{name}-r", 5, Names.Owner, Ct));
        }
    }

    [Fact]
    public async Task A_snapshot_is_taken_copied_to_another_region_and_restored_there()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("eu-west-1");
        var (primaries, taken, copies, restored) = (new DatabaseInstances(here), new DatabaseSnapshots(here), new DatabaseSnapshots(there), new DatabaseInstances(there));
        var name = Names.New("source");
        await primaries.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct);
        await aws.AvailableAsync(primaries, name);

        Assert.Equal(Creation.Created, await taken.CreateAsync($"{name}-s", name, Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await taken.CreateAsync($"{name}-s", name, Names.Owner, "op-1", Ct));
        aws.LetTimePass();
        var snapshot = Assert.Single(await taken.OfAsync(name, Ct));
        Assert.Equal(($"{name}-s", "available"), (snapshot.Identifier, snapshot.Status));

        Assert.Equal(Creation.Created, await copies.CopyAsync($"{name}-c", snapshot.Arn, "alias/aws/rds", Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await copies.CopyAsync($"{name}-c", snapshot.Arn, "alias/aws/rds", Names.Owner, "op-1", Ct));
        aws.LetTimePass();
        Assert.Equal(Creation.Created, await restored.RestoreAsync($"{name}-n", $"{name}-c", new DatabasePlacement { DeletionProtection = false }, Names.Owner, "op-1", Ct));
        Assert.Equal("postgres", (await aws.AvailableAsync(restored, $"{name}-n")).Engine);

        Assert.True(await taken.DeleteAsync($"{name}-s", Names.Owner, Ct));
        Assert.False(await taken.DeleteAsync($"{name}-s", Names.Owner, Ct));
    }

    [Fact]
    public async Task An_instance_is_restored_as_it_was_at_a_time()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);
        var name = Names.New("pitr");
        await databases.CreateAsync(Wanted(name), Password, Names.Owner, "op-1", Ct);
        await aws.AvailableAsync(databases, name);

        var placement = new DatabasePlacement { DeletionProtection = false };
        Assert.Equal(Creation.Created, await databases.RestoreAsync($"{name}-n", name, null, placement, Names.Owner, "op-1", Ct));
        Assert.Equal(Creation.Adopted, await databases.RestoreAsync($"{name}-n", name, null, placement, Names.Owner, "op-1", Ct));
        Assert.Equal(20, (await aws.AvailableAsync(databases, $"{name}-n")).StorageGigabytes);
    }

    [Fact]
    public async Task What_is_wrong_is_said_without_the_password()
    {
        using var connection = aws.Connect();
        var databases = new DatabaseInstances(connection);

        var missing = await Assert.ThrowsAsync<AdapterException>(() => databases.ChangeAsync(Names.New("nobody"), new() { BackupDays = 1 }, Names.Owner, Ct));
        Assert.Equal(AdapterFailureKind.Missing, missing.Kind);
        var lost = await Assert.ThrowsAsync<AdapterException>(() => new DatabaseSnapshots(connection).CreateAsync("s", Names.New("nobody"), Names.Owner, "op-1", Ct));
        Assert.Equal(AdapterFailureKind.Missing, lost.Kind);
        var invalid = await Assert.ThrowsAsync<AdapterException>(() => databases.CreateAsync(Wanted(Names.New("bad")) with { BackupDays = 99, Engine = "no-such-engine" }, Password, Names.Owner, "op-1", Ct));
        Assert.Contains("to create database instance bad-", invalid.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, invalid.ToString(), StringComparison.Ordinal);
    }

    private static NewDatabase Wanted(string identifier) => new()
    {
        Identifier = identifier,
        Engine = "postgres",
        Class = "db.t3.medium",
        StorageGigabytes = 20,
        BackupDays = 3,
        DeletionProtection = false,
        MasterUser = "platform",
    };
}

public sealed class DatabaseTestsOnMoto(MotoServer aws) : DatabaseTests(aws);

public sealed class DatabaseTestsOnTheSandbox(SandboxAws aws) : DatabaseTests(aws);
