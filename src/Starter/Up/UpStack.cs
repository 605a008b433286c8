using System.Diagnostics;
using System.Security.Cryptography;
using PlatformOps.Activities.Backups;
using PlatformOps.Activities.Certificates;
using PlatformOps.Activities.Failover;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Scaling;
using PlatformOps.Activities.Secrets;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.BootstrapServer;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Secrets;
using PlatformOps.Platform.Specification;
using PlatformOps.Sandbox;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Connection;
using PlatformOps.Starter.Specifications;
using PlatformOps.Workflows;
using Temporalio.Client;

namespace PlatformOps.Starter.Up;

/// <summary>Everything that <c>up</c> runs in one process: the bootstrap server, the sandbox with the platform's own Temporal, and the worker.</summary>
internal sealed class UpStack : IAsyncDisposable
{
    /// <summary>Where the catalog has the platform's own Temporal frontend.</summary>
    private const string TemporalNamespace = "temporal-backend", TemporalService = "temporal-frontend";

    /// <summary>Where the catalog has Vault.</summary>
    private const string VaultComponent = "vault", VaultNamespace = "security", VaultService = "vault";

    /// <summary>Where the catalog has Elasticsearch, and what it writes its snapshots with.</summary>
    private const string SearchNamespace = "temporal-backend", SearchWorkload = "StatefulSet/elasticsearch", SnapshotSecret = "elasticsearch-snapshots";

    private readonly ServerLog log;
    private readonly Dictionary<string, PlatformTemporal> temporals = [];
    private readonly Dictionary<string, SandboxVault> vaults = [];
    private readonly CancellationTokenSource stopping = new();
    private Dictionary<string, List<RotationDefinition>> rotations = [];
    private BootstrapServerHost? server;
    private SandboxHost? sandbox;
    private DataDirectory? directory;
    private ExternalWorld? external;
    private AwsWorld? aws;
    private ProvisioningActivities? activities;
    private SecretActivities? secrets;
    private BackupActivities? backups;
    private CertificateActivities? certificates;
    private ScalingActivities? scaling;
    private FailoverActivities? failovers;
    private Task worker = Task.CompletedTask;

    private UpStack(bool verbose) => log = new ServerLog(verbose);

    /// <summary>A client of the bootstrap server.</summary>
    public TemporalClient Client { get; private set; } = null!;

    /// <summary>Of the bootstrap server, <c>host:port</c>.</summary>
    public string Address => server!.Address;

    public IEnumerable<SandboxRegion> Regions => sandbox!.Regions.Values;

    /// <summary>By region: where the platform's own Temporal answers, <c>host:port</c>, whatever the cluster has before it.</summary>
    public IReadOnlyDictionary<string, string> Temporals => temporals.ToDictionary(entry => entry.Key, entry => entry.Value.Address);

    /// <summary>Calls on the wire that may have changed the platform, in all regions, since the start.</summary>
    public long MutatingCalls => Regions.Sum(region => region.MutatingCalls) + temporals.Values.Sum(temporal => temporal.MutatingCalls) + (aws?.MutatingCalls ?? 0);

    /// <summary>Calls of the Kubernetes APIs that change nothing, in all regions, since the start.</summary>
    public long ReadCalls => Regions.Sum(region => region.ReadCalls);

    /// <summary>Whether a managed database of the sandbox would let its master user in with a password.</summary>
    public bool AcceptsDatabaseLogin(string region, string identifier, string user, string password) => aws?.AcceptsLogin(region, identifier, user, password) == true;

    /// <summary>Makes calls to the platform go wrong from now on, in every stand-in; those to the platform's own Temporal do not pass one.</summary>
    public void Inject(Fault fault)
    {
        foreach (var region in Regions)
            region.Inject(fault);
        foreach (var vault in vaults.Values)
            vault.Inject(fault);
        external?.Inject(fault);
        aws?.Inject(fault);
    }

