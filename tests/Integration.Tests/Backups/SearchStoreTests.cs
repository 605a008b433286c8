using System.Text.Json.Nodes;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Platform.Backups;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Sets of an Elasticsearch: made once however often it is asked for, found damaged, proved in copies that go again.</summary>
public sealed class SearchStoreTests(SandboxAws aws)
{
    private const string Manifest = "manifest.json";

    private static readonly string First = SearchStore.LabelOf("set-1");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_set_is_proved_by_counting_in_a_copy_that_is_gone_afterwards(bool elsewhere)
    {
        await using var world = await SearchWorld.StartAsync(aws);
        await using var other = await ExternalStandIn.StartAsync(snapshots: world.Storage, ct: Ct);
        using var store = world.Store(quarantine: elsewhere ? other : null);
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Equal(First, made.Label);
        Assert.Empty(made.Missing);
        Assert.Equivalent(made, await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct));
        await world.WriteAsync("orders", "after-the-set");
        await store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        var before = await world.ListAsync();

        foreach (var (operation, set) in new[] { ("verify-1", "set-1"), ("verify-2", "set-2") })
        {
            var copy = await store.RestoreAsync(operation, SearchStore.LabelOf(set), null, _ => { }, Ct);
            Assert.Equal(copy.OrderedAt, (await store.RestoreAsync(operation, SearchStore.LabelOf(set), null, _ => { }, Ct)).OrderedAt);
            var found = await store.ProbeAsync(operation, TimeSpan.FromHours(1), _ => { }, Ct);
            Assert.Empty(found.Wrong);
            Assert.Equal([$"4 of 4 indices were counted, {(set == "set-1" ? 10 : 11)} documents; the marker of the set was looked for."], found.Right);
            Assert.NotNull(found.Rpo);
            Assert.Equal(elsewhere ? before.Count : before.Count + 5, (await world.ListAsync()).Count);
            // A set that is made meanwhile does not hold the copy.
            Assert.Equal(4, (await store.CleanUpAsync(operation, Ct)).Count);
            Assert.Empty(await store.CleanUpAsync(operation, Ct));
        }

