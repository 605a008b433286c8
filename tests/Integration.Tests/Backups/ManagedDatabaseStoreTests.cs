using Microsoft.Extensions.Time.Testing;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
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
        using var store = new ManagedDatabaseStore([new(there, "us-west-2", name), new(here, "us-east-1", name)], owner, "alias/aws/rds", clock);

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
        Assert.StartsWith("RDS made an instance of it in us-west-2 that is available: postgres", Assert.Single(found.Right), StringComparison.Ordinal);
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

public sealed class ManagedDatabaseStoreTestsOnMoto(MotoServer aws) : ManagedDatabaseStoreTests(aws);

public sealed class ManagedDatabaseStoreTestsOnTheSandbox(SandboxAws aws) : ManagedDatabaseStoreTests(aws);