    /// <summary>Ends, or fails, when the worker does; never without a worker.</summary>
    public Task Worker => worker;

    /// <summary>Where the platform's own Temporal frontend of a region answers, once its Service has ready endpoints.</summary>
    public static string FrontendOf(SandboxRegion region) => region.ServiceAddress(TemporalNamespace, TemporalService);

    /// <summary>Starts all of it, in the order in which one needs the other, and makes it known in the data directory.</summary>
    /// <exception cref="CommandFailure">The port is taken.</exception>
    public static async Task<UpStack> StartAsync(
        UpOptions options, PlatformSpecification platform, DataDirectory data, Locations locations, bool verbose, CancellationToken ct)
    {
        var stack = new UpStack(verbose);
        try
        {
            await stack.StartServerAsync(options, data, ct);
            var own = platform.Environments.Single(environment => environment.Name == options.Environment);
            if (own.Components.Any(component => component.Name == VaultComponent && component.Enabled))
                await stack.StartVaultsAsync(RegionsOf([own]), data.World(options.Environment), ct);
            var catalog = Validation.Of(locations).Catalog!;
            stack.directory = data;
            stack.rotations = own.Regions.ToDictionary(
                region => region.Name, region => own.Components.Where(component => component.Enabled).SelectMany(component => ManifestRenderer.Rotations(own, catalog.Find(component.Name)!, region.Name)).ToList());
            stack.external = await ExternalWorld.StartAsync(own, catalog, options.Seed, Path.Combine(data.World(options.Environment), "cloudflare.json"), stack.FirstPasswordAsync, stack.BucketRefusalAsync, ct);
            stack.aws = await AwsWorld.StartAsync(own, catalog, options, Path.Combine(data.World(options.Environment), "aws.db"), ct);
            await stack.StartSandboxAsync(options, RegionsOf([own]), data, verbose, ct);
            var connections = stack.Connect(options.Environment, data, RegionsOf(platform.Environments));
            if (options.Worker)
                stack.StartWorker(locations, connections);
            else
                stack.worker = Task.Delay(Timeout.Infinite, stack.stopping.Token);
            using var self = Process.GetCurrentProcess();
            new RunningInstance(
                self.Id, self.StartTime.ToUniversalTime(), stack.Address, TaskQueues.Default, options.Environment,
                locations.Specification, locations.Catalog).Announce(data.Path);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops all of it, what uses first and what is used last.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        try
        {
            await worker;
        }
        catch (OperationCanceledException)
        {
            // That is how it stops.
        }

        if (activities is not null)
            await activities.DisposeAsync();
        secrets?.Dispose();
        backups?.Dispose();
        certificates?.Dispose();
        scaling?.Dispose();
        failovers?.Dispose();
        if (sandbox is not null)
            await sandbox.DisposeAsync();
        if (external is not null)
            await external.DisposeAsync();
        if (aws is not null)
            await aws.DisposeAsync();
        foreach (var temporal in temporals.Values)
            await temporal.DisposeAsync();
        foreach (var vault in vaults.Values)
            await vault.DisposeAsync();
        if (server is not null)
            await server.DisposeAsync();
        log.Dispose();
        stopping.Dispose();
    }

    private async Task StartServerAsync(UpOptions options, DataDirectory data, CancellationToken ct)
    {
        var wanted = new BootstrapServerOptions
        {
            Port = options.Port,
            DatabaseFile = data.Runs(options.Environment),
            LoggerFactory = log,
            SearchAttributes = BootstrapServers.SearchAttributes,
        };
        server = await BootstrapServers.StartAsync(wanted, ct, options.PortIsWish);
        Client = await TemporalTarget.Of(Address, "this process").ConnectAsync(ct);
    }

    /// <summary>They are unsealed from the start: nobody keeps keys for an evaluation. Each has the key/value engine that secrets are rotated through.</summary>
    private async Task StartVaultsAsync(IReadOnlyList<string> regions, string world, CancellationToken ct)
    {
        Directory.CreateDirectory(world);
        foreach (var region in regions)
        {
            var vault = vaults[region] = await SandboxVault.StartAsync(new() { DataFile = Path.Combine(world, $"{region}.vault.db") }, ct);
            using var connection = VaultConnection.Open(new("up", vault.Address), new GivenToken(new(vault.RootToken)));
            var system = new VaultSystem(connection);
            if (!(await system.MountsAsync(ct)).Keys.Any(path => path.TrimEnd('/') == "secret"))
                await system.MountAsync("secret", "kv", ct, options: new Dictionary<string, string> { ["version"] = "2" });
            await SetUpAuthorityAsync(system, new(connection), ct);
        }
    }

    /// <summary>As whoever sets a platform up does.</summary>
    private static async Task SetUpAuthorityAsync(VaultSystem system, VaultPki pki, CancellationToken ct)
    {
        if ((await system.MountsAsync(ct)).Keys.Any(path => path.TrimEnd('/') == "pki"))
            return;
        await system.MountAsync("pki", "pki", ct, longestTtl: TimeSpan.FromDays(3650));
        await pki.GenerateRootAsync("Platform root", "first", TimeSpan.FromDays(3650), ct);
        await pki.SetDefaultIssuerAsync("first", ct);
        await pki.WriteRoleAsync("platform", new([]) { MaxTtl = TimeSpan.FromDays(90) }, ct);
    }

    /// <summary>What the Secret of a login holds that a rotation replaces: whoever installs a system gives it that one.</summary>
    /// <returns>Null: there is none.</returns>
    private async Task<string?> FirstPasswordAsync(ILookup<string, RotationDefinition> logins, string region, string service, string user, CancellationToken ct)
    {
        if (Cluster(region) is not { } connection)
            return null;
        using var opened = connection;
        foreach (var rotation in logins[service])
        {
            var values = await new SecretReader(connection).FindAsync(rotation.Namespace, rotation.Secret, ct);
            // Of two that take turns both are there, whoever's turn it is.
            if (rotation.UsernameKey is { } key && values?.GetValueOrDefault(key)?.Reveal() is { } held && AlternatingLogins.First(held) == AlternatingLogins.First(user))
                return values.GetValueOrDefault(rotation.PasswordKey)?.Reveal();
        }

        return null;
    }

    /// <summary>Nodes have in their keystores what the files of the Secret say, when their pods have it as files.</summary>
    /// <returns>Null: S3 accepts it.</returns>
    private async Task<string?> BucketRefusalAsync(string region, CancellationToken ct)
    {
        if (Cluster(region) is not { } connection)
            return "Unable to execute HTTP request: the region does not run";
        using var opened = connection;
        var mounted = (await new SecretConsumers(connection).UsesAsync(SearchNamespace, ct)).Any(use => use.Workload == $"{SearchNamespace}/{SearchWorkload}" && use.Secrets.Contains($"{SearchNamespace}/{SnapshotSecret}"));
        var values = mounted ? await new SecretReader(connection).FindAsync(SearchNamespace, SnapshotSecret, ct) : null;
        if (values is null)
            return "Unable to load AWS credentials from any provider in the chain";
        return values.GetValueOrDefault("accessKeyId") is { } id && aws?.AcceptsKey(id.Reveal()) == true ? null
            : "The AWS Access Key Id you provided does not exist in our records. (Service: Amazon S3; Status Code: 403; Error Code: InvalidAccessKeyId)";
    }

    /// <summary>Null: it does not run.</summary>
    private KubernetesConnection? Cluster(string region) => sandbox?.Regions.GetValueOrDefault(region) is not { } cluster ? null : KubernetesConnection.Open(
        new() { Regions = new Dictionary<string, RegionConnection> { [region] = new() { Kubeconfig = directory!.Kubeconfig(region) } } }, region, cluster.Context);

    /// <summary>For External Secrets, whatever address its stores state: a region has one Vault. What nobody wrote there yet is made, as whoever sets a platform up would.</summary>
    private async Task<IReadOnlyDictionary<string, string>?> ReadVaultAsync(string region, string address, string mount, string path, IReadOnlyList<string> properties, CancellationToken ct)
    {
        if (!vaults.TryGetValue(region, out var vault))
            return null;
        using var connection = VaultConnection.Open(new("external-secrets", vault.Address), new GivenToken(new(vault.RootToken)));
        var store = new VaultKeyValues(connection, mount);
        var there = await store.ReadAsync(path, ct);
        var values = there?.Values?.ToDictionary() ?? [];
        var missing = properties.Where(property => !values.ContainsKey(property)).ToList();
        // An id and a value belong together, whichever is asked for first.
        if (missing.Exists(property => property is "username" or "password") && !values.ContainsKey("password") && rotations.GetValueOrDefault(region)?.Find(known => known.Path == path) is { } rotation && await IssuedFirstAsync(rotation, connection, ct) is var (id, value))
            (values["username"], values["password"]) = (new(id), new(value));
        foreach (var property in missing.Where(property => !values.ContainsKey(property)))
            values[property] = new(RandomNumberGenerator.GetHexString(32, lowercase: true));
        if (missing.Count > 0)
            await store.WriteAsync(path, values, there?.Version ?? 0, ct);
        return values.ToDictionary(value => value.Key, value => value.Value.Reveal());
    }

    /// <summary>For Argo CD, whose repositories are GitLab's and Artifactory's. A credential of a run before this one nobody here knows: it is let in.</summary>
    private string? OpenRepository(string url, string user, string password) =>
        external is { } services && Array.Exists(["gitlab", "artifactory"], service => url.Contains(service, StringComparison.Ordinal) && services.HasEnded(service, password)) ? "401 Unauthorized" : null;

    /// <summary>The first credential that a system issues, as people have it made who set a platform up.</summary>
    /// <returns>Null: it is of no such system.</returns>
    private async Task<(string Id, string Value)?> IssuedFirstAsync(RotationDefinition rotation, VaultConnection vault, CancellationToken ct)
    {
        switch (rotation.Target)
        {
            case ServiceTarget service when rotation.Kind == RotationKind.ServiceToken:
                return external?.Issue(service.Service, rotation.Name);
            case IamTarget iam:
                return aws?.GiveKey(iam.User);
            case AppRoleTarget role:
                var system = new VaultSystem(vault);
                if (!(await system.LoginMethodsAsync(ct)).Keys.Any(path => path.TrimEnd('/') == role.Mount))
                    await system.EnableLoginMethodAsync(role.Mount, "approle", ct);
                var roles = new VaultAppRoles(vault, role.Mount);
                await roles.WriteAsync(role.Role, new(["default"], TimeSpan.FromHours(1), TimeSpan.FromHours(1)), TimeSpan.Zero, ct);
                var made = await roles.NewSecretIdAsync(role.Role, ct);
                return (made.Accessor, made.Value.Reveal());
            default:
                return null;
        }
    }

    private async Task StartSandboxAsync(UpOptions options, IReadOnlyList<string> regions, DataDirectory data, bool verbose, CancellationToken ct)
    {
        var world = data.World(options.Environment);
        foreach (var region in regions)
            temporals[region] = await PlatformTemporal.StartAsync(world, region, verbose, ct);
        sandbox = await SandboxHost.StartAsync(
            new SandboxOptions
            {
                DataFolder = world,
                Regions = regions,
                Seed = options.Seed,
                TimeScale = options.TimeScale,
                // Addresses of this machine: pods that speak TLS can be asked what they serve.
                PodNetwork = "127.64",
                ReadVault = ReadVaultAsync,
                OpenRepository = OpenRepository,
                Services =
                [
                    .. external?.Behind(regions) ?? [],
                    .. temporals.Select(entry => new SandboxService(entry.Key, TemporalNamespace, TemporalService, entry.Value.Address)),
                    .. vaults.Select(entry => new SandboxService(entry.Key, VaultNamespace, VaultService, entry.Value.Address.Authority)),
                ],
            },
            ct);
    }

    /// <summary>Writes down how the regions are reached, for the worker here and any other. Regions that do not run lead nowhere: what is
    /// not stated would be looked for in the kubeconfig of whoever started this, and that may be a real cluster.</summary>
    private PlatformConnections Connect(string environment, DataDirectory data, IReadOnlyList<string> allRegions)
    {
        data.ForgetKubeconfigs();
        foreach (var region in Regions)
            DataDirectory.WriteSecret(data.Kubeconfig(region.Name), region.Kubeconfig);
        foreach (var (region, vault) in vaults)
            DataDirectory.WriteSecret(data.VaultToken(region), vault.RootToken);
        var cloud = aws?.Connect(data) ?? new(Endpoint: "http://127.0.0.1:1");
        var connections = new PlatformConnections
        {
            Regions = allRegions.ToDictionary(name => name, name => new RegionConnection
            {
                Kubeconfig = data.Kubeconfig(name),
                Context = sandbox!.Regions.GetValueOrDefault(name)?.Context,
                External = new Dictionary<string, ExternalAccess>(external?.Connect(data, sandbox!.Regions.GetValueOrDefault(name)) ?? new Dictionary<string, ExternalAccess>())
                {
                    // Names of an evaluation are nobody's, or somebody else's.
                    ["edge"] = new("http://127.0.0.1:1"),
                },
                Postgresql = new(Played: true),
                Aws = cloud,
                TemporalAddress = sandbox.Regions.TryGetValue(name, out var region) ? FrontendOf(region) : "127.0.0.1:1",
                Vault = vaults.ContainsKey(name)
                    ? new($"http://{sandbox.Regions[name].ServiceAddress(VaultNamespace, VaultService)}", TokenFile: data.VaultToken(name))
                    : new("http://127.0.0.1:1"),
            }),
            Backups = Backups(environment, data, cloud),
        };
        connections.Save(data.Connections);
        return connections;
    }

    /// <summary>Backups go into the bucket that the environment declares.</summary>
    private Dictionary<string, BackupAccess> Backups(string environment, DataDirectory data, AwsSettings cloud)
    {
        if (aws?.Bucket is not { } bucket)
            return [];
        // Without it the sets of earlier starts could not be read.
        if (!File.Exists(data.BackupKey))
            DataDirectory.WriteSecret(data.BackupKey, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        return new()
        {
            [environment] = new()
            {
                Bucket = bucket.Name,
                Aws = cloud with { Region = bucket.Region },
                Copy = aws.Copy is { } copy ? new(copy.Name, cloud with { Region = copy.Region }) : null,
                Locked = true,
                KeyFiles = [data.BackupKey],
            },
        };
    }

    private static IReadOnlyList<string> RegionsOf(IEnumerable<EnvironmentSpecification> environments) =>
        [.. environments.SelectMany(environment => environment.Regions).Select(region => region.Name).Distinct()];

    private void StartWorker(Locations locations, PlatformConnections connections)
    {
        var sources = new ProvisioningSources(locations.Specification, locations.Catalog);
        activities = new ProvisioningActivities(sources, connections);
        secrets = new SecretActivities(sources, connections);
        backups = new BackupActivities(sources, connections);
        certificates = new CertificateActivities(sources, connections);
        scaling = new ScalingActivities(sources, connections);
        failovers = new FailoverActivities(sources, connections, FailoverPairs.Opener(connections));
        // What is in flight when it ends is retried by the next start: nobody has to wait for it.
        worker = RunbookWorker.RunAsync(Client, activities, secrets, certificates, backups, scaling, failovers, TaskQueues.Default, connections.Failover.Values.SelectMany(database => database.Nodes.Keys).Distinct(), drills: false, TimeSpan.Zero, stopping.Token);
    }
}
