using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Etcd;
using PlatformOps.BootstrapServer.Tests.Access;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Sets of a cluster's state in a bucket: made, found damaged, proved in quarantine, cleaned up.</summary>
public abstract class ClusterStateStoreTests(TestAws aws)
{
    private readonly TestAws aws = aws;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A bucket of its own.</summary>
    private protected async Task<StateBucket> BucketAsync()
    {
        var connection = aws.Connect();
        var name = $"backups-{Guid.NewGuid():N}"[..20];
        await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
        var objects = new StoredObjects(connection, name);
        return new(connection, objects, new(objects, name, "production/sets/state/"));
    }

    private protected static ClusterStateStore Store(StateCluster cluster, StateCluster? quarantine, StateBucket bucket, params SealingKey[] keys) =>
        new(cluster.Connect(), quarantine?.Connect(), new(bucket.Sets, keys.Length == 0 ? [StateCluster.Key] : keys), "production", TimeSpan.FromDays(14), TimeProvider.System);

    private protected sealed record StateBucket(IDisposable Connection, StoredObjects Objects, StoredSets Sets) : IDisposable
    {
        public StateSets State { get; } = new(Sets, [StateCluster.Key]);

        public static string KeyOf(string set, string file) => $"production/sets/state/{set}/{file}";

        /// <summary>Where the one attempt that made a set has left a file of it.</summary>
        public async Task<string> FindAsync(string set, string file) => Assert.Single(await Objects.ListAsync(KeyOf(set, $"{file}_"), Ct)).Key;

        public void Dispose() => Connection.Dispose();
    }
}

public sealed class ClusterStateStoreOnTheSandboxTests(SandboxAws aws) : ClusterStateStoreTests(aws)
{
    private static readonly SealingKey NewKey = SealingKey.Read(new(new string('7', 64)), "the new key");

