using System.Text;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Vault;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Vault;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Sets of a Vault: made, found damaged, proved in another Vault, which is sealed afterwards.</summary>
public sealed class VaultStoreTests(SandboxAws aws)
{
    private const string Hush = "canary-of-the-shop-hush";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_set_is_proved_in_a_new_Vault_that_is_sealed_afterwards_and_serves_again_the_next_time()
    {
        await using var world = await World.StartAsync(aws);
        using var store = world.Store();
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Equivalent(made, await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct));
        await new VaultKeyValues(world.Source.Root).WriteAsync("shop", new Dictionary<string, SecretText> { ["password"] = new("after-the-set") }, null, Ct);
        await store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct);
        Assert.Empty((await store.LookAsync(Ct)).Broken);

        foreach (var (operation, set) in new[] { ("verify-1", "set-1"), ("verify-2", "set-2") })
        {
            var copy = await store.RestoreAsync(operation, set, null, _ => { }, Ct);
            Assert.Equal(copy.OrderedAt, (await store.RestoreAsync(operation, set, null, _ => { }, Ct)).OrderedAt);
            var found = await store.ProbeAsync(operation, TimeSpan.FromHours(24), _ => { }, Ct);
            Assert.Empty(found.Wrong);
            Assert.Equal(["What was written just before the snapshot is there.", "3 of 3 engines and login methods are there."], found.Right);
            Assert.NotNull(found.Rpo);
            Assert.Equal(set == "set-1" ? Hush : "after-the-set", (await new VaultKeyValues(world.Copied).ReadAsync("shop", Ct))!.Values!["password"].Reveal());
            Assert.Equal([$"the copy in Vault at {world.Quarantine.Server.Address}, by sealing it"], await store.CleanUpAsync(operation, Ct));
            Assert.True((await new VaultSystem(world.Quarantine.Root).SealStatusAsync(Ct)).Sealed);
            Assert.Empty(await store.CleanUpAsync(operation, Ct));
        }
    }

    [Fact]
    public async Task A_Vault_that_is_somebodys_is_never_overwritten()
    {
        await using var world = await World.StartAsync(aws);
        using var store = world.Store();
        await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        await new VaultSystem(world.Quarantine.Root).MountAsync("billing", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });

        var refused = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct));

        Assert.Contains("is no quarantine: it has kv at billing/.", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await store.CleanUpAsync("verify-1", Ct));
        Assert.False((await new VaultSystem(world.Quarantine.Root).SealStatusAsync(Ct)).Sealed);
        Assert.DoesNotContain(world.Quarantine.Server.Calls, call => call.Path.Contains("snapshot", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_attempt_that_ends_after_the_next_one_leaves_its_set_as_it_is_and_sets_of_before_are_read()
    {
        await using var world = await World.StartAsync(aws);
        using var store = world.Store();
        using var late = new LateAttempt();
        var slow = late.RunAsync(said => store.MakeAsync("set-1", BackupMethod.Full, said, Ct), "is stored");
        await late.Held;
        await new VaultKeyValues(world.Source.Root).WriteAsync("shop", new Dictionary<string, SecretText> { ["password"] = new("later") }, null, Ct);
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        late.GoOn();

        Assert.Equivalent(made, await slow);
        var sight = await store.LookAsync(Ct);
        Assert.Empty(sight.Broken);
        Assert.Equal((made.Manifest.Digest, made.Bytes), (sight.Sets[0].ManifestDigest, (await world.Objects.HeadAsync(await world.SnapshotOfAsync("set-1"), Ct))!.Bytes));
        await store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct);
        Assert.Equal("later", (await new VaultKeyValues(world.Copied).ReadAsync("shop", Ct))!.Values!["password"].Reveal());

        // As sets were before attempts had files of their own.
        var (key, manifest) = (await world.SnapshotOfAsync("set-1"), await store.RequireManifestAsync("set-1", Ct));
        var old = System.Text.Json.Nodes.JsonNode.Parse((manifest with { Set = "set-0" }).ToJson())!.AsObject();
        Assert.True(old.Remove("file"));
        await world.Objects.PutAsync("production/sets/vault/set-0/vault.snap", (await world.Objects.GetAsync(key, Ct))!.Content, Ct);
        await world.Objects.PutAsync("production/sets/vault/set-0/manifest.json", Encoding.UTF8.GetBytes(old.ToJsonString()), Ct);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        await store.RestoreAsync("verify-2", "set-0", null, _ => { }, Ct);
    }

    [Fact]
    public async Task A_flipped_byte_and_a_removed_snapshot_are_found_and_never_restored()
    {
        await using var world = await World.StartAsync(aws);
        using var store = world.Store();
        foreach (var set in new[] { "set-1", "set-2", "set-3" })
            await store.MakeAsync(set, BackupMethod.Full, _ => { }, Ct);
        var (first, second) = (await world.SnapshotOfAsync("set-1"), await world.SnapshotOfAsync("set-2"));
        var snapshot = (await world.Objects.GetAsync(first, Ct))!.Content.ToArray();
        snapshot[snapshot.Length / 2] ^= 1;
        await world.Objects.PutAsync(first, snapshot, Ct);
        await world.Objects.DeleteAsync(second, Ct);
        await world.Objects.PutAsync("production/sets/vault/set-3/manifest.json", "{"u8.ToArray(), Ct);

        var sight = await store.LookAsync(Ct);

        Assert.Contains("has another checksum than when it was written", sight.Broken["set-1"], StringComparison.Ordinal);
        Assert.StartsWith($"{Path.GetFileName(second)} is missing", sight.Broken["set-2"], StringComparison.Ordinal);
        Assert.Contains("manifest.json is damaged", sight.Broken["set-3"], StringComparison.Ordinal);
        var failure = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct));
        Assert.Equal(AdapterFailureKind.Damaged, failure.Kind);
        Assert.DoesNotContain(world.Quarantine.Server.Calls, call => call.Path.Contains("snapshot", StringComparison.Ordinal));
        // What lies in the bucket is as closed as Vault's own storage.
        foreach (var entry in await world.Objects.ListAsync("", Ct))
            Assert.True((await world.Objects.GetAsync(entry.Key, Ct))!.Content.Span.IndexOf(Encoding.UTF8.GetBytes(Hush)) < 0, entry.Key);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly IDisposable bucket;
        private readonly StoredSets sets;

        private World(StandIn source, StandIn quarantine, IDisposable bucket, StoredObjects objects, StoredSets sets)
        {
            (Source, Quarantine, this.bucket, Objects, this.sets) = (source, quarantine, bucket, objects, sets);
            Copied = quarantine.Connect(new GivenToken(new(source.Server.RootToken)));
        }

        public StandIn Source { get; }

        public StandIn Quarantine { get; }

        public StoredObjects Objects { get; }

        /// <summary>The quarantine with the login of the source.</summary>
        public VaultConnection Copied { get; }

        public static async Task<World> StartAsync(SandboxAws aws)
        {
            var (source, quarantine, connection) = (await StandIn.StartAsync(), await StandIn.StartAsync(), aws.Connect());
            await new VaultSystem(source.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
            await new VaultSystem(source.Root).EnableLoginMethodAsync("approle", "approle", Ct);
            await new VaultKeyValues(source.Root).WriteAsync("shop", new Dictionary<string, SecretText> { ["password"] = new(Hush) }, null, Ct);
            var name = $"backups-{Guid.NewGuid():N}"[..20];
            await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
            var objects = new StoredObjects(connection, name);
            return new(source, quarantine, connection, objects, new(objects, name, "production/sets/vault/"));
        }

        /// <summary>Where the snapshot of a set lies.</summary>
        public async Task<string> SnapshotOfAsync(string set) => Assert.Single(await Objects.ListAsync($"production/sets/vault/{set}/vault_", Ct)).Key;

        public VaultStore Store() => new(
            Source.Root, new(Quarantine.Root, Copied, [new(Source.Server.UnsealKey)], TimeProvider.System), sets, "production", "us-east-1", TimeProvider.System);

        public async ValueTask DisposeAsync()
        {
            bucket.Dispose();
            await Source.DisposeAsync();
            await Quarantine.DisposeAsync();
        }
    }
}
