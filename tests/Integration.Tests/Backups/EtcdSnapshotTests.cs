using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Etcd;
using PlatformOps.BootstrapServer.Tests.Access;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Snapshots of a real etcd in sets of cluster state.</summary>
public sealed class EtcdSnapshotTests(SandboxAws aws) : ClusterStateStoreTests(aws)
{
    /// <summary>Other tests clean up what verifications of production have left on this machine.</summary>
    private static readonly string Owner = $"{Guid.NewGuid():N}/us-east-1";

    [Fact]
    public async Task A_snapshot_is_kept_with_its_set_and_an_etcd_that_is_restored_from_it_has_every_key()
    {
        await using var etcd = await RealEtcd.StartAsync();
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        for (var number = 0; number < 20; number++)
            await etcd.PutAsync($"/registry/configmaps/shop/{number}", new string((char)('a' + number), 100_000));
        using var store = Store(cluster, bucket, etcd.Declared);

        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Empty(made.Missing);
        Assert.Equal(("3.", 20, 21, true), (made.Etcd!.Version[..2], made.Etcd.Keys, made.Etcd.Revision, made.Etcd.Bytes > 2_000_000));
        Assert.StartsWith(StateBucket.KeyOf("set-1", "etcd-snapshot_"), await bucket.FindAsync("set-1", "etcd-snapshot"), StringComparison.Ordinal);
        Assert.Equal(made.Etcd, (await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct)).Etcd);
        Assert.Empty((await store.LookAsync(Ct)).Broken);

        // What a verification left that was killed goes.
        var left = new ScratchEtcd(EtcdPrograms.Find(RealEtcd.Path)!, Owner, TimeProvider.System);
        var findings = await new EtcdProof(bucket.State, Owner, RealEtcd.Path, TimeProvider.System).RunAsync("set-1", made.Etcd, StateCluster.Key, _ => { }, Ct);
        Assert.Null(findings.Wrong);
        Assert.Null(findings.Unread);
        Assert.Contains("has 20 keys at revision 21, as when it was made, and ends at revision 21.", findings.Right, StringComparison.Ordinal);
        Assert.False(Directory.Exists(left.Folder));
        Assert.Empty(new EtcdProof(bucket.State, Owner, RealEtcd.Path, TimeProvider.System).CleanUp());

        // One key more than there was is found, and nobody calls a set proved whose snapshot nobody could restore.
        findings = await new EtcdProof(bucket.State, Owner, RealEtcd.Path, TimeProvider.System).RunAsync("set-1", made.Etcd with { Keys = 21 }, StateCluster.Key, _ => { }, Ct);
        Assert.Equal("The snapshot of etcd: The restored etcd has 20 keys at revision 21 instead of 21.", findings.Wrong);
        findings = await new EtcdProof(bucket.State, Owner, "/nowhere", TimeProvider.System).RunAsync("set-1", made.Etcd, StateCluster.Key, _ => { }, Ct);
        Assert.StartsWith("The snapshot of etcd in it was not restored: etcd and etcdutl", findings.Unread, StringComparison.Ordinal);

