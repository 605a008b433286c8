using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using PlatformOps.Activities;
using PlatformOps.Activities.Certificates;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Secrets;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Vault;
using PlatformOps.BootstrapServer;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Starter.Demos;

/// <summary>Everything that a rotation needs, on loopback: a real PostgreSQL server with logins, Vault, a cluster whose workloads use them and speak TLS, the bootstrap server, and a worker whose logs and metrics are kept.
/// All of it is gone afterwards.</summary>
internal sealed partial class RotationDemoWorld : IAsyncDisposable
{
    public const string Environment = "demo", Region = "us-east-1", Space = "shop";

    private readonly CancellationTokenSource stopping = new();
    private readonly KeptLog log = new();
    private readonly TraceRecorder traces = new();
    private readonly string folder = Directory.CreateTempSubdirectory("platformops-demo-").FullName;
    private readonly int metricsPort = LocalPorts.Take();
    private Task working = Task.CompletedTask;
    private SandboxVault vault = null!;
    private SandboxHost sandbox = null!;
    private BootstrapServerHost server = null!;
    private ProvisioningActivities provisioning = null!;
    private SecretActivities secrets = null!;
    private CertificateActivities certificates = null!;
    private VaultConnection root = null!;

    private RotationDemoWorld(IReadOnlyDictionary<string, IReadOnlyList<string>> logins) => Logins = logins;

    /// <summary>By login, the Deployments that use it.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Logins { get; }

    public LocalPostgres Postgres { get; private set; } = null!;

    public TemporalClient Client { get; private set; } = null!;

    public KubernetesConnection Cluster { get; private set; } = null!;

    public string ServerAddress => server.Address;

    /// <summary>Whose traces were heard, by the names of sources.</summary>
    public IReadOnlyCollection<string> TraceSources => traces.Sources;

    /// <summary>What the worker and the server logged.</summary>
    public string Log => log.Text;

    private string Database => Path.Combine(folder, "bootstrap.db");

