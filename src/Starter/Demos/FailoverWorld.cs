using System.Globalization;
using PlatformOps.Activities;
using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Alerts;
using PlatformOps.Platform.Failover;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Aws;
using PlatformOps.Starter.Alerts;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Failover;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Starter.Demos;

/// <summary>Everything that a failover needs, on loopback: two real PostgreSQL servers behind guards, the witness in an S3 stand-in, the bootstrap server, workers in both
/// regions, and the alert receiver. All of it is gone afterwards.</summary>
internal sealed class FailoverWorld : IAsyncDisposable
{
    public const string Environment = "production", Token = "the-token-of-the-demo";

    private const string Bucket = "witness", Secret = "not-a-secret";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>A clone writes everything to the disk, which may be busy.</summary>
    private static readonly TimeSpan ClonePatience = TimeSpan.FromMinutes(5);

    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> workers = [];
    private readonly ServerLog log;
    private readonly HttpClient outside = new();
    private AwsStandIn aws = null!;
    private SandboxHost sandbox = null!;
    private BootstrapServerHost server = null!;
    private FailoverActivities activities = null!;
    private AlertReceiver receiver = null!;
    private BackupPlace? backups;
    private BackupActivities? backupActivities;
    private ProvisioningActivities? provisioning;

    private FailoverWorld(string folder, bool verbose) => (Folder, log) = (folder, new(verbose));

    public string Folder { get; }

    public LocalPair Pair { get; private set; } = null!;

    public GuardProcesses Guards { get; private set; } = null!;

    public GuardedPostgres Database { get; private set; } = null!;

    public TemporalClient Client { get; private set; } = null!;

    public string ServerAddress => server.Address;

    public Uri Receiver => new(receiver.Address);

    public string Primary { get; private set; } = "";

    public string Standby { get; private set; } = "";

    /// <summary>Where clients reach the nodes.</summary>
    public IReadOnlyList<string> ClientAddresses => [Pair[Primary].Clients.Listen, Pair[Standby].Clients.Listen];

    public WorkflowHandle Run => Client.GetWorkflowHandle(RegionFailover.WorkflowId(Environment));

