using PlatformOps.Activities;
using PlatformOps.Activities.Secrets;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Vault;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Secrets;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>An environment with a credential of a system, Vault, two Deployments that use it, and a worker that rotates it.</summary>
internal sealed class RotationWorld : IAsyncDisposable
{
    public const string Region = TestPlatform.Region, Rotation = "shop";

    private readonly CancellationTokenSource stop = new();
    private readonly BootstrapServerHost server;
    private readonly TestCluster cluster;
    private Task working = Task.CompletedTask;
    private bool leaveSubject;
    private Func<TemporalWorkerOptions> options = null!;
    private CancellationTokenSource stopWorker = new();

    private RotationWorld(TestPlatform platform, TestCluster cluster, RotatedSubject subject, SandboxVault vault, BootstrapServerHost server)
    {
        (Platform, Subject, Vault, this.server, this.cluster) = (platform, subject, vault, server, cluster);
        root = VaultConnection.Open(new("tests", vault.Address), new GivenToken(new(vault.RootToken)));
        Kept = new(new(root));
    }

    private readonly VaultConnection root;

    /// <summary>Every trace of this process since the world began.</summary>
    public TraceRecorder Traces { get; } = new();

    public TestPlatform Platform { get; }

    /// <summary>The system that the credential is for.</summary>
    public RotatedSubject Subject { get; }

    /// <summary>Vault, as somebody who may do everything.</summary>
    public VaultConnection Root => root;

    public SandboxVault Vault { get; }

    public StagedSecrets Kept { get; }

    public TemporalClient Client { get; private set; } = null!;

    public SecretActivities Activities { get; private set; } = null!;

    public SecretReference Reference => new(Platform.Environment, Region, Rotation);

    /// <summary>The path in Vault.</summary>
    public string Path => $"shop/{Platform.Suffix}";

    /// <summary>The login of before the first rotation.</summary>
    public string Login => $"shop_{Platform.Suffix}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static Task<RotationWorld> StartAsync(TestCluster cluster, PostgresCluster postgres, string settle = "1s", string reloads = "[]", Func<ISecretActivities, ISecretActivities>? wrapped = null) =>
        StartAsync(cluster, new PostgresSubject(postgres), settle, reloads, wrapped);

    public static async Task<RotationWorld> StartAsync(TestCluster cluster, RotatedSubject subject, string settle = "1s", string reloads = "[]", Func<ISecretActivities, ISecretActivities>? wrapped = null, bool leaveSubject = false, Func<RotationWorld, Task>? first = null)
    {
        await subject.StartAsync();
        var platform = await TestPlatform.CreateAsync(cluster);
        var vault = await SandboxVault.StartAsync(new(), Ct);
        var server = await BootstrapServerHost.StartAsync(
            new() { SearchAttributes = RunbookSearchAttributes.All.ToDictionary(key => key.Name, _ => IndexedValueType.Keyword) }, Ct);
        var world = new RotationWorld(platform, cluster, subject, vault, server) { leaveSubject = leaveSubject };
        await world.SetUpAsync(settle, reloads, wrapped, first);
        return world;
    }

    public async Task<RotateSecretReport> RotateAsync() => await (await BeginAsync()).GetResultAsync();

    public Task<WorkflowHandle<RotateSecret, RotateSecretReport>> BeginAsync(string? settle = null, string? proveWithin = null, string? operationId = null, string secret = Rotation) => Client.StartWorkflowAsync(
        (RotateSecret workflow) => workflow.RunAsync(new RotateSecretInput { Environment = Platform.Environment, Secret = secret, Region = Region, Settle = settle, ProveWithin = proveWithin, OperationId = operationId }),
        new(RotateSecret.WorkflowId(Platform.Environment, secret, Region), TaskQueues.Default));

    /// <summary>Whether the system lets somebody in.</summary>
    public Task<bool> LetsInAsync(string login, SecretText password) => Subject.LetsInAsync(login, password.Reveal(), "client");

    /// <summary>For PostgreSQL.</summary>
    public string ConnectionString(string login, string password, string application = "client") => ((PostgresSubject)Subject).ConnectionString(login, password, application);

    /// <summary>Writes into the Kubernetes Secret, past the product.</summary>
    public async Task PublishAsync(string login, string password)
    {
        using var kubectl = new KubectlLike(cluster);
        await kubectl.MergeAsync(KubectlLike.Secret(Platform.Space, "credentials"), System.Text.Json.JsonSerializer.Serialize(new { stringData = new { username = login, password } }));
    }

