using System.Diagnostics;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary><c>platformops backup etcd</c>, as somebody runs it whose control plane is gone: with the bucket and the key, and without a kubeconfig or a Temporal server.</summary>
public sealed class EtcdCommandTests(SandboxAws aws) : IAsyncLifetime
{
    private const string Key = "/registry/configmaps/shop/settings", Snapshot = "etcd-snapshot.sealed";

    private readonly Cli cli = new();
    private RealEtcd etcd = null!;
    private StateCluster cluster = null!;
    private TestPlatform platform = null!;
    private AwsConnection connection = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Bucket => $"backups-{platform.Suffix}";

    /// <summary>Where the snapshot is to be written; nothing else may be left there.</summary>
    private string Target => Path.Combine(cli.Home, "written");

    public async ValueTask InitializeAsync()
    {
        etcd = await RealEtcd.StartAsync();
        cluster = await StateCluster.StartAsync(new SandboxCluster());
        platform = await TestPlatform.CreateAsync(cluster.Cluster);
        connection = aws.Connect();
        Directory.CreateDirectory(Target);
        await new Buckets(connection).EnsureAsync(new() { Name = Bucket }, new("test", "production", "backups"), "op-1", Ct);
        await cluster.Kubectl.CreateAsync("/api/v1/namespaces/kube-system/secrets", RealEtcd.SecretOf(etcd.Authority));
        platform.Write("catalog/ground/component.yaml", platform.Read("catalog/ground/component.yaml") + """

            backups:
              - {name: state, store: kubernetes-state, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
              - {name: secrets, store: vault, schedules: [{every: 12h}], retention: 14d, rpo: 24h, rto: 1h}
            """);
        await etcd.PutAsync(Key, "EUR");
    }

    [Fact]
    public async Task An_etcd_that_is_restored_as_the_command_says_has_what_there_was_when_the_set_was_made()
    {
        await MakeAsync("set-1", etcd.Declared);
        await etcd.PutAsync(Key, "CHF");
        etcd.Stop();

        var file = Path.Combine(Target, "etcd.db");
        var written = await RunAsync("set-1", file);
        Assert.True(written.ExitCode == 0, written.Error);
        Assert.Equal([file], Directory.GetFileSystemEntries(Target));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Contains("of 2 or more.", written.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("EUR", written.Output, StringComparison.Ordinal);

        var peer = LocalPorts.Take();
        await RestoreAsync(written.Output.Split('\n').Single(line => line.Contains("snapshot restore etcd.db", StringComparison.Ordinal)), peer);
        await using var restored = await RealEtcd.StartAsync(Path.Combine(Target, "restored"), peer);
        Assert.Equal("EUR", await restored.GetAsync(Key));

        // It says the same to a program.
        Directory.Delete(Path.Combine(Target, "restored", "member"), recursive: true);
        File.Delete(file);
        var json = (await RunAsync("set-1", file, "--output", "json")).Json;
        Assert.Equal((file, "set-1", 2, 1), (json.GetProperty("file").GetString(), json.GetProperty("set").GetString(), json.GetProperty("revision").GetInt32(), json.GetProperty("keys").GetInt32()));
    }

    [Fact]
    public async Task What_cannot_be_written_is_said_with_what_to_do_and_nothing_is_left_half_written()
    {
        await MakeAsync("set-1", etcd.Declared);
        await MakeAsync("set-2", null);
        var file = Path.Combine(Target, "etcd.db");

        await RefusedAsync(4, "state has no whole set set-9: see platformops backup list", "set-9", file);
        await RefusedAsync(4, "has no snapshot of etcd: platformops backup list says which have one", "set-2", file);
        await RefusedAsync(2, "is no folder", "set-1", Path.Combine(Target, "nowhere", "etcd.db"));
        await RefusedAsync(2, "Field 'region' is 'eu-west-1'", "set-1", file, "--region", "eu-west-1");
        await RefusedAsync(3, "secrets is of kind Vault: only sets of cluster state", "set-1", file, store: "secrets");
        await RefusedAsync(2, "Field 'store' is 'nothing'", "set-1", file, store: "nothing");
        platform.Write("backup.key", new string('7', 64));
        await RefusedAsync(3, "Add the key of then to keyFiles.", "set-1", file);
        platform.Write("backup.key", "short");
        await RefusedAsync(3, "keyFiles[0] is no key for backups", "set-1", file);
        platform.Write("backup.key", Convert.ToBase64String(new byte[32]));

        // What lies there is not what was written, and then not there at all.
        var (objects, key) = (new StoredObjects(connection, Bucket), $"{platform.Environment}/sets/state/set-1/{Snapshot}");
        var stored = (await objects.GetAsync(key, Ct))!.Content.ToArray();
        stored[^20] ^= 1;
        await objects.PutAsync(key, stored, Ct);
        await RefusedAsync(1, $"set-1/etcd-snapshot", "set-1", file);
        await objects.DeleteAsync(key, Ct);
        await RefusedAsync(1, $"{Snapshot} is not there. Use another set.", "set-1", file);

        await File.WriteAllTextAsync(file, "somebody's", Ct);
        var refused = await RunAsync("set-1", file);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("which is there already", refused.Error, StringComparison.Ordinal);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(file, Ct));
    }