    /// <param name="regions">The primary first.</param>
    /// <param name="synchronous">Whether commits wait for the standby.</param>
    /// <param name="say">Gets a line for each part that has started.</param>
    /// <param name="backedUp">Whether the guards make backups, into a bucket that workers know. Leases are long then: it is not about failing over, and copying keeps a machine busy.</param>
    public static async Task<FailoverWorld> StartAsync(
        (string First, string Second) regions, ProvisioningSources sources, bool synchronous, bool verbose, Action<string> say, CancellationToken ct, bool backedUp = false)
    {
        if (LocalPair.Binaries is null)
            throw new CommandFailure(ExitCode.Failure, "PostgreSQL is not installed here.", "The demo runs two real servers.", "Debian: apt-get install postgresql");
        var world = new FailoverWorld(Directory.CreateTempSubdirectory("platformops-demo-").FullName, verbose);
        try
        {
            (world.Primary, world.Standby) = regions;
            await world.StartDatabaseAsync(synchronous, backedUp, ct);
            say($"PostgreSQL: {world.Primary} is primary, {world.Standby} follows {(synchronous ? "synchronously" : "asynchronously")}; clients reach both through their guards only.");
            await world.StartServerAsync(sources, synchronous, ct);
            say($"Bootstrap server: {world.ServerAddress}; workers stand in both regions; alerts are received at {world.Receiver}.");
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a node says of itself; null: it does not answer.</summary>
    public async Task<DatabaseNode?> LookAsync(string node, CancellationToken ct)
    {
        try
        {
            return await Database.ObserveAsync(node, ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    /// <summary>Waits for something, or fails with what it was.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> holds, CancellationToken ct, TimeSpan? patience = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(started) > (patience ?? Patience))
                throw new CommandFailure(ExitCode.Failure, "The demo does not go on.", string.Create(CultureInfo.InvariantCulture, $"Waited for {(patience ?? Patience).TotalSeconds:0} s: {what}."), "Run it again with --verbose and report what it prints.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(workers.Select(worker => worker.ContinueWith(_ => { }, TaskScheduler.Default)));
        activities?.Dispose();
        backupActivities?.Dispose();
        if (provisioning is not null)
            await provisioning.DisposeAsync();
        if (receiver is not null)
            await receiver.DisposeAsync();
        if (server is not null)
            await server.DisposeAsync();
        if (Guards is not null)
            await Guards.DisposeAsync();
        Database?.Dispose();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        if (backups is not null)
            await backups.DisposeAsync();
        if (aws is not null)
            await aws.DisposeAsync();
        outside.Dispose();
        stopping.Dispose();
        log.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task StartDatabaseAsync(bool synchronous, bool backedUp, CancellationToken ct)
    {
        aws = await AwsStandIn.StartAsync(new(), ct);
        var credentials = Path.Combine(Folder, "credentials");
        await File.WriteAllTextAsync(credentials, $"[default]\naws_access_key_id = {aws.AccessKeyId}\naws_secret_access_key = {Secret}\n", ct);
        using (var connection = new AwsConnection(new() { Region = "eu-central-1", Endpoint = aws.Address, Keys = new(aws.AccessKeyId, Secret), CallTimeout = TimeSpan.FromSeconds(5) }))
            await new Buckets(connection).EnsureAsync(new() { Name = Bucket }, new("demo", Environment, Bucket), "demo", ct);
        Pair = LocalPair.Make(Folder, Environment, Primary, Standby, new(S3: new(Bucket, Environment, "eu-central-1", aws.Address.AbsoluteUri, credentials)), TimeProvider.System, node => backedUp ? node with { Lease = new(DurationMs: 10_000, RenewMs: 500), Backup = (backups ??= new(Folder, aws.Address, aws.AccessKeyId, Secret)).Of(node) } : node);
        if (backups is not null)
            await backups.PrepareAsync(ct);
        Guards = new(Pair);
        Database = new(Pair.Access);
        var sql = Path.Combine(Folder, "demo.sql");
        await File.WriteAllTextAsync(sql, Clients.Schema, ct);
        await Guards.InitAsync(Primary, ["--sql", sql], ct);
        await Guards.InitAsync(Standby, ["--standby"], ct);
        Guards.Start(Primary);
        Guards.Start(Standby);
        await UntilAsync($"{Standby} follows {Primary}", async () => await LookAsync(Primary, ct) is { Writable: true, Streaming: true } && await LookAsync(Standby, ct) is { Role: NodeRole.Standby, Streaming: true }, ct, ClonePatience);
        if (synchronous)
        {
            await Database.SetSynchronousAsync(Primary, synchronous: true, epoch: 1, ct);
            await UntilAsync("commits wait for the standby", async () => await LookAsync(Primary, ct) is { Synchronous: true }, ct);
        }
    }

    private async Task StartServerAsync(ProvisioningSources sources, bool synchronous, CancellationToken ct)
    {
        server = await BootstrapServerHost.StartAsync(new() { DatabaseFile = Path.Combine(Folder, "bootstrap.db"), SearchAttributes = BootstrapServers.SearchAttributes, LoggerFactory = log }, ct);
        Client = await TemporalTarget.Of(server.Address, "the demo").ConnectAsync(ct);
        var password = Path.Combine(Folder, "app-password");
        await File.WriteAllTextAsync(password, "app", ct);
        sandbox = await SandboxHost.StartAsync(new() { Regions = [.. Pair.Nodes] }, ct);
        var connections = new PlatformConnections
        {
            Regions = Pair.Nodes.ToDictionary(node => node, Connect),
            Failover = new Dictionary<string, FailoverAccess>
            {
                [Environment] = new()
                {
                    Nodes = Pair.Nodes.ToDictionary(node => node, node => new FailoverNodeAccess($"https://{Pair[node].Api.Listen}", Pair[node].Clients.Listen)),
                    GuardTls = new(Pair.Certificates.Authority, Pair.Certificates.Certificate(LocalPair.Operator), Pair.Certificates.Key(LocalPair.Operator)),
                    Login = new(User: "app", PasswordFile: password, Database: "postgres"),
                    ClientTls = false,
                    Synchronous = synchronous,
                    Service = new("default", "postgresql"),
                    Witness = new(Bucket, Environment, new("eu-central-1", aws.Address.AbsoluteUri, Path.Combine(Folder, "credentials"))),
                },
            },
            Backups = backups?.Access(Environment) ?? new Dictionary<string, BackupAccess>(),
        };
        if (backups is not null)
        {
            (provisioning, backupActivities) = (new(sources, connections), new(sources, connections));
            Work(WorkerRegistration.CreateWorkerOptions(provisioning, backups: backupActivities));
        }

        activities = new(sources, connections, FailoverPairs.Opener(connections));
        Work(WorkerRegistration.CreateFailoverWorkerOptions(activities));
        foreach (var region in Pair.Nodes)
            Work(WorkerRegistration.CreateRegionWorkerOptions(activities, TaskQueues.Of(region)));
        await File.WriteAllTextAsync(Path.Combine(Folder, "token"), Token, ct);
        receiver = await AlertReceiver.StartAsync(Alerts(), Folder, new(Client), outside, log, TimeProvider.System, ct);
        await Client.StartWorkflowAsync(
            nameof(RegionFailover), [new RegionFailoverRequest { Environment = Environment }], new(RegionFailover.WorkflowId(Environment), TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout, Rpc = new() { CancellationToken = ct } });
        await UntilAsync("both observers and the witness say that the primary serves", async () =>
            (await Run.QueryAsync<FailoverView>("failover", [])).Votes is { Count: 3 } votes && votes.All(vote => vote.Verdict == Verdict.Up), ct);
    }

    /// <summary>A cluster for each region, whose Service leads to the primary. What the demo does not have must not be looked for elsewhere.</summary>
    private RegionConnection Connect(string region)
    {
        var kubeconfig = Path.Combine(Folder, $"{region}.kubeconfig");
        File.WriteAllText(kubeconfig, sandbox.Regions[region].Kubeconfig);
        return new() { Vault = backups?.Vault, Kubeconfig = kubeconfig, Context = sandbox.Regions[region].Context, TemporalAddress = "127.0.0.1:1", Aws = new(Endpoint: "http://127.0.0.1:1") };
    }

    private void Work(TemporalWorkerOptions options) => workers.Add(Task.Run(async () =>
    {
        using var worker = new TemporalWorker(Client, options);
        await worker.ExecuteAsync(stopping.Token);
    }));

    private static AlertConfiguration Alerts() => new()
    {
        Listen = "127.0.0.1:0",
        Alertmanager = new("token", null),
        BodyBytes = 1024 * 1024,
        RequestsPerSecond = 50,
        RepeatAfter = TimeSpan.FromMinutes(1),
        Environments = [Environment],
        Routes = [new("database", [AlertMatcher.Parse("runbook=\"failover\"", out _)!], null, "environment", nameof(RegionFailover))],
    };
}