        await store.RemoveAsync("set-1", Ct);
        Assert.Empty(await bucket.Sets.ListAsync(Ct));
    }

    [Fact]
    public async Task An_export_that_was_killed_after_the_snapshot_goes_on_without_another_one()
    {
        await using var etcd = await RealEtcd.StartAsync();
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        using (var kill = new CancellationTokenSource())
        {
            using var first = Store(cluster, bucket, etcd.Declared);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.MakeAsync("set-1", BackupMethod.Full, said =>
            {
                if (said.Contains("kinds are written", StringComparison.Ordinal))
                    kill.Cancel();
            }, kill.Token));
        }

        etcd.Stop();
        using var second = Store(cluster, bucket, etcd.Declared);
        var made = await second.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);

        Assert.Empty(made.Missing);
        Assert.NotNull(made.Etcd);
        Assert.Empty((await second.LookAsync(Ct)).Broken);
    }

    [Fact]
    public async Task An_etcd_that_does_not_answer_or_that_nobody_trusts_makes_the_set_partial_with_everything_else_in_it()
    {
        await using var etcd = await RealEtcd.StartAsync();
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        using (var other = new Authority("other"))
        {
            other.Client(other);
            await cluster.Kubectl.DeleteAsync("/api/v1/namespaces/kube-system/secrets/etcd-client");
            await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(other));
        }

        using var store = Store(cluster, bucket, etcd.Declared);
        Assert.StartsWith("It has no snapshot of etcd: No connection to https://127.0.0.1:", await MissingAsync("untrusted"), StringComparison.Ordinal);
        await cluster.Kubectl.DeleteAsync("/api/v1/namespaces/kube-system/secrets/etcd-client");
        Assert.StartsWith("It has no snapshot of etcd: Secret kube-system/etcd-client of us-east-1, which regions.us-east-1.etcd names, is not there", await MissingAsync("without"), StringComparison.Ordinal);
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(etcd.Authority));
        etcd.Stop();
        Assert.Contains("does not answer", await MissingAsync("stopped"), StringComparison.Ordinal);

        async Task<string> MissingAsync(string set)
        {
            var made = await store.MakeAsync(set, BackupMethod.Full, _ => { }, Ct);
            Assert.Null(made.Etcd);
            Assert.True(made.Manifest.Files > 0);
            return Assert.Single(made.Missing);
        }
    }

    [Fact]
    public async Task However_often_a_snapshot_is_asked_for_a_set_has_one_and_a_set_that_is_whole_stays_as_it_is()
    {
        await using var etcd = await RealEtcd.StartAsync();
        using var link = new Link(etcd.Declared.Endpoint.Port);
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        for (var number = 0; number < 5; number++)
            await etcd.PutAsync($"/registry/configmaps/shop/{number}", new string((char)('a' + number), 100_000));
        using var store = Store(cluster, bucket, etcd.Declared with { Endpoint = new($"https://{link.Address}") });

        // Away before, and in the middle: nothing of it is in the set.
        link.Break();
        Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<AdapterException>(() => store.SnapshotEtcdAsync("set-1", _ => { }, Ct))).Kind);
        link.Restore();
        Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<AdapterException>(() => store.SnapshotEtcdAsync("set-1", _ => link.Break(), Ct))).Kind);
        Assert.Empty(await bucket.Sets.ListAsync(Ct));

        link.Restore();
        var taken = await store.SnapshotEtcdAsync("set-1", _ => { }, Ct);
        await etcd.PutAsync("/registry/configmaps/shop/later", "later");
        Assert.Equal(taken, await store.SnapshotEtcdAsync("set-1", _ => { }, Ct));
        link.Break();
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        Assert.Empty(made.Missing);
        Assert.Equal((taken, 5), (made.Etcd, made.Etcd!.Keys));

        // Another attempt that comes late, to a set with one and to a set without.
        var without = await store.MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct);
        Assert.StartsWith("It has no snapshot of etcd: https://127.0.0.1:", Assert.Single(without.Missing), StringComparison.Ordinal);
        link.Restore();
        Assert.Equal(taken, await store.SnapshotEtcdAsync("set-1", _ => { }, Ct));
        Assert.Null(await store.SnapshotEtcdAsync("set-2", _ => { }, Ct));
        Assert.DoesNotContain((await bucket.Sets.ListAsync(Ct))["set-2"].Keys, file => file.StartsWith("etcd-snapshot", StringComparison.Ordinal));
        Assert.Empty((await store.LookAsync(Ct)).Broken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_snapshot_whose_attempt_ends_after_the_next_one_leaves_the_set_whole_and_proved(bool finished)
    {
        await using var etcd = await RealEtcd.StartAsync();
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        await etcd.PutAsync("/registry/configmaps/shop/first", new string('a', 100_000));
        using var store = Store(cluster, bucket, etcd.Declared);
        using var late = new LateAttempt();
        var slow = late.RunAsync(said => store.SnapshotEtcdAsync("set-1", said, Ct), "bytes of the snapshot of etcd");
        await late.Held;
        await etcd.PutAsync("/registry/configmaps/shop/second", "later");
        var taken = await store.SnapshotEtcdAsync("set-1", _ => { }, Ct);
        // It comes when everything else is made, or before.
        var made = finished ? await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct) : null;
        late.GoOn();
        var left = await slow;
        made ??= await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);

        Assert.Equal((2, finished ? 2 : 1), (taken!.Keys, left!.Keys));
        Assert.Equal(finished ? taken : left, made.Etcd);
        Assert.Empty((await store.LookAsync(Ct)).Broken);
        Assert.StartsWith($"{StateBucket.KeyOf("set-1", made.Etcd!.File.Stored)}.", await bucket.FindAsync("set-1", "etcd-snapshot"), StringComparison.Ordinal);
        Assert.DoesNotContain("progress.json", (await bucket.Sets.ListAsync(Ct))["set-1"].Keys);
        var findings = await new EtcdProof(bucket.State, Owner, RealEtcd.Path, TimeProvider.System).RunAsync("set-1", made.Etcd, StateCluster.Key, _ => { }, Ct);
        Assert.Equal((null, null, true), (findings.Wrong, findings.Unread, findings.Right!.Contains($"has {made.Etcd.Keys} keys", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_snapshot_is_written_out_for_us_alone_and_one_that_was_changed_is_found_and_not_written()
    {
        await using var etcd = await RealEtcd.StartAsync();
        await using var cluster = await ClusterAsync(etcd.Authority);
        using var bucket = await BucketAsync();
        using var store = Store(cluster, bucket, etcd.Declared);
        var made = await store.MakeAsync("set-1", BackupMethod.Full, _ => { }, Ct);
        await Store(cluster, bucket, null).MakeAsync("set-2", BackupMethod.Full, _ => { }, Ct);
        var folder = Directory.CreateTempSubdirectory("platformops-test-").FullName;
        var file = Path.Combine(folder, "etcd.db");

        await bucket.State.WriteEtcdAsync("set-1", file, Ct);
        var content = await File.ReadAllBytesAsync(file, Ct);
        Assert.Equal(made.Etcd!.Digest, Convert.ToHexStringLower(content[^32..]));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Contains("has no snapshot of etcd", (await Assert.ThrowsAsync<AdapterException>(() => bucket.State.WriteEtcdAsync("set-2", Path.Combine(folder, "none.db"), Ct))).Message, StringComparison.Ordinal);

        var key = await bucket.FindAsync("set-1", "etcd-snapshot");
        var stored = (await bucket.Objects.GetAsync(key, Ct))!.Content.ToArray();
        stored[^20] ^= 1;
        await bucket.Objects.PutAsync(key, stored, Ct);
        Assert.StartsWith("etcd-snapshot has another checksum than when it was written: it is damaged. Its snapshot of etcd 3.", (await store.LookAsync(Ct)).Broken["set-1"], StringComparison.Ordinal);
        var other = Path.Combine(folder, "other.db");
        Assert.Equal(AdapterFailureKind.Damaged, (await Assert.ThrowsAsync<AdapterException>(() => bucket.State.WriteEtcdAsync("set-1", other, Ct))).Kind);
        Assert.False(File.Exists(other));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(1000)]
    public void The_checksum_at_the_end_of_a_snapshot_is_found_however_it_is_cut_into_pieces(int piece)
    {
        byte[] content = [.. Enumerable.Range(0, 700).Select(number => (byte)number)];
        byte[] whole = [.. content, .. System.Security.Cryptography.SHA256.HashData(content)];
        using var hash = new SnapshotHash();
        foreach (var part in whole.Chunk(piece))
            hash.Append(part);
        Assert.Equal((732, Convert.ToHexStringLower(whole[700..])), (hash.Bytes, hash.Digest()));

        using var cut = new SnapshotHash();
        cut.Append(whole.AsSpan(0, 731));
        Assert.Null(cut.Digest());
        whole[3] ^= 1;
        using var changed = new SnapshotHash();
        changed.Append(whole);
        Assert.Null(changed.Digest());
    }

    private static async Task<StateCluster> ClusterAsync(Authority authority)
    {
        var cluster = await StateCluster.StartAsync(new SandboxCluster());
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(authority));
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/default/configmaps", """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"currency": "EUR"}}""");
        return cluster;
    }

    private static ClusterStateStore Store(StateCluster cluster, StateBucket bucket, EtcdSpecification? etcd) =>
        new(cluster.Connect(), null, bucket.State, "production", TimeSpan.FromDays(14), TimeProvider.System, etcd, RealEtcd.Path);
}