    [Fact]
    public async Task A_set_whose_making_was_killed_is_finished_by_another_worker_that_writes_only_what_is_missing()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        using (var kill = new CancellationTokenSource())
        {
            using var first = Store(cluster, null, bucket);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.MakeAsync("set-1", BackupMethod.Full, _ =>
            {
                if (cluster.Proxy.Seen.Any(call => call.Path.StartsWith("/api/v1/services?", StringComparison.Ordinal)))
                    kill.Cancel();
            }, kill.Token));
        }

        // A part that is lost meanwhile is written again.
        await bucket.Objects.DeleteAsync(await bucket.FindAsync("set-1", "secrets"), Ct);
        cluster.Proxy.Forget();
        using var second = Store(cluster, null, bucket);
        var made = await second.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);

        Assert.DoesNotContain(cluster.Proxy.Seen, call => call.Path.StartsWith("/api/v1/configmaps?", StringComparison.Ordinal));
        Assert.Contains(cluster.Proxy.Seen, call => call.Path.StartsWith("/api/v1/secrets?", StringComparison.Ordinal));
        Assert.Empty(made.Missing);
        Assert.True(made.Range.To < made.FinishedAt && made.Bytes > 1000 && made.Manifest.Files > 15, $"{made}");
        cluster.Proxy.Forget();
        Assert.Equivalent(made, await second.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct));
        Assert.DoesNotContain(cluster.Proxy.Seen, call => call.Path.Contains("limit=", StringComparison.Ordinal));
        var sight = await second.LookAsync(Ct);
        Assert.Equal(("set-1", made.Manifest.Digest), (Assert.Single(sight.Sets).Label, sight.Sets[0].ManifestDigest));
        Assert.Empty(sight.Broken);
    }

    [Fact]
    public async Task An_attempt_that_ends_after_the_next_one_writes_over_nothing_of_its_set_and_takes_back_what_it_brought()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        using var store = Store(cluster, null, bucket);
        using var late = new LateAttempt();
        var slow = late.RunAsync(said => store.MakeAsync("set-1", BackupMethod.Full, said, Ct), "kinds are written");
        await late.Held;
        await cluster.Kubectl.MergeAsync("/api/v1/namespaces/shop/configmaps/settings", """{"data": {"currency": "CHF"}}""");
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        late.GoOn();

        Assert.Equivalent(made, await slow);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        var manifest = (await bucket.State.ManifestAsync("set-1", Ct))!;
        Assert.Equal(manifest.Files.Select(StateSets.FileOf).Append(ArchiveManifest.FileName).Order(), (await bucket.Sets.ListAsync(Ct))["set-1"].Keys.Order());

        // Whoever is killed before it takes that back leaves what nobody reads, until the set goes. What no attempt writes is somebody's.
        await bucket.Sets.PutAsync("set-1", "secrets_0123456789ab.sealed", "left"u8.ToArray(), Ct);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        await bucket.Sets.PutAsync("set-1", "stray.sealed", "somebody's"u8.ToArray(), Ct);
        Assert.Equal("stray is there, and the manifest does not know it.", (await store.LookAsync(Ct)).Broken["set-1"]);
        await store.RemoveAsync("set-1", Ct);
        Assert.Empty(await bucket.Sets.ListAsync(Ct));
    }

    [Fact]
    public async Task A_set_whose_files_have_no_attempt_in_their_names_is_read_as_before()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        using var store = Store(cluster, null, bucket);
        using var folder = new TemporaryFolder();
        var archive = cluster.Archive(folder.Path);
        var manifest = await cluster.ExportAsync(archive);
        foreach (var file in Directory.GetFiles(folder.Path))
            await bucket.Sets.UploadAsync("set-1", Path.GetFileName(file), file, Ct);

        Assert.Contains("secrets.sealed", (await bucket.Sets.ListAsync(Ct))["set-1"].Keys);
        Assert.DoesNotContain("attempt", manifest.ToJson(), StringComparison.Ordinal);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        using var fetched = new TemporaryFolder();
        var found = await bucket.State.FetchAsync("set-1", fetched.Path, _ => { }, Ct);
        Assert.Empty((await cluster.CompareAsync(found.Archive, found.Manifest)).Findings);
    }

    [Fact]
    public async Task A_flipped_byte_a_removed_part_and_a_removed_manifest_are_found_by_the_next_look_and_named()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        using var store = Store(cluster, null, bucket);
        foreach (var set in new[] { "set-1", "set-2", "set-3", "set-4" })
            await store.MakeAsync(set, BackupMethod.Full, _ => { }, Ct);

        var key = await bucket.FindAsync("set-1", "secrets");
        var part = (await bucket.Objects.GetAsync(key, Ct))!.Content.ToArray();
        part[^30] ^= 1;
        await bucket.Objects.PutAsync(key, part, Ct);
        await bucket.Objects.DeleteAsync(await bucket.FindAsync("set-2", "deployments.apps"), Ct);
        await bucket.Objects.DeleteAsync(StateBucket.KeyOf("set-3", ArchiveManifest.FileName), Ct);

        var sight = await store.LookAsync(Ct);
        Assert.Equal(["set-1", "set-2"], sight.Broken.Keys.Order());
        Assert.Contains("secrets has another checksum than when it was written", sight.Broken["set-1"], StringComparison.Ordinal);
        Assert.StartsWith("deployments.apps is missing: 1 objects of apps/v1/Deployment", sight.Broken["set-2"], StringComparison.Ordinal);
        Assert.Null(sight.Sets.Single(set => set.Label == "set-3").ManifestDigest);

        await store.RemoveAsync("set-1", Ct);
        await store.RemoveAsync("set-1", Ct);
        Assert.Equal(["set-2", "set-3", "set-4"], (await store.LookAsync(Ct)).Sets.Select(set => set.Label).Order());
    }

    [Fact]
    public async Task Sets_of_before_a_new_key_are_read_with_the_key_of_then_and_without_it_are_not_called_damaged()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        using var bucket = await BucketAsync();
        using (var before = Store(cluster, null, bucket))
            await before.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        using var both = Store(cluster, null, bucket, NewKey, StateCluster.Key);
        await both.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct);

        Assert.Empty((await both.LookAsync(Ct)).Broken);
        using var forgetful = Store(cluster, null, bucket, NewKey);
        var failure = await Assert.ThrowsAsync<AdapterException>(() => forgetful.LookAsync(Ct));
        Assert.Contains($"is encrypted with key {StateCluster.Key.Id}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Completed", null)]
    [InlineData("PartiallyFailed", "Velero's Backup platformops-")]
    public async Task Where_Velero_is_installed_it_makes_one_too_and_when_that_is_not_whole_the_set_is_partial(string phase, string? missing)
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        foreach (var (kind, plural) in new[] { ("Backup", "backups"), ("BackupStorageLocation", "backupstoragelocations") })
        {
            await cluster.Kubectl.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$"""
                {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "{{plural}}.velero.io"}, "spec": {
                  "group": "velero.io", "scope": "Namespaced", "names": {"plural": "{{plural}}", "singular": "{{kind.ToLowerInvariant()}}", "kind": "{{kind}}", "listKind": "{{kind}}List"},
                  "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true} } }] } }
                """);
            await StateCluster.UntilAsync(async () => await cluster.Kubectl.GetAsync($"/apis/velero.io/v1/{plural}") is not null);
        }

        await cluster.Kubectl.CreateAsync("/apis/velero.io/v1/namespaces/default/backupstoragelocations", """{"apiVersion": "velero.io/v1", "kind": "BackupStorageLocation", "metadata": {"name": "default"}, "spec": {"default": true, "provider": "aws"}}""");
        // Velero itself says how it ended; the sandbox's only completes.
        cluster.Proxy.Intercept = call => Task.FromResult<(System.Net.HttpStatusCode, string)?>(call.Method == "GET" && call.Path.Contains("/backups/platformops-", StringComparison.Ordinal)
            && cluster.Proxy.Seen.Any(seen => seen.Method == "POST" && seen.Path.Contains("/backups?", StringComparison.Ordinal))
                ? (System.Net.HttpStatusCode.OK, $$"""{"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "platformops-1"}, "status": {"phase": "{{phase}}"} }""") : null);
        using var bucket = await BucketAsync();
        using var store = Store(cluster, null, bucket);

        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Equal(made.Missing, (await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct)).Missing);

        Assert.Single(cluster.Proxy.Seen, call => call.Method == "POST" && call.Path.Contains("/backups?", StringComparison.Ordinal));
        Assert.Contains("\"ttl\":\"336h0m0s\"", cluster.Proxy.Mutations.Single(call => call.Path.Contains("/backups?", StringComparison.Ordinal)).Body, StringComparison.Ordinal);
        if (missing is null)
            Assert.Empty(made.Missing);
        else
            Assert.StartsWith(missing, Assert.Single(made.Missing), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_with_nodes_is_no_quarantine_and_without_a_quarantine_nothing_is_called_proved()
    {
        await using var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        using var store = Store(cluster, cluster, bucket);
        await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        cluster.Proxy.Forget();

        var failure = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct));
        Assert.Contains("has nodes", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await store.CleanUpAsync("verify-1", Ct));
        Assert.Empty(cluster.Proxy.Mutations);
        using var alone = Store(cluster, null, bucket);
        failure = await Assert.ThrowsAsync<AdapterException>(() => alone.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct));
        Assert.Equal(AdapterFailureKind.NotServed, failure.Kind);
        Assert.Contains("state backups.production.quarantine", failure.Message, StringComparison.Ordinal);
    }
}