    public async ValueTask DisposeAsync()
    {
        connection.Dispose();
        await platform.DisposeAsync();
        await cluster.DisposeAsync();
        await etcd.DisposeAsync();
        cli.Dispose();
    }

    private async Task RefusedAsync(int exitCode, string why, string set, string file, string? option = null, string? value = null, string store = "state")
    {
        var result = await RunAsync(set, file, option, value, store);
        Assert.Equal((exitCode, true), (result.ExitCode, result.Error.Contains(why, StringComparison.Ordinal)));
        Assert.Contains("  next: ", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    private Task<CliResult> RunAsync(string set, string file, string? option = null, string? value = null, string store = "state") => cli.RunAsync(
        ["backup", "etcd", platform.Environment, store, set, "--connections", PathOf("connections.json"), "--to", file, "--specification", platform.SpecificationFolder, "--catalog", PathOf("catalog"), .. option is null ? [] : new[] { option, value! }]);

    private string PathOf(string name) => Path.GetFullPath(Path.Combine(platform.SpecificationFolder, "..", name));

    /// <summary>A set as a worker makes it.</summary>
    private async Task MakeAsync(string set, EtcdSpecification? declared)
    {
        platform.Specify();
        var file = $"specification/environments/{platform.Environment}.yaml";
        platform.Write(file, platform.Read(file).Replace("kubernetesContext: test", $"kubernetesContext: test{(declared is null ? "" : $", etcd: {{endpoint: \"https://{declared.Endpoint.Authority}\", secret: {declared.Secret}}}")}", StringComparison.Ordinal));
        platform.Write("backup.key", Convert.ToBase64String(new byte[32]));
        var backups = new PlatformConnections
        {
            Backups = new Dictionary<string, BackupAccess> { [platform.Environment] = new() { Bucket = Bucket, Aws = aws.Settings(Bucket) with { Region = "us-east-1" }, KeyFiles = [PathOf("backup.key")] } },
        };
        backups.Save(PathOf("connections.json"));
        var worker = backups with { Regions = new Dictionary<string, RegionConnection> { [TestPlatform.Region] = new() { Kubeconfig = cluster.Cluster.Kubeconfig(cluster.Proxy.Address, cluster.Proxy.Token) } } };
        using var activities = new BackupActivities(new(platform.SpecificationFolder, PathOf("catalog")), worker);
        var store = new StoreReference(platform.Environment, "state");
        await platform.RunAsync(() => activities.BeginBackupAsync(new(store, set, StoreKind.KubernetesState, null)));
        var made = await platform.RunAsync(() => activities.MakeBackupAsync(new(store, set, BackupMethod.Full)));
        await platform.RunAsync(() => activities.RecordBackupAsync(new(store, set, made, null)));
    }

    /// <summary>Runs the line that the command has said, on the one node of this control plane. Debian's etcd is 3.4, of which it is etcdctl.</summary>
    private async Task RestoreAsync(string line, int peer)
    {
        var said = line.Trim().Replace("https://ADDRESS:2380", $"http://127.0.0.1:{peer}", StringComparison.Ordinal).Replace("NAME", "default", StringComparison.Ordinal)
            .Replace("/var/lib/etcd-restored", Path.Combine(Target, "restored"), StringComparison.Ordinal).Split(' ');
        Assert.Equal("etcdutl", said[0]);
        using var restoring = Process.Start(new ProcessStartInfo("etcdctl", said[1..]) { WorkingDirectory = Target, Environment = { ["ETCDCTL_API"] = "3" }, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = (restoring.StandardOutput.ReadToEndAsync(Ct), restoring.StandardError.ReadToEndAsync(Ct));
        await restoring.WaitForExitAsync(Ct);
        Assert.True(restoring.ExitCode == 0, $"{await output.Item1}{await output.Item2}");
    }
}
