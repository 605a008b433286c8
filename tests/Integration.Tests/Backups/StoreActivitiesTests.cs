using System.Text.Json.Nodes;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Integration.Tests.Vault;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Stores as a worker opens them: by specification, catalog and connections.</summary>
public sealed class StoreActivitiesTests(SandboxCluster cluster, SandboxAws aws)
{
    private const string Hush = "hush-in-the-vault";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cluster_state_is_backed_up_and_is_unproven_as_long_as_there_is_no_quarantine()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        Declare(platform, "kubernetes-state");
        var access = await AccessAsync(platform);
        using var activities = Activities(platform, access, null);
        var store = new StoreReference(platform.Environment, "state");

        Assert.EndsWith(" Without a snapshot of etcd: regions.us-east-1.etcd is not declared.", (await platform.RunAsync(() => activities.BeginBackupAsync(new(store, "op-1", StoreKind.KubernetesState, null)))).Why, StringComparison.Ordinal);
        var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, "op-1", BackupMethod.Full)));
        var recorded = await platform.RunAsync(() => activities.RecordBackupAsync(new(store, "op-1", made, null)));
        Assert.Equal((BackupOutcome.Complete, "op-1"), (recorded.Set.Outcome, recorded.Set.Label));
        Assert.Empty((await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Findings);
        var chosen = await platform.RunAsync(() => activities.ChooseSetAsync(new(store, "verify-1", null)));
        Assert.Equal(["op-1"], chosen.Unproven);
        Assert.Equal("op-1", chosen.Set);
        var refused = await platform.FailsAsync(FailureTypes.NotServed, () => platform.RunAsync(() => activities.RestoreIntoQuarantineAsync(new(store, "verify-1", "op-1"))));
        Assert.Contains($"state backups.{platform.Environment}.quarantine", refused.Message, StringComparison.Ordinal);

        using var without = Activities(platform, access with { KeyFiles = [] }, null);
        refused = await platform.FailsAsync(FailureTypes.Rejected, () => platform.RunAsync(() => without.MakeBackupAsync(new(store, "op-2", BackupMethod.Full))));
        Assert.Contains("never stored unencrypted", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Vault_is_backed_up_proved_and_kept_by_retention_and_no_value_of_it_is_in_what_activities_say()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var source = await StandIn.StartAsync();
        await using var quarantine = await StandIn.StartAsync();
        await new VaultSystem(source.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await new VaultKeyValues(source.Root).WriteAsync("shop", new Dictionary<string, SecretText> { ["password"] = new(Hush) }, null, Ct);
        Declare(platform, "vault");
        var access = await AccessAsync(platform) with
        {
            QuarantineVault = new(quarantine.Server.Address.ToString(), File(platform, "quarantine.token", quarantine.Server.RootToken), UnsealKeysFile: File(platform, "unseal.keys", source.Server.UnsealKey)),
        };
        using var activities = Activities(platform, access, new(Address: source.Server.Address.ToString(), TokenFile: File(platform, "vault.token", source.Server.RootToken)));
        var store = new StoreReference(platform.Environment, "state");

        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, "op-1", StoreKind.Vault, null)));
        var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, "op-1", BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, "op-1", made, null)));
        Assert.Empty((await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Findings);
        var verification = new QuarantineInput(store, "verify-1", "op-1");
        await platform.RunAsync(() => activities.ChooseSetAsync(new(store, "verify-1", null)));
        await platform.RunAsync(() => activities.RestoreIntoQuarantineAsync(verification));
        Assert.Empty((await platform.RunAsync(() => activities.ProbeAsync(verification))).Wrong);
        Assert.Single((await platform.RunAsync(() => activities.CleanUpAsync(verification))).Removed);
        Assert.True((await new VaultSystem(quarantine.Root).SealStatusAsync(Ct)).Sealed);
        Assert.Equal(RetentionAction.Keep, Assert.Single((await platform.RunAsync(() => activities.DecideRetentionAsync(store))).Verdicts).Action);
        Assert.DoesNotContain(platform.Spoken, text => text.Contains(Hush, StringComparison.Ordinal) || text.Contains(source.Server.RootToken, StringComparison.Ordinal) || text.Contains(source.Server.UnsealKey, StringComparison.Ordinal));

        // A quarantine that is the Vault itself would be replaced by its own past.
        using var same = Activities(
            platform, access with { QuarantineVault = access.QuarantineVault! with { Address = source.Server.Address.ToString() } }, new(Address: source.Server.Address.ToString(), TokenFile: File(platform, "vault.token", source.Server.RootToken)));
        var refused = await platform.FailsAsync(FailureTypes.Rejected, () => platform.RunAsync(() => same.RestoreIntoQuarantineAsync(verification)));
        Assert.Contains("is that of the Vault of us-east-1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_in_the_second_region_is_compared_and_whoever_makes_backups_cannot_delete_them()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var source = await StandIn.StartAsync();
        await new VaultSystem(source.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        Declare(platform, "vault");
        using var there = aws.Connect("us-west-2");
        using var here = aws.Connect();
        var (name, copy) = ($"locked-{platform.Suffix}", $"copy-{platform.Suffix}");
        await new Buckets(there).EnsureAsync(new() { Name = copy, LockDays = 3650 }, new("test", "production", "backups"), "op-1", Ct);
        await new Buckets(here).EnsureAsync(new() { Name = name, LockDays = 3650, Replication = new(copy, "arn:aws:iam::123456789012:role/replicator") }, new("test", "production", "backups"), "op-1", Ct);
        var unlocked = await AccessAsync(platform);
        var access = unlocked with { Bucket = name, Copy = new(copy, unlocked.Aws! with { Region = "us-west-2" }), Locked = true };
        var vault = new VaultAccess(Address: source.Server.Address.ToString(), TokenFile: File(platform, "vault.token", source.Server.RootToken));
        // Whatever was written is long past being on its way.
        var later = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(365));
        using var activities = Activities(platform, access, vault, time: later);
        var store = new StoreReference(platform.Environment, "state");
        await MakeAsync(activities, "op-1");

        Assert.Empty((await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Findings);
        var places = Assert.Single((await platform.RunAsync(() => activities.ReadBackupsAsync(store))).Sets).Locations!;
        Assert.Equal([("us-east-1", $"s3://{name}/{platform.Environment}/sets/state/op-1"), ("us-west-2", $"s3://{copy}/{platform.Environment}/sets/state/op-1")], places.Select(place => (place.Region, place.Place)));
        Assert.All(places, place => Assert.True(place.LockedUntil > later.GetUtcNow(), $"{place}"));

        // Somebody writes into the copy.
        var written = Assert.Single(await new StoredObjects(there, copy).ListAsync($"{platform.Environment}/sets/state/op-1/vault_", Ct)).Key;
        await new StoredObjects(there, copy).PutAsync(written, "another"u8.ToArray(), Ct);
        var finding = Assert.Single((await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Findings);
        Assert.StartsWith($"op-1: in its copy in {copy} 1 of 2 objects are not what was written, the first is op-1/{Path.GetFileName(written)}.", finding, StringComparison.Ordinal);
        var left = Assert.Single((await platform.RunAsync(() => activities.ReadBackupsAsync(store))).Sets);
        Assert.Equal((BackupStanding.Complete, "us-east-1"), (left.Standing, Assert.Single(left.Locations!).Region));

        // A bucket without a lock.
        using var open = Activities(platform, unlocked with { Locked = true }, vault, time: later);
        await MakeAsync(open, "op-2");
        Assert.Contains($"{unlocked.Bucket} lets whoever makes backups delete them", Assert.Single((await platform.RunAsync(() => open.CheckRepositoryAsync(store))).Findings), StringComparison.Ordinal);

        async Task MakeAsync(BackupActivities by, string operation)
        {
            await platform.RunAsync(() => by.BeginBackupAsync(new(store, operation, StoreKind.Vault, null)));
            var made = await platform.RunAsync(() => by.MakeBackupAsync(new(store, operation, BackupMethod.Full)));
            await platform.RunAsync(() => by.RecordBackupAsync(new(store, operation, made, null)));
        }
    }

    [Fact]
    public async Task An_Elasticsearch_is_backed_up_proved_and_kept_by_retention()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var world = await SearchWorld.StartAsync(aws);
        Declare(platform, "elasticsearch");
        using var activities = Activities(platform, await AccessAsync(platform), null, world.Access);
        var store = new StoreReference(platform.Environment, "state");

        foreach (var (operation, unreadable) in new[] { ("op-1", null), ("op-2", "orders") })
        {
            world.Storage.Unreadable = unreadable;
            await platform.RunAsync(() => activities.BeginBackupAsync(new(store, operation, StoreKind.Elasticsearch, null)));
            var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, operation, BackupMethod.Full)));
            var recorded = await platform.RunAsync(() => activities.RecordBackupAsync(new(store, operation, made, null)));
            Assert.Equal((unreadable is null ? BackupOutcome.Complete : BackupOutcome.Partial, unreadable is null), (recorded.Set.Outcome, recorded.Set.Good));
            Assert.Empty((await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Findings);
        }

        var verification = new QuarantineInput(store, "verify-1", "op-1");
        Assert.Equal("op-1", (await platform.RunAsync(() => activities.ChooseSetAsync(new(store, "verify-1", null)))).Set);
        await platform.RunAsync(() => activities.RestoreIntoQuarantineAsync(verification));
        Assert.Empty((await platform.RunAsync(() => activities.ProbeAsync(verification))).Wrong);
        Assert.Equal(4, (await platform.RunAsync(() => activities.CleanUpAsync(verification))).Removed.Count);
        await platform.RunAsync(async () =>
        {
            await activities.RecordProofAsync(new(store, "verify-1", "op-1", new(true, DateTimeOffset.UtcNow, "verify-1", [])));
            return true;
        });

        // The partial one goes when a good one came after it, and never before.
        Assert.All((await platform.RunAsync(() => activities.DecideRetentionAsync(store))).Verdicts, verdict => Assert.Equal(RetentionAction.Keep, verdict.Action));
        await world.SendAsync(HttpMethod.Put, $"_snapshot/platformops-{platform.Environment}-state/by-hand");
        var check = await platform.RunAsync(() => activities.CheckRepositoryAsync(store));
        Assert.Equal((ReconciliationKind.NotInCatalog, "by-hand"), (Assert.Single(check.Disagreements).Kind, check.Disagreements[0].Name));
        world.Storage.Remove(SearchStore.LabelOf("op-1"));
        Assert.Equal(["op-1"], (await platform.RunAsync(() => activities.CheckRepositoryAsync(store))).Damaged);
    }

    [Fact]
    public async Task Indices_come_back_from_a_set_however_often_each_step_is_asked_for_and_nothing_that_is_there_is_lost_on_the_way_back()
    {
        await using var platform = await TestPlatform.CreateAsync(cluster);
        await using var world = await SearchWorld.StartAsync(aws);
        Declare(platform, "elasticsearch");
        using var activities = Activities(platform, await AccessAsync(platform), null, world.Access);
        var store = new StoreReference(platform.Environment, "state");
        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, "op-1", StoreKind.Elasticsearch, null)));
        var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, "op-1", BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, "op-1", made, null)));
        await world.WriteAsync("orders", "written-since");
        await world.SendAsync(HttpMethod.Post, "_aliases", JsonNode.Parse("""{"actions": [{"add": {"index": "orders", "alias": "orders-now"}}]}"""));
        await world.SendAsync(HttpMethod.Delete, "users");

        Task<PlannedRestore<SearchRestorePlan>> PlanAsync(bool overwrite, params string[] indices) => platform.RunAsync(() => activities.PlanSearchRestoreAsync(new(store, "restore-1", null, null, indices, overwrite)));
        var careful = (await PlanAsync(overwrite: false)).Plan!;
        Assert.Equal(["users"], careful.Indices.Select(index => index.Name));
        Assert.Equal(2, careful.Kept.Count);
        Assert.StartsWith("op-1 has no index shop.", (await PlanAsync(overwrite: false, "shop")).Refusal, StringComparison.Ordinal);
        var planned = await PlanAsync(overwrite: true, "orders", "users");
        Assert.Equal(["orders"], planned.Plan!.Overwrites.Select(index => index.Name));
        Assert.True(planned.Approvals > 0);

        // Back, from as far as there is a way back.
        await StepsAsync(SearchRestoreStep.Beside, SearchRestoreStep.Prove, SearchRestoreStep.Fence, SearchRestoreStep.Close, SearchRestoreStep.TakeBack);
        await world.WriteAsync("orders", "written-after");
        Assert.Equal(["orders", "platformops-markers", "temporal_visibility_v1"], await world.ListAsync());

        await StepsAsync(SearchRestoreStep.Beside, SearchRestoreStep.Prove, SearchRestoreStep.Fence);
        Assert.Contains("cluster_block_exception", (await Assert.ThrowsAnyAsync<Exception>(() => world.WriteAsync("orders", "refused"))).Message, StringComparison.Ordinal);
        await StepsAsync(SearchRestoreStep.Close);
        world.Storage.RestoreFailure = "nested: IOException[No space left on device]";
        await platform.FailsAsync(FailureTypes.Unavailable, () => StepAsync(SearchRestoreStep.Replace));
        world.Storage.RestoreFailure = null;
        await StepsAsync(SearchRestoreStep.Replace, SearchRestoreStep.Compare, SearchRestoreStep.Open, SearchRestoreStep.CleanUp);
        foreach (var index in new[] { "orders", "orders-now", "users" })
            Assert.Equal(3, (int)(await world.SendAsync(HttpMethod.Get, $"{index}/_count"))!["count"]!);
        await world.WriteAsync("orders", "4");
        await world.WriteAsync("users", "4");
        Assert.Equal(["orders", "platformops-markers", "temporal_visibility_v1", "users"], await world.ListAsync());

        // What somebody made since it was planned is not replaced.
        await world.SendAsync(HttpMethod.Delete, "users");
        planned = await PlanAsync(overwrite: true, "users");
        await world.CreateAsync("users");
        Assert.Contains("was made by somebody since", (await platform.FailsAsync(FailureTypes.Conflict, () => StepAsync(SearchRestoreStep.Replace))).Message, StringComparison.Ordinal);

        Task<SearchRestoreDone> StepAsync(SearchRestoreStep step) => platform.RunAsync(() => activities.RestoreSearchStepAsync(new(store, "restore-1", planned.Plan!, step)));

        async Task StepsAsync(params SearchRestoreStep[] steps)
        {
            foreach (var step in steps)
            {
                await StepAsync(step);
                await StepAsync(step);
            }
        }
    }

    private static void Declare(TestPlatform platform, string store) => platform.Write("catalog/ground/component.yaml", platform.Read("catalog/ground/component.yaml")
        .Replace("health: []", store switch
        {
            "vault" => "health: [{vault: {service: vault, tls: false}}]",
            "elasticsearch" => "health: [{elasticsearch: {service: elasticsearch, tls: false}}]",
            _ => "health: []",
        }, StringComparison.Ordinal) + $$"""

        backups:
          - {name: state, store: {{store}}, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
        """);

    private async Task<BackupAccess> AccessAsync(TestPlatform platform)
    {
        using var connection = aws.Connect();
        var name = $"backups-{platform.Suffix}";
        await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
        return new() { Bucket = name, Aws = aws.Settings($"backups-{platform.Suffix}") with { Region = "us-east-1" }, KeyFiles = [File(platform, "backup.key", Convert.ToBase64String(new byte[32]))] };
    }

    private BackupActivities Activities(TestPlatform platform, BackupAccess access, VaultAccess? vault, ExternalAccess? search = null, TimeProvider? time = null)
    {
        var region = new RegionConnection { Kubeconfig = cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), Vault = vault, External = search is null ? new Dictionary<string, ExternalAccess>() : new() { ["elasticsearch"] = search } };
        return new(new(platform.SpecificationFolder, Path.Combine(platform.SpecificationFolder, "..", "catalog")), new()
        {
            Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = region },
            Backups = new Dictionary<string, BackupAccess> { [platform.Environment] = access },
        }, time);
    }

    private static string File(TestPlatform platform, string name, string text)
    {
        platform.Write(name, text);
        return Path.GetFullPath(Path.Combine(platform.SpecificationFolder, "..", name));
    }
}