public sealed class ClusterStateStoreOnRealServersTests(MotoServer aws) : ClusterStateStoreTests(aws)
{
    /// <summary>Other tests clean up what verifications of production have left on this machine: its etcd would be ended in the middle.</summary>
    private static readonly string Environment = $"production-{Guid.NewGuid():N}"[..20];

    [Fact]
    public async Task A_set_is_proved_by_restoring_it_into_an_empty_cluster_that_is_empty_again_afterwards()
    {
        Assert.SkipWhen(EtcdPrograms.Find(RealEtcd.Path) is null, "Put etcd and etcdctl (Debian: etcd-server, etcd-client) on the PATH to run this.");
        using var authority = new Authority("etcd");
        var server = new RealApiServer { EtcdAuthority = authority };
        var starting = (StateCluster.StartAsync(server), StateCluster.StartAsync(new RealApiServer()));
        await using var cluster = await starting.Item1;
        await using var quarantine = await starting.Item2;
        await cluster.FillAsync();
        using var bucket = await BucketAsync();
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(authority));
        using var store = new ClusterStateStore(
            cluster.Connect(), quarantine.Connect(), bucket.State, Environment, TimeSpan.FromDays(14), TimeProvider.System, new(server.Etcd, RealEtcd.Secret), RealEtcd.Path);
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Empty(made.Missing);
        Assert.True(made.Etcd!.Keys > 100);