        Assert.Equal(before, (await world.ListAsync()).Except(["platformops-beside-claims"]));
    }

    [Theory]
    [InlineData(FaultKind.Cut)]
    [InlineData(FaultKind.CutAfterEffect)]
    public async Task Whatever_call_is_lost_the_next_attempt_goes_on_and_never_makes_two(FaultKind kind)
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        var (lost, times) = (0, 0);
        for (var cut = true; cut; times++)
        {
            var (operation, seen) = ($"set-{times}", 0);
            cut = false;
            world.Server.Inject(new() { Kind = kind, Times = 1, When = _ => seen++ == times && (cut = true) });
            try
            {
                await store.MakeAsync(operation, BackupMethod.Full, _ => { }, Ct);
            }
            catch (AdapterException failure)
            {
                Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
                lost++;
                await store.MakeAsync(operation, BackupMethod.Full, _ => { }, Ct);
            }

            world.Server.ClearFaults();
            Assert.Equal((times + 1, "SUCCESS"), (world.Storage.Begun, world.Storage.Snapshots[SearchStore.LabelOf(operation)]));
        }

        Assert.InRange(lost, 8, 100);
        await store.RestoreAsync("verify-1", SearchStore.LabelOf("set-3"), null, _ => { }, Ct);
        Assert.Empty((await store.ProbeAsync("verify-1", TimeSpan.FromHours(1), _ => { }, Ct)).Wrong);
    }

    [Fact]
    public async Task A_set_that_lacks_shards_says_which_and_one_that_failed_is_removed_by_the_next()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        world.Storage.Unreadable = "orders";
        Assert.Equal(["Shard 0 of orders is not in it: primary shard is not allocated."], (await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct)).Missing);

        world.Storage.Fails = true;
        var failed = await Assert.ThrowsAsync<AdapterException>(() => store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct));
        Assert.Equal((AdapterFailureKind.Rejected, $"Elasticsearch ended the snapshot {SearchStore.LabelOf("set-2")} as Failed: Indices don't have primary shards."), (failed.Kind, failed.Message));
        Assert.Equal([First], (await store.LookAsync(Ct)).Sets.Select(set => set.Label));
        await store.MakeAsync("set-3", BackupMethod.Full, _ => { }, Ct);
        Assert.Equal(2, world.Storage.Snapshots.Count);

        await store.RemoveAsync(First, Ct);
        await store.RemoveAsync(First, Ct);
        Assert.Equal([SearchStore.LabelOf("set-3")], world.Storage.Snapshots.Keys);
        Assert.Empty(await world.Objects.ListAsync($"production/sets/search/{First}/", Ct));
    }

    [Fact]
    public async Task Documents_that_are_missing_in_a_copy_are_named_and_those_that_were_written_meanwhile_are_not()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        world.Storage.SnapshotsHeld = true;
        var making = store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        while (world.Storage.Begun == 0)
            await Task.Delay(20, Ct);
        await world.WriteAsync("orders", "meanwhile-1");
        await world.WriteAsync("orders", "meanwhile-2");
        world.Storage.SnapshotsHeld = false;
        await making;
        var manifest = SearchSnapshotManifest.Read((await world.Objects.GetAsync($"production/sets/search/{First}/{Manifest}", Ct))!.Content.Span, out _)!;
        Assert.Equal(new("orders", 3, 2), manifest.Indices.First(index => index.Name == "orders"));

        await store.RestoreAsync("verify-1", First, null, _ => { }, Ct);
        Assert.Empty((await store.ProbeAsync("verify-1", TimeSpan.FromHours(1), _ => { }, Ct)).Wrong);
        var copy = (await world.ListAsync()).First(name => name.EndsWith("-users", StringComparison.Ordinal));
        await world.SendAsync(HttpMethod.Delete, $"{copy}/_doc/2?refresh=true");
        await world.SendAsync(HttpMethod.Put, $"{copy[..^"users".Length]}platformops-markers/_doc/last-set", new JsonObject { ["set"] = "set-0" });
        Assert.Equal(
            ["The marker in platformops-markers says set-0 instead of set-1: it is the state of another moment.", "users has 2 documents instead of 3."],
            (await store.ProbeAsync("verify-1", TimeSpan.FromHours(1), _ => { }, Ct)).Wrong);
    }

    [Fact]
    public async Task An_attempt_that_ends_after_the_next_one_leaves_its_set_as_it_is()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        world.Storage.SnapshotsHeld = true;
        using var late = new LateAttempt();
        using var store = world.Store();
        var slow = late.RunAsync(said => store.MakeAsync("set-1", BackupMethod.Full, said, Ct), "shards are in the snapshot");
        await late.Held;
        world.Storage.SnapshotsHeld = false;
        using var next = world.Store();
        var made = await next.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        await world.WriteAsync("orders", "after-the-set");
        late.GoOn();

        Assert.Equivalent(made, await slow);
        Assert.Equal(made.Manifest.Digest, Assert.Single((await next.LookAsync(Ct)).Sets).ManifestDigest);
    }

    [Fact]
    public async Task What_is_damaged_removed_or_made_by_another_is_found_on_either_side_and_nothing_of_it_is_removed()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        foreach (var set in new[] { "set-1", "set-2", "set-3", "set-4", "set-5" })
            await store.MakeAsync(set, BackupMethod.Full, _ => { }, Ct);
        string Label(int set) => SearchStore.LabelOf($"set-{set}");
        world.Storage.Remove(Label(2));
        await world.Objects.PutAsync($"production/sets/search/{Label(3)}/{Manifest}", "{"u8.ToArray(), Ct);
        world.Storage.Outdate(Label(4));
        world.Storage.Remove(Label(5));
        foreach (var orphan in new[] { Label(5), "by-hand" })
            await world.SendAsync(HttpMethod.Put, $"_snapshot/platformops-production-search/{orphan}");

        var sight = await store.LookAsync(Ct);

        Assert.Equal([Label(2), Label(3), Label(4), Label(5)], sight.Broken.Keys.Order().OrderBy(label => Array.FindIndex([2, 3, 4, 5], set => Label(set) == label)));
        Assert.Contains("only its manifest", sight.Broken[Label(2)], StringComparison.Ordinal);
        Assert.Contains("manifest.json is damaged", sight.Broken[Label(3)], StringComparison.Ordinal);
        Assert.Contains("cannot read", sight.Broken[Label(4)], StringComparison.Ordinal);
        Assert.Contains("is another one", sight.Broken[Label(5)], StringComparison.Ordinal);
        Assert.Contains(sight.Sets, set => set is { Label: "by-hand", ManifestDigest: null });
        Assert.Equal(5, world.Storage.Snapshots.Count);
        for (var set = 2; set <= 5; set++)
            Assert.Equal(AdapterFailureKind.Damaged, (await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", Label(set), null, _ => { }, Ct))).Kind);
        Assert.DoesNotContain(await world.ListAsync(), name => name.StartsWith("platformops-beside-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flipped_byte_is_damage_and_disks_that_are_full_are_not()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);

        world.Storage.DiskAvailable = world.Storage.DiskTotal / 8;
        var full = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", First, null, _ => { }, Ct));
        Assert.Equal(AdapterFailureKind.Rejected, full.Kind);
        Assert.Contains("has room for 0 bytes below the low watermark", full.Message, StringComparison.Ordinal);

        world.Storage.DiskAvailable = world.Storage.DiskTotal;
        world.Storage.RestoreFailure = "failed recovery, failure RecoveryFailedException[restore failed]; nested: IOException[No space left on device]";
        full = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", First, null, _ => { }, Ct));
        Assert.Equal(AdapterFailureKind.Unavailable, full.Kind);
        Assert.Contains("No space left on device", full.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(await world.ListAsync(), name => name.EndsWith("-users", StringComparison.Ordinal));

        world.Storage.RestoreFailure = null;
        world.Storage.Damage(First, "users");
        var damaged = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", First, null, _ => { }, Ct));
        Assert.Equal(AdapterFailureKind.Damaged, damaged.Kind);
        Assert.Contains("-users cannot be restored: ", damaged.Message, StringComparison.Ordinal);
        Assert.Equal(4, (await store.CleanUpAsync("verify-1", Ct)).Count);
    }

    [Theory]
    [InlineData("Unable to execute HTTP request: connect timed out")]
    [InlineData("The provided token has expired. (Service: S3, Status Code: 400)")]
    public async Task A_bucket_that_does_not_serve_Elasticsearch_is_named_and_the_set_is_made_when_it_does(string refusal)
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        world.Storage.Refusal = refusal;

        foreach (var work in new Func<Task>[] { () => store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct), () => store.RestoreAsync("verify-1", First, null, _ => { }, Ct) })
        {
            var failure = await Assert.ThrowsAsync<AdapterException>(work);
            Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
            Assert.Contains(refusal[..20], failure.Message, StringComparison.Ordinal);
            Assert.Contains("has a credential that is good there", failure.Message, StringComparison.Ordinal);
        }

        Assert.Contains(refusal[..20], (await Assert.ThrowsAsync<AdapterException>(() => store.LookAsync(Ct))).Message, StringComparison.Ordinal);
        world.Storage.Refusal = null;
        Assert.Empty((await store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct)).Missing);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
    }

    [Fact]
    public async Task Times_of_sets_are_ours_whatever_clock_the_cluster_has()
    {
        await using var world = await SearchWorld.StartAsync(aws);
        using var store = world.Store();
        world.Storage.Ahead = TimeSpan.FromDays(2);
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.InRange(made.StartedAt, DateTimeOffset.UtcNow - TimeSpan.FromMinutes(5), made.FinishedAt);
        Assert.InRange(made.FinishedAt, made.StartedAt, DateTimeOffset.UtcNow);
    }
}