    /// <param name="logins">By login, the Deployments that use it; each has <paramref name="replicas"/> pods.</param>
    /// <param name="certificates">Whether there are Deployments that speak TLS.</param>
    public static async Task<RotationDemoWorld> StartAsync(IReadOnlyDictionary<string, IReadOnlyList<string>> logins, int replicas, double timeScale, bool certificates, CancellationToken ct)
    {
        var world = new RotationDemoWorld(logins);
        try
        {
            world.Postgres = await LocalPostgres.StartAsync(Path.Combine(world.folder, "postgresql"), ct);
            world.vault = await SandboxVault.StartAsync(new(), ct);
            world.root = VaultConnection.Open(new("demo", world.vault.Address), new GivenToken(new(world.vault.RootToken)));
            await new VaultSystem(world.root).MountAsync("secret", "kv", ct, options: new Dictionary<string, string> { ["version"] = "2" });
            await world.StartAuthorityAsync(ct);
            // Addresses of this machine, where pods can speak TLS; another demo at the same time has others.
            world.sandbox = await SandboxHost.StartAsync(new() { Regions = [Region], TimeScale = timeScale, PodNetwork = string.Create(CultureInfo.InvariantCulture, $"127.{Random.Shared.Next(100, 250)}") }, ct);
            world.server = await BootstrapServerHost.StartAsync(new() { DatabaseFile = world.Database, SearchAttributes = BootstrapServers.SearchAttributes, LoggerFactory = world.log }, ct);
            await world.StartWorkerAsync(replicas, certificates, ct);
            await world.ProvisionAsync(ct);
            if (certificates)
                await world.IssueAsync(ct);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the Kubernetes Secret of a login holds.</summary>
    public async Task<(string Login, string Password)> PublishedAsync(string login, CancellationToken ct)
    {
        var values = await new SecretReader(Cluster).FindAsync(Space, $"{login}-credentials", ct) ?? throw new InvalidOperationException($"There is no Secret of {login}.");
        return (values["username"].Reveal(), values["password"].Reveal());
    }

    /// <summary>The pods of every Deployment, by its name.</summary>
    public async Task<ILookup<string, string>> PodsAsync(CancellationToken ct) =>
        (await new LiveObjects(Cluster).ListAsync(new("v1", "Pod"), Space, "app.kubernetes.io/name", ct)).Where(pod => pod.Manifest["metadata"]?["deletionTimestamp"] is null)
            .ToLookup(pod => (string)pod.Manifest["metadata"]!["labels"]!["app.kubernetes.io/name"]!, pod => pod.Address.Name);

    /// <summary>Looks everywhere that a value of a secret must not be, except for the console.</summary>
    /// <returns>How many runs there are.</returns>
    public async Task<int> ScanAsync(CanaryScan scan, CancellationToken ct)
    {
        var runs = await scan.LookAtRunsAsync(Client, ct);
        // The database and its write-ahead log; its lock is held, and has nothing.
        foreach (var file in (string[])[Database, $"{Database}-wal"])
            await scan.LookAtFileAsync("the server's database", file, ct);
        await scan.LookAtFileAsync("PostgreSQL's log", Postgres.LogFile, ct);
        scan.Look("logs", Log);
        scan.Look("traces", traces.Text);
        using var http = new HttpClient();
        scan.Look("metrics", await http.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{metricsPort}/metrics")), ct));
        return runs;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Pods is not null)
            await Pods.DisposeAsync();
        await stopping.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        secrets?.Dispose();
        certificates?.Dispose();
        if (provisioning is not null)
            await provisioning.DisposeAsync();
        Cluster?.Dispose();
        root?.Dispose();
        if (server is not null)
            await server.DisposeAsync();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        if (vault is not null)
            await vault.DisposeAsync();
        if (Postgres is not null)
            await Postgres.DisposeAsync();
        log.Dispose();
        traces.Dispose();
        stopping.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartWorkerAsync(int replicas, bool speaksTls, CancellationToken ct)
    {
        var (kubeconfig, token) = (Path.Combine(folder, "kubeconfig"), Path.Combine(folder, "token"));
        await File.WriteAllTextAsync(kubeconfig, sandbox.Regions[Region].Kubeconfig, ct);
        await File.WriteAllTextAsync(token, vault.RootToken, ct);
        RotationDemoCatalog.Write(folder, Logins, replicas, speaksTls, sandbox.Regions[Region].Context);
        var connections = new PlatformConnections
        {
            Regions = new Dictionary<string, RegionConnection>
            {
                [Region] = new()
                {
                    Kubeconfig = kubeconfig,
                    Context = sandbox.Regions[Region].Context,
                    TemporalAddress = "127.0.0.1:1",
                    Vault = new(vault.Address.GetLeftPart(UriPartial.Authority), TokenFile: token),
                    Postgresql = new(Postgres.Address, LocalPostgres.Owner, Postgres.PasswordFile),
                    Aws = new(Endpoint: "http://127.0.0.1:1"),
                },
            },
        };
        Cluster = KubernetesConnection.Open(connections, Region, sandbox.Regions[Region].Context);
        var sources = new ProvisioningSources(Path.Combine(folder, "specification"), Path.Combine(folder, "catalog"));
        (provisioning, secrets, certificates) = (new(sources, connections), new(sources, connections), new(sources, connections));
        Client = await TemporalClient.ConnectAsync(new(server.Address)
        {
            DataConverter = PlatformOpsDataConverter.Instance,
            LoggerFactory = log,
            Runtime = new(new() { Telemetry = new() { Metrics = new() { Prometheus = new(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{metricsPort}")) } } }),
        });
        var options = WorkerRegistration.CreateWorkerOptions(provisioning, secrets: secrets, certificates: certificates);
        options.LoggerFactory = log;
        working = Task.Run(async () =>
        {
            using var worker = new TemporalWorker(Client, options);
            await worker.ExecuteAsync(stopping.Token);
        }, ct);
    }

    /// <summary>The platform itself, and a login of PostgreSQL for each Secret that it made.</summary>
    private async Task ProvisionAsync(CancellationToken ct)
    {
        var run = await Client.StartWorkflowAsync(nameof(ProvisionEnvironment), [new ProvisionEnvironmentInput { Environment = Environment, Components = ["ground", "vault", "app"] }], new(ProvisionEnvironment.WorkflowId(Environment), TaskQueues.Default));
        var ended = run.GetResultAsync(followRuns: true, new() { CancellationToken = ct });
        await FailoverWorld.UntilAsync("the Secrets are there", async () =>
        {
            if (ended.IsFaulted)
                await ended;
            foreach (var login in Logins.Keys)
            {
                if (await new SecretReader(Cluster).FindAsync(Space, $"{login}-credentials", ct) is null)
                    return false;
            }

            return true;
        }, ct, TimeSpan.FromMinutes(3));
        // It logs every statement: what whoever sets it up says must not have the value either.
        using var postgres = PostgresServer.Open(new(Postgres.Address, LocalPostgres.Owner, Postgres.PasswordFile), Postgres.Address, tls: false, "demo", secret: null);
        foreach (var login in Logins.Keys)
            await new PostgresLogins(postgres).SetAsync(login, new((await PublishedAsync(login, ct)).Password), login, ct);

        await ended;
    }

    /// <summary>Keeps everything that is logged, down to the last detail.</summary>
    private sealed class KeptLog : ILoggerFactory, ILogger
    {
        private readonly ConcurrentQueue<string> lines = new();

        public string Text => string.Join('\n', lines);

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() => lines.Clear();
    }
}