        // Somebody's cluster is not taken for a quarantine.
        await quarantine.Kubectl.CreateAsync("/api/v1/namespaces/default/configmaps", """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "somebodys"}}""");
        var refused = await Assert.ThrowsAsync<AdapterException>(() => store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct));
        Assert.Equal("us-east-1 ConfigMap default/somebodys. Name an API server as quarantine that is used for nothing else.", refused.Message.Split(" is not empty: it has ")[1]);
        await quarantine.Kubectl.DeleteAsync("/api/v1/namespaces/default/configmaps/somebodys");

        var copy = await store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct);
        Assert.Equal(made.Range.To, copy.UpTo);
        Assert.True(copy.Took > TimeSpan.Zero);
        // An attempt that begins again counts from the order of the first.
        Assert.Equal(copy.OrderedAt, (await store.RestoreAsync("verify-1", "set-1", null, _ => { }, Ct)).OrderedAt);
        var others = new ClusterStateStore(cluster.Connect(), quarantine.Connect(), bucket.State, "staging", TimeSpan.FromDays(14), TimeProvider.System);
        Assert.Equal(AdapterFailureKind.Moved, (await Assert.ThrowsAsync<AdapterException>(() => others.RestoreAsync("verify-2", "set-1", null, _ => { }, Ct))).Kind);
        Assert.Empty(await others.CleanUpAsync("verify-2", Ct));
        others.Dispose();
        var found = await store.ProbeAsync("verify-1", TimeSpan.FromHours(24), _ => { }, Ct);
        Assert.Empty(found.Wrong);
        Assert.Null(found.Unread);
        Assert.Contains($"has {made.Etcd.Keys} keys at revision {made.Etcd.Revision}, as when it was made", found.Right[1], StringComparison.Ordinal);
        Assert.InRange(found.Rpo!.Value, TimeSpan.Zero, copy.OrderedAt - made.StartedAt);

        // What is not as it was is found.
        await quarantine.Kubectl.MergeAsync(KubectlLike.Secret("shop", "login"), """{"stringData": {"password": "other"}}""");
        Assert.Equal(["us-east-1 Secret shop/login: data.password is another one (values of Secrets are not shown)."], (await store.ProbeAsync("verify-1", TimeSpan.FromHours(24), _ => { }, Ct)).Wrong);

        var removed = await store.CleanUpAsync("verify-1", Ct);
        Assert.Contains("1 orders.shop.example.com", removed);
        Assert.Contains("1 namespaces", removed);
        Assert.Empty(await store.CleanUpAsync("verify-1", Ct));
        Assert.Null(await quarantine.Kubectl.GetAsync("/api/v1/namespaces/shop"));
        // Empty, as the next verification wants it.
        Assert.Equal("verify-2", (await new StateQuarantine(quarantine.Connection, $"{Environment}/us-east-1", TimeProvider.System).ClaimAsync("verify-2", "set-1", DateTimeOffset.UtcNow, Ct)).Operation);
        // A verification that was terminated does not keep the next one out.
        Assert.Equal("verify-3", (await new StateQuarantine(quarantine.Connection, $"{Environment}/us-east-1", TimeProvider.System).ClaimAsync("verify-3", "set-1", DateTimeOffset.UtcNow, Ct)).Operation);
    }
}
