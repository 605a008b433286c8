using Microsoft.Extensions.Time.Testing;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Snapshots of a managed database, copied to the second region and proved there.</summary>
public abstract class ManagedDatabaseStoreTests(TestAws aws)
{
    private const string Password = "not-a-secret-1";

    private readonly FakeTimeProvider clock = new(DateTimeOffset.UtcNow);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_set_is_a_snapshot_with_a_copy_and_is_proved_by_an_instance_of_the_copy()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("us-west-2");
        var (name, owner) = (Names.New("database"), new AwsOwner("reference", Names.New("production"), "managed-database"));
        await new DatabaseInstances(here).CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal", DeletionProtection = false }, Password, owner, "op-1", Ct);
        await aws.AvailableAsync(new DatabaseInstances(here), name);
        await using var server = await ServerAsync();
        using var store = Store(server, owner, here, there, name);

        var made = await PassingAsync(store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct));
        Assert.Equal(ManagedDatabaseStore.LabelOf("op-1"), made.Label);
        Assert.Contains(":us-east-1:", made.Place, StringComparison.Ordinal);
        Assert.Contains(":us-west-2:", Assert.Single(made.Copies).Place, StringComparison.Ordinal);
        // The same again finds it.
        Assert.Equal(made.Place, (await PassingAsync(store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct))).Place);
        var sight = await store.LookAsync(Ct);
        Assert.Equal((made.Label, made.Manifest.Digest), (Assert.Single(sight.Sets).Label, sight.Sets[0].ManifestDigest));
        Assert.Empty(sight.Findings.Concat(sight.Broken.Keys));

        var restored = await PassingAsync(store.RestoreAsync("verify-1", made.Label, null, _ => { }, Ct));
        Assert.Equal(restored.OrderedAt, (await PassingAsync(store.RestoreAsync("verify-1", made.Label, null, _ => { }, Ct))).OrderedAt);
        var found = await store.ProbeAsync("verify-1", TimeSpan.FromMinutes(15), _ => { }, Ct);
        Assert.Empty(found.Wrong);
        Assert.StartsWith("RDS made an instance of it in us-west-2 that is available: postgres", found.Right[0], StringComparison.Ordinal);
        if (server is null)
            Assert.Equal("Nobody has said how it is logged into.", found.Unread);
        else
            await ReadAsync(store, server, found);
        // Another store's proof, and one of a run that may still go on, stay; what a killed one has left goes when that is long ago.
        using var others = new ManagedDatabaseStore([new(there, "us-west-2", name)], owner, "alias/aws/rds", "others", clock);
        Assert.Empty(await PassingAsync(others.CleanUpAsync("verify-2", Ct)));
        Assert.Empty(await PassingAsync(store.CleanUpAsync("verify-2", Ct)));
        Assert.EndsWith(" in us-west-2", Assert.Single(await PassingAsync(store.CleanUpAsync("verify-1", Ct))), StringComparison.Ordinal);
        Assert.Empty(await PassingAsync(store.CleanUpAsync("verify-1", Ct)));

        // The copy is removed by somebody: the set can still be restored, from the first region.
        await new DatabaseSnapshots(there).DeleteAsync(made.Label, owner, Ct);
        Assert.StartsWith($"{made.Label} is in one region only", Assert.Single((await store.LookAsync(Ct)).Findings), StringComparison.Ordinal);
        await store.RemoveAsync(made.Label, Ct);
        await store.RemoveAsync(made.Label, Ct);
        Assert.Empty((await store.LookAsync(Ct)).Sets);
        Assert.Equal(AdapterFailureKind.Damaged, (await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-2", made.Label, null, _ => { }, Ct))).Kind);
    }

    [Fact]
    public async Task A_restore_makes_an_instance_beside_the_database_of_a_snapshot_or_of_the_log_and_replaces_nothing()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("us-west-2");
        var (name, owner) = (Names.New("database"), new AwsOwner("reference", Names.New("production"), "managed-database"));
        var instances = new DatabaseInstances(here);
        await instances.CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal", DeletionProtection = false }, Password, owner, "op-1", Ct);
        await aws.AvailableAsync(instances, name);
        using var store = Store(null, owner, here, there, name);
        var made = await PassingAsync(store.MakeAsync("op-2", BackupMethod.Full, _ => { }, Ct));

        var before = await store.SurveyAsync("restore-1", Ct);
        Assert.Equal((name, "us-east-1", "us-east-1", (string?)null), (before.Instance, before.Region, before.Snapshots[made.Label], before.Taken));
        foreach (var fromLog in new[] { false, true })
        {
            var operation = $"restore-{fromLog}";
            var plan = Plan((await store.SurveyAsync(operation, Ct)).Name, fromLog ? name : made.Label, fromLog);
            Assert.NotEmpty((await PassingAsync(store.RestoreBesideAsync(operation, plan, _ => { }, Ct))).Address);
            // The same again finds it.
            await PassingAsync(store.RestoreBesideAsync(operation, plan, _ => { }, Ct));
            Assert.NotNull((await store.ProveBesideAsync(operation, plan, RowTolerance.Default, Ct)).Unread);
            // It is no part of the platform, no proof, and of this operation.
            Assert.DoesNotContain(await instances.OwnedAsync(owner, Ct), found => found.Identifier == plan.NewInstance!.Name);
            Assert.Empty(await PassingAsync(store.CleanUpAsync(operation, Ct)));
            if (fromLog)
            {
                await store.KeepBesideAsync(operation, plan, Ct);
                Assert.True((await instances.FindAsync(plan.NewInstance!.Name, Ct))!.DeletionProtection);
                continue;
            }

            Assert.True(await PassingAsync(store.RemoveBesideAsync(operation, plan, Ct)));
            Assert.False(await PassingAsync(store.RemoveBesideAsync(operation, plan, Ct)));
        }

        Assert.Equal("available", (await instances.FindAsync(name, Ct))!.Status);
        // The name is taken by somebody.
        await instances.CreateAsync(new() { Identifier = before.Name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal", DeletionProtection = false }, Password, owner, "op-1", Ct);
        Assert.StartsWith("belongs to managed-database of", (await store.SurveyAsync("restore-1", Ct)).Taken, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_restored_takes_the_place_of_the_database_from_wherever_that_was_interrupted()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("us-west-2");
        var (name, owner) = (Names.New("database"), new AwsOwner("reference", Names.New("production"), "managed-database"));
        var instances = new DatabaseInstances(here);
        await instances.CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal" }, Password, owner, "op-1", Ct);
        await aws.AvailableAsync(instances, name);
        using var store = Store(null, owner, here, there, name);
        var old = (await instances.FindAsync(name, Ct))!;
        var survey = await store.SurveyAsync("restore-1", Ct);
        var plan = Plan(survey.Name, name, fromLog: true) with { Overwrites = true };
        plan = plan with { NewInstance = plan.NewInstance! with { Exchange = survey.Exchange } };
        Assert.Equal(name, survey.Exchange.Instance);
        await PassingAsync(store.RestoreBesideAsync("restore-1", plan, _ => { }, Ct));
        var restored = (await instances.FindAsync(survey.Name, Ct))!;

        // Killed when the database has given up its name: a run that is started again finds it by the other one.
        await PassingAsync(RenamedAsync(instances, name, survey.Exchange.Kept, owner));
        Assert.Equal((survey.Exchange.Kept, survey.Exchange), ((await store.SurveyAsync("restore-1", Ct)).Instance, (await store.SurveyAsync("restore-1", Ct)).Exchange));
        await PassingAsync(store.RestoreBesideAsync("restore-1", plan, _ => { }, Ct));
        // Killed when the restored one has its name, and still the tags of a restore.
        await PassingAsync(RenamedAsync(instances, survey.Name, name, owner with { Component = "database-restore" }));
        await PassingAsync(store.RestoreBesideAsync("restore-1", plan, _ => { }, Ct));
        foreach (var _ in new[] { "once", "again" })
            Assert.StartsWith($"{survey.Name} is {name} now. What was {name} is {survey.Exchange.Kept}", await PassingAsync(store.ExchangeAsync(plan, _ => { }, Ct)), StringComparison.Ordinal);
        await ExchangedAsync(name, restored, old);

        // And all of it at once, of another one: moto says of an instance that was restored to a moment that it is a replica.
        name = Names.New("database");
        owner = owner with { Environment = Names.New("production") };
        await instances.CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal" }, Password, owner, "op-1", Ct);
        await aws.AvailableAsync(instances, name);
        using var other = Store(null, owner, here, there, name);
        (survey, old) = (await other.SurveyAsync("restore-2", Ct), (await instances.FindAsync(name, Ct))!);
        plan = Plan(survey.Name, name, fromLog: true) with { Overwrites = true };
        plan = plan with { NewInstance = plan.NewInstance! with { Exchange = survey.Exchange } };
        await PassingAsync(other.RestoreBesideAsync("restore-2", plan, _ => { }, Ct));
        restored = (await instances.FindAsync(survey.Name, Ct))!;
        await PassingAsync(other.ExchangeAsync(plan, _ => { }, Ct));
        await ExchangedAsync(name, restored, old);
        Assert.Contains("is available at", await PassingAsync(other.VerifyExchangeAsync(plan, _ => { }, Ct)), StringComparison.Ordinal);
        await other.KeepBesideAsync("restore-2", plan, Ct);
        Assert.True((await instances.FindAsync(name, Ct))!.DeletionProtection);
        Assert.Equal("Nothing copied what had the place.", await other.FollowersAsync(plan, Ct));

        async Task ExchangedAsync(string identifier, DatabaseInstance now, DatabaseInstance before)
        {
            var (serving, kept) = ((await instances.FindAsync(identifier, Ct))!, (await instances.FindAsync(survey.Exchange.Kept, Ct))!);
            Assert.Equal((now.ResourceId, before.ResourceId), (serving.ResourceId, kept.ResourceId));
            // The one is the platform's, and nobody takes the other for it.
            Assert.Equal([identifier], (await instances.OwnedAsync(owner, Ct)).Select(found => found.Identifier));
            Assert.Null(await instances.FindAsync(survey.Name, Ct));
        }
    }

    [Fact]
    public async Task What_was_restored_becomes_the_database_where_there_is_none_any_more_and_takes_no_place_that_somebody_took_meanwhile()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("us-west-2");
        var (name, owner) = (Names.New("database"), new AwsOwner("reference", Names.New("production"), "managed-database"));
        var instances = new DatabaseInstances(here);
        await CreateAsync(instances);
        using var store = Store(null, owner, here, there, name);
        var made = await PassingAsync(store.MakeAsync(Names.New("op"), BackupMethod.Full, _ => { }, Ct));
        await PassingAsync(GoneAsync(instances));

        var survey = await store.SurveyAsync("restore-1", Ct);
        Assert.Equal(((string?)null, "us-west-2", name), (survey.Instance, survey.Region, survey.Exchange.Instance));
        instances = new DatabaseInstances(there);
        var plan = Plan(survey.Name, made.Label, fromLog: false) with { NewInstance = new(survey.Name, survey.Region, false) { Exchange = survey.Exchange } };
        await PassingAsync(store.RestoreBesideAsync("restore-1", plan, _ => { }, Ct));
        var restored = (await instances.FindAsync(survey.Name, Ct))!;
        await CreateAsync(instances);
        var refused = await Assert.ThrowsAsync<AdapterException>(() => PassingAsync(store.ExchangeAsync(plan, _ => { }, Ct)));
        Assert.Equal((AdapterFailureKind.Conflict, true), (refused.Kind, refused.Message.StartsWith($"There is an instance {name} in us-west-2 by now", StringComparison.Ordinal)));
        await PassingAsync(GoneAsync(instances));

        foreach (var _ in new[] { "once", "again" })
            Assert.Equal($"{survey.Name} is {name} now.", await PassingAsync(store.ExchangeAsync(plan, _ => { }, Ct)));
        Assert.Equal(restored.ResourceId, (await instances.FindAsync(name, Ct))!.ResourceId);
        Assert.Equal([name], (await instances.OwnedAsync(owner, Ct)).Select(found => found.Identifier));
        Assert.Equal("Nothing copied what had the place.", await store.FollowersAsync(plan, Ct));

        async Task CreateAsync(DatabaseInstances at)
        {
            await at.CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal", DeletionProtection = false }, Password, owner, "op-1", Ct);
            await aws.AvailableAsync(at, name);
        }

        async Task<bool> GoneAsync(DatabaseInstances at)
        {
            await at.DeleteAsync(name, null, owner, Ct);
            await Wait.UntilAsync(async () => await at.FindAsync(name, Ct) is null, () => $"{name} is still there.");
            return true;
        }
    }

    [Fact]
    public async Task Who_copied_what_had_the_place_is_named_since_it_goes_on_copying_that()
    {
        using var here = aws.Connect("us-east-1");
        using var there = aws.Connect("us-west-2");
        var (name, owner) = (Names.New("database"), new AwsOwner("reference", Names.New("production"), "managed-database"));
        var instances = new DatabaseInstances(here);
        await instances.CreateAsync(new() { Identifier = name, Engine = "postgres", Class = "db.t3.micro", StorageGigabytes = 20, MasterUser = "temporal" }, Password, owner, "op-1", Ct);
        await aws.AvailableAsync(instances, name);
        var copied = (await instances.FindAsync(name, Ct))!;
        await new DatabaseInstances(there).CreateReplicaAsync(name, copied.Arn, new() { DeletionProtection = false, EncryptionKey = "alias/aws/rds" }, owner, "op-1", Ct);
        await aws.AvailableAsync(new(there), name);
        using var store = Store(null, owner, here, there, name);
        var survey = await store.SurveyAsync("restore-1", Ct);
        var plan = Plan(survey.Name, name, fromLog: true) with { Overwrites = true, NewInstance = new(survey.Name, survey.Region, true) { Exchange = survey.Exchange } };
        await PassingAsync(store.RestoreBesideAsync("restore-1", plan, _ => { }, Ct));
        await PassingAsync(store.ExchangeAsync(plan, _ => { }, Ct));

        var said = await store.FollowersAsync(plan, Ct);
        Assert.Contains(name, said.Split(" still copies ")[0], StringComparison.Ordinal);
        Assert.EndsWith($" still copies {survey.Exchange.Kept}: remove it when nobody needs it, then provision managed-database, which makes a replica of {name}.", said, StringComparison.Ordinal);
    }

    private static async Task<bool> RenamedAsync(DatabaseInstances instances, string from, string to, AwsOwner owner)
    {
        await instances.RenameAsync(from, to, owner, Ct);
        await Wait.UntilAsync(async () => await instances.FindAsync(from, Ct) is null && await instances.FindAsync(to, Ct) is { Available: true }, () => $"{from} is not {to}.");
        return true;
    }

    /// <summary>What plays the databases; null: nobody does.</summary>
    private protected virtual Task<PostgresCluster?> ServerAsync() => Task.FromResult<PostgresCluster?>(null);

    private static RestorePlan Plan(string name, string label, bool fromLog) => new()
    {
        Environment = "production",
        Store = "managed-postgresql",
        Set = "op-1",
        Label = label,
        Why = "It was asked for.",
        Node = name,
        Epoch = 0,
        Overwrites = false,
        Lost = "Nothing.",
        Notes = [],
        NewInstance = new(name, "us-east-1", fromLog),
    };

    /// <param name="server">Is logged into whichever instance is meant: RDS is played without servers.</param>
    private ManagedDatabaseStore Store(PostgresCluster? server, AwsOwner owner, AwsConnection here, AwsConnection there, string name) => new(
        [new(there, "us-west-2", name), new(here, "us-east-1", name)], owner, "alias/aws/rds", "managed-postgresql", clock, server is null ? null : (_, _, _, _) => Task.FromResult(PostgresServer.Open(
            new(server.Address, PostgresCluster.Owner, server.PasswordFile, "postgres", server.Authority), "", tls: true, "test", null, TimeSpan.FromMinutes(1))));

    /// <summary>Its rows were counted before the snapshot, and are read in what is made of it.</summary>
    private static async Task ReadAsync(ManagedDatabaseStore store, PostgresCluster server, CopyFindings found)
    {
        Assert.Null(found.Unread);
        Assert.Matches("^Every table was read, and [0-9]+ B-tree indexes, with amcheck", found.Right[1]);
        Assert.EndsWith("tables have the columns and about the rows that they have to have.", found.Right[2], StringComparison.Ordinal);
        // Nothing stays of the reading.
        Assert.Equal("0", await server.AskAsync("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"));
        await server.SqlAsync("DELETE FROM platformops.backup_mark");
        Assert.Contains("is not in it: it is of an earlier moment", Assert.Single((await ProbeAsync()).Wrong), StringComparison.Ordinal);
        await server.SqlAsync("ALTER ROLE provisioner PASSWORD 'another'");
        var unread = await ProbeAsync();
        Assert.Empty(unread.Wrong);
        Assert.Contains("does not accept our login", unread.Unread, StringComparison.Ordinal);

        Task<CopyFindings> ProbeAsync() => store.ProbeAsync("verify-1", TimeSpan.FromMinutes(15), _ => { }, Ct);
    }

    /// <summary>Until it is done, time passes for RDS and for who waits for it.</summary>
    private async Task<T> PassingAsync<T>(Task<T> work)
    {
        await Wait.UntilAsync(() =>
        {
            if (!work.IsCompleted)
                aws.LetTimePass();
            clock.Advance(TimeSpan.FromSeconds(5));
            return Task.FromResult(work.IsCompleted);
        }, () => $"{work.Status}");
        return await work;
    }
}

public sealed class ManagedDatabaseStoreTestsOnMoto(MotoServer aws) : ManagedDatabaseStoreTests(aws)
{
    private protected override async Task<PostgresCluster?> ServerAsync()
    {
        var server = new PostgresCluster();
        await server.StartAsync();
        await server.SqlAsync("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 500)");
        return server;
    }
}

public sealed class ManagedDatabaseStoreTestsOnTheSandbox(SandboxAws aws) : ManagedDatabaseStoreTests(aws);
