using System.Diagnostics;
using System.Globalization;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Two real PostgreSQL servers with real guards as processes of their own, the witness in S3, and links between all of them that can be cut.</summary>
internal sealed class GuardedPair : IAsyncDisposable
{
    public const string First = "us-east-1", Second = "us-west-2";

    public const int Stop = 19, Continue = 18;

    /// <summary>The shipped lease of a second can run out on a busy machine: then sessions are cut, which is right and not what most tests are about. Not for those that wait until it is over.</summary>
    public static readonly LeaseSettings Patient = new(DurationMs: 10_000);

    /// <summary>For everything that depends on no disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>For a cluster to be made and cloned, which a busy disk can hold up.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(4);

    private readonly AwsStandIn aws;
    private readonly AwsConnection connection;
    private readonly Dictionary<string, Process> guards = [];
    private readonly Dictionary<string, Link> witnessLinks = [], replicationLinks = [];
    private readonly LocalPair pair;

    private GuardedPair(AwsStandIn aws, AwsConnection connection, LocalPair pair)
    {
        (this.aws, this.connection, this.pair) = (aws, connection, pair);
        Database = new(pair.Access);
        Witness = new S3Witness(connection, "witness", "production");
    }

    public GuardedPostgres Database { get; }

    public IWitness Witness { get; }

    public LocalPair Files => pair;

