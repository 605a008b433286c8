using System.Diagnostics;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary><c>platformops backup etcd</c>, as somebody runs it whose control plane is gone: with the bucket and the key, and without a kubeconfig or a Temporal server.</summary>
public sealed class EtcdCommandTests(SandboxAws aws) : IAsyncLifetime
{
    private readonly Cli cli = new();
    private EtcdWorld world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Where the snapshot is to be written; nothing else may be left there.</summary>
    private string Target => Path.Combine(cli.Home, "written");

    public async ValueTask InitializeAsync()
    {
        world = await EtcdWorld.StartAsync(aws);
        Directory.CreateDirectory(Target);
    }

    [Fact]
    public async Task An_etcd_that_is_restored_as_the_command_says_has_what_there_was_when_the_set_was_made()
    {
        await world.MakeAsync("set-1", etcd: true);
        await world.Etcd.PutAsync(EtcdWorld.Key, "CHF");
        world.Etcd.Stop();

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
        Assert.Equal("EUR", await restored.GetAsync(EtcdWorld.Key));

        // It says the same to a program.
        Directory.Delete(Path.Combine(Target, "restored", "member"), recursive: true);
        File.Delete(file);
        var json = (await RunAsync("set-1", file, "--output", "json")).Json;
        Assert.Equal((file, "set-1", 2, 1), (json.GetProperty("file").GetString(), json.GetProperty("set").GetString(), json.GetProperty("revision").GetInt32(), json.GetProperty("keys").GetInt32()));
    }

    [Fact]
    public async Task What_cannot_be_written_is_said_with_what_to_do_and_nothing_is_left_half_written()
    {
        await world.MakeAsync("set-1", etcd: true);
        await world.MakeAsync("set-2", etcd: false);
        var file = Path.Combine(Target, "etcd.db");

        await RefusedAsync(4, "state has no whole set set-9: see platformops backup list", "set-9", file);
        await RefusedAsync(4, "has no snapshot of etcd: platformops backup list says which have one", "set-2", file);
        await RefusedAsync(2, "is no folder", "set-1", Path.Combine(Target, "nowhere", "etcd.db"));
        await RefusedAsync(2, "Field 'region' is 'eu-west-1'", "set-1", file, "--region", "eu-west-1");
        await RefusedAsync(3, "secrets is of kind Vault: only sets of cluster state", "set-1", file, store: "secrets");
        await RefusedAsync(2, "Field 'store' is 'nothing'", "set-1", file, store: "nothing");
        world.Platform.Write("backup.key", new string('7', 64));
        await RefusedAsync(3, "Add the key of then to keyFiles.", "set-1", file);
        world.Platform.Write("backup.key", "short");
        await RefusedAsync(3, "keyFiles[0] is no key for backups", "set-1", file);
        world.Platform.Write("backup.key", Convert.ToBase64String(new byte[32]));

        // What lies there is not what was written, and then not there at all.
        var objects = world.Objects;
        var key = Assert.Single(await objects.ListAsync($"{world.Store.Environment}/sets/state/set-1/etcd-snapshot_", Ct)).Key;
        var stored = (await objects.GetAsync(key, Ct))!.Content.ToArray();
        stored[^20] ^= 1;
        await objects.PutAsync(key, stored, Ct);
        await RefusedAsync(1, $"set-1/etcd-snapshot", "set-1", file);
        await objects.DeleteAsync(key, Ct);
        await RefusedAsync(1, $"{Path.GetFileName(key)} is not there. Use another set.", "set-1", file);

        await File.WriteAllTextAsync(file, "somebody's", Ct);
        var refused = await RunAsync("set-1", file);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("which is there already", refused.Error, StringComparison.Ordinal);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(file, Ct));
    }

    public async ValueTask DisposeAsync()
    {
        await world.DisposeAsync();
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
        ["backup", "etcd", world.Store.Environment, store, set, "--connections", world.Connections, "--to", file, "--specification", world.Platform.SpecificationFolder, "--catalog", world.PathOf("catalog"), .. option is null ? [] : new[] { option, value! }]);

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