    /// <summary>What the Kubernetes Secret holds.</summary>
    public async Task<(string Login, string Password)> PublishedAsync()
    {
        using var kubectl = new KubectlLike(cluster);
        var data = (await kubectl.GetAsync(KubectlLike.Secret(Platform.Space, "credentials")))!["data"]!;
        return (Text(data["username"]), Text(data["password"]));

        static string Text(System.Text.Json.Nodes.JsonNode? node) => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)node!));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        Activities.Dispose();
        await server.DisposeAsync();
        root.Dispose();
        await Vault.DisposeAsync();
        await Platform.DisposeAsync();
        if (!leaveSubject)
            await Subject.DisposeAsync();
        Traces.Dispose();
        stopWorker.Dispose();
        stop.Dispose();
    }

    private async Task SetUpAsync(string settle, string reloads, Func<ISecretActivities, ISecretActivities>? wrapped, Func<RotationWorld, Task>? first)
    {
        Platform.Remove("catalog/app/extra.yaml");
        Platform.Write("specification/platform.yaml", Platform.PlatformOf("{ground: {}, vault: {}, app: {} }"));
        Platform.Write("catalog/vault/component.yaml", $"""
            name: vault
            summary: Keeps the secrets.
            plane: security
            namespace: {Platform.Space}
            dependsOn: [ground]
            health: []
            manifests: [settings.yaml]
            """.Replace("health: []", "health: [ {vault: {service: vault, tls: false} } ]", StringComparison.Ordinal));
        Platform.Write("catalog/vault/settings.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: vault}
            data: {a: b}
            """);
        Platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: An application with a login.
            plane: test
            namespace: {{Platform.Space}}
            dependsOn: [vault]
            secrets:
              - name: credentials
                literals: {username: {{Subject.FirstLogin(this)}} }
                generated: {password: 32}
            health:
              - rollout: {kind: Deployment, name: web}
              {{Subject.Gate}}
            rotations:
              - name: {{Rotation}}
                {{Subject.Declared}}
                path: {{Path}}
                secret: credentials
                settle: {{settle}}
                reloads: {{reloads}}
            manifests: [settings.yaml, web.yaml]
            """);
        Platform.Write("catalog/app/settings.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {a: b}
            """);
        Platform.Write("catalog/app/web.yaml", string.Join("\n---\n", new[] { "web", "jobs" }.Select(name => $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{name}}}
            spec:
              replicas: 2
              selector: {matchLabels: {app.kubernetes.io/name: {{name}} } }
              template:
                metadata: {labels: {app.kubernetes.io/name: {{name}} } }
                spec:
                  containers:
                    - name: {{name}}
                      image: registry.example.com/{{name}}:1
                      env: [ {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: credentials, key: password} } } ]
                      resources: {requests: {cpu: 50m, memory: 64Mi} }
            """)));
        await new VaultSystem(root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        if (first is not null)
            await first(this);
        var token = System.IO.Path.Combine(cluster.Folder, $"{Platform.Suffix}.token");
        await File.WriteAllTextAsync(token, Vault.RootToken, Ct);
        var region = new RegionConnection
        {
            Kubeconfig = cluster.Kubeconfig(Platform.Proxy.Address, Platform.Proxy.Token),
            Vault = new(Vault.Address.GetLeftPart(UriPartial.Authority), TokenFile: token),
        };
        var connections = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { [Region] = Subject.Connect(region) } };
        var provisioning = Platform.ActivitiesWith(connections.Regions);
        var plan = (await Platform.PlanAsync(provisioning)).Plan;
        foreach (var component in plan.Components)
            await Platform.ApplyAsync(plan, component.Component, activities: provisioning);
        await Platform.RunAsync(() => provisioning.AwaitHealthAsync(new(Platform.Reference(plan, "app"), TimeSpan.FromMinutes(2))));
        var (login, password) = await PublishedAsync();
        await Subject.PrepareAsync(this, login, password);

        Activities = new(new(Platform.SpecificationFolder, System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Platform.SpecificationFolder)!, "catalog")), connections);
        Client = await TemporalClient.ConnectAsync(new(server.Address) { DataConverter = PlatformOpsDataConverter.Instance });
        var wrappedActivities = wrapped?.Invoke(Activities) ?? Activities;
        options = () => WorkerRegistration.CreateWorkerOptions(provisioning, secrets: wrappedActivities);
        stopWorker = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        working = RunAsync(options(), stopWorker.Token);
    }

    /// <summary>Ends the worker, and starts another one.</summary>
    public async Task RestartWorkerAsync()
    {
        await stopWorker.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        stopWorker.Dispose();
        stopWorker = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        working = RunAsync(options(), stopWorker.Token);
    }

    private async Task RunAsync(TemporalWorkerOptions options, CancellationToken ct)
    {
        using var worker = new TemporalWorker(Client, options);
        await worker.ExecuteAsync(ct);
    }
}