    /// <summary>Where the witness listens, past all links.</summary>
    public int WitnessPort => aws.Address.Port;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A primary and a standby that streams.</summary>
    /// <param name="lease">Default: as shipped. A longer one for what must not depend on a machine that is busy.</param>
    /// <param name="change">Changes a node's configuration, given the folder of the pair; null: not.</param>
    public static async Task<GuardedPair> StartAsync(bool synchronous, LeaseSettings? lease = null, Func<GuardConfiguration, string, GuardConfiguration>? change = null)
    {
        Assert.SkipWhen(LocalPair.Binaries is null, "Install PostgreSQL (Debian: apt-get install postgresql) to run the tests on real servers.");
        var aws = await AwsStandIn.StartAsync(new(), Ct);
        var access = new AwsAccess { Region = "eu-central-1", Endpoint = aws.Address, Keys = new(aws.AccessKeyId, "not-a-secret") };
        var connection = new AwsConnection(access);
        await new Buckets(connection).EnsureAsync(new() { Name = "witness" }, new("shop", "production", "witness"), "test", Ct);
        var folder = Directory.CreateTempSubdirectory("guards-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "credentials"), $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = not-a-secret\n", Ct);
        var links = new Dictionary<string, (Link Witness, Link Replication)>();
        var pair = LocalPair.Make(folder, "production", First, Second, new(S3: new("witness", "production", "eu-central-1")), TimeProvider.System, node =>
        {
            var link = (Witness: new Link(aws.Address.Port), Replication: new Link(Port(node.Peer.Replication)));
            links[node.Node] = link;
            var linked = node with
            {
                Lease = lease ?? node.Lease,
                Peer = node.Peer with { Replication = link.Replication.Address },
                Witness = new(S3: node.Witness.S3! with { Endpoint = $"http://{link.Witness.Address}", CredentialsFile = Path.Combine(folder, "credentials") }),
            };
            return change?.Invoke(linked, folder) ?? linked;
        });
        var started = new GuardedPair(aws, connection, pair);
        foreach (var (node, (witness, replication)) in links)
            (started.witnessLinks[node], started.replicationLinks[node]) = (witness, replication);
        try
        {
            await started.BringUpAsync(synchronous);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the node's guard says; null: it does not answer.</summary>
    public async Task<DatabaseNode?> LookAsync(string node)
    {
        try
        {
            return await Database.ObserveAsync(node, Ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    public int ClientPort(string node) => Port(pair[node].Clients.Listen);

    public Link WitnessLink(string node) => witnessLinks[node];

    /// <summary>The link over which the node's server gets the other's log.</summary>
    public Link ReplicationLink(string node) => replicationLinks[node];

    public DataDirectory Data(string node) => new(pair[node].Data);

    /// <param name="mayDie">Whether somebody may kill it while it starts.</param>
    public async Task StartGuardAsync(string node, bool mayDie = false)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Cli.Program, "guard", "--config", pair.ConfigurationFile(node)]) { RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(pair.Folder, $"{node}.log"), append: true) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        guards[node] = process;
        await UntilAsync(async () => await LookAsync(node) is not null || process.HasExited, node);
        Assert.False(process.HasExited && !mayDie, Log(node));
    }

    /// <summary>Whether the guard's process is there; it may be frozen.</summary>
    public bool Lives(string node) => !guards[node].HasExited;

    /// <summary>Kills a guard; its server lives on.</summary>
    public void KillGuard(string node) => Signal(node, Posix.Kill);

    /// <summary>The end of a machine: guard and server die at once.</summary>
    public async Task LoseAsync(string node)
    {
        Signal(node, Posix.Kill);
        await KillServerAsync(node);
        await guards[node].WaitForExitAsync(CancellationToken.None);
    }

    public void FreezeGuard(string node) => Signal(node, Stop);

    public void ThawGuard(string node) => Signal(node, Continue);

    /// <summary>Freezes all of a machine.</summary>
    public void Freeze(string node) => SignalAll(node, Stop);

    /// <summary>Freezes the server's processes; its guard goes on.</summary>
    public void FreezeServer(string node) => SignalServer(node, Stop);

    public void Thaw(string node) => SignalAll(node, Continue);

    /// <summary>Kills the server's first process; the others live on for a moment.</summary>
    public void KillPostmaster(string node) => Posix.Signal(Data(node).Postmaster() ?? throw new InvalidOperationException($"{node} has no postmaster."), Posix.Kill);

    /// <summary>Starts the server of a node that was killed, without a guard, and stops it in an orderly way in the middle of its recovery.</summary>
    public async Task StopInRecoveryAsync(string node)
    {
        var (data, kept) = (Data(node), Data(node).Path + ".kept");
        data.ForgetDead();
        await RunAsync("cp", "-a", data.Path, kept);
        while (true)
        {
            var command = new ServerUser(null).Run(
                Path.Combine(pair[node].Binaries, "postgres"), "-D", data.Path, "-c", "fsync=on", "-c", "listen_addresses=", "-c", $"unix_socket_directories={data.Path}");
            using var server = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            server.BeginErrorReadLine();
            server.BeginOutputReadLine();
            int startup;
            while ((startup = Child(server.Id, "startup")) == 0 && !server.HasExited)
                await Task.Yield();
            Assert.NotEqual(0, startup);
            Posix.Signal(startup, Stop);
            Posix.Signal(server.Id, Posix.Interrupt);
            // It is told to end by then.
            await UntilAsync(() => Task.FromResult(server.HasExited || Child(server.Id, "background writer") == 0), node);
            Posix.Signal(startup, Continue);
            await server.WaitForExitAsync(Ct);
            if ((await RunAsync(Path.Combine(pair[node].Binaries, "pg_controldata"), data.Path)).Contains("shut down in recovery", StringComparison.Ordinal))
                return;
            // It was faster.
            Directory.Delete(data.Path, recursive: true);
            await RunAsync("cp", "-a", kept, data.Path);
        }
    }

    /// <summary>As a runbook does it: what is out of order for a moment is tried again. A lease that takes longer to write than it is valid, on a machine that is busy, is such a thing.</summary>
    public async Task<DatabaseNode> PromoteAsync(string primary, long epoch)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Database.PromoteAsync(primary, epoch, Ct);
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable && attempt < 20)
            {
                // Its next attempt looks what is done already.
            }
        }
    }

    /// <summary>Names a node primary of a new epoch, as a failover does.</summary>
    /// <param name="fenced">The old primary's guard says that it is stopped and fenced.</param>
    public async Task<long> ClaimAsync(string primary, bool fenced)
    {
        while (true)
        {
            var entry = await Witness.ReadAsync(Ct);
            try
            {
                return (await Witness.WriteAsync(entry!.Record.Claim(primary, "test", fenced), entry.Version, Ct)).Record.Epoch;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Moved)
            {
                // A renewal was faster.
            }
        }
    }

    /// <summary>Waits until a node is as wanted.</summary>
    public async Task<DatabaseNode> UntilAsync(string node, Func<DatabaseNode, bool> wanted, TimeSpan? patience = null)
    {
        DatabaseNode? last = null;
        await UntilAsync(async () => (last = await LookAsync(node)) is { } now && wanted(now), node, () => $"{last}", patience);
        return last!;
    }

    public string Log(string node) => string.Join('\n', File.ReadLines(Path.Combine(pair.Folder, $"{node}.log")).TakeLast(40));

    public async ValueTask DisposeAsync()
    {
        foreach (var guard in guards.Values)
        {
            // Not by its number: that of one that has ended may be somebody else's by now.
            guard.Kill();
            await guard.WaitForExitAsync();
            guard.Dispose();
        }

        foreach (var node in pair.Nodes)
            await KillServerAsync(node);

        foreach (var link in witnessLinks.Values.Concat(replicationLinks.Values))
            link.Dispose();
        Database.Dispose();
        connection.Dispose();
        await aws.DisposeAsync();
        if (Environment.GetEnvironmentVariable("PLATFORMOPS_TEST_KEEP") is null)
            Directory.Delete(pair.Folder, recursive: true);
    }

    /// <returns>0: there is none.</returns>
    private static int Child(int process, string title) => Read($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(child => int.Parse(child, CultureInfo.InvariantCulture)).FirstOrDefault(child => Read($"/proc/{child}/cmdline").Contains(title, StringComparison.Ordinal));

    /// <summary>Empty: the process is gone.</summary>
    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.Equal(0, process.ExitCode);
        return said;
    }

    private void Signal(string node, int signal)
    {
        if (Lives(node))
            Posix.Signal(guards[node].Id, signal);
    }

    private void SignalAll(string node, int signal)
    {
        Signal(node, signal);
        SignalServer(node, signal);
    }

    private void SignalServer(string node, int signal)
    {
        foreach (var process in Data(node).Processes())
            Posix.Signal(process, signal);
    }

    private async Task KillServerAsync(string node)
    {
        while (Data(node).Processes() is { Count: > 0 } left)
        {
            foreach (var process in left)
                Posix.Signal(process, Posix.Kill);
            await Task.Delay(5);
        }
    }

    private async Task BringUpAsync(bool synchronous)
    {
        var sql = Path.Combine(pair.Folder, "pair.sql");
        await File.WriteAllTextAsync(sql, Ledger.Schema, Ct);
        await InitAsync(First, "--sql", sql);
        // Processes are killed here, machines are not: nothing has to reach the disk.
        await File.AppendAllTextAsync(Path.Combine(pair[First].Data, "postgresql.conf"), "fsync = off\n", Ct);
        await InitAsync(Second, "--standby");
        await StartGuardAsync(First);
        await StartGuardAsync(Second);
        await UntilAsync(First, node => node.Writable, StartPatience);
        await UntilAsync(Second, node => node is { Role: NodeRole.Standby, Streaming: true }, StartPatience);
        await UntilAsync(First, node => node.Streaming == true);
        if (synchronous)
        {
            await Database.SetSynchronousAsync(First, synchronous: true, epoch: 1, Ct);
            await UntilAsync(First, node => node.Synchronous == true);
        }
    }

    private async Task InitAsync(string node, params string[] arguments)
    {
        using var cli = new Cli();
        var result = await cli.RunAsync(["guard", "init", "--config", pair.ConfigurationFile(node), .. arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private async Task UntilAsync(Func<Task<bool>> holds, string node, Func<string>? last = null, TimeSpan? patience = null)
    {
        var started = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(started.Elapsed < (patience ?? Patience), string.Create(CultureInfo.InvariantCulture, $"Waited for {started.Elapsed.TotalSeconds:0.0} s for {node}; last: {last?.Invoke()}\n{(guards.ContainsKey(node) ? Log(node) : "")}"));
            await Task.Delay(10, Ct);
        }
    }

    private static int Port(string address) => int.Parse(address.Split(':')[1], CultureInfo.InvariantCulture);
}
