using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Activities;
using PlatformOps.Activities.Certificates;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Vault;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Provisioning;
using PlatformOps.Platform.Certificates;
using PlatformOps.Sandbox.Vault;
using PlatformOps.Starter.Certificates;
using PlatformOps.Starter.Demos;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Runtime;
using Temporalio.Worker;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>An environment with a certificate of Vault's, two Deployments whose pods serve TLS with it, and a worker that rotates it.</summary>
internal sealed class CertificateWorld : IAsyncDisposable
{
    public const string Region = TestPlatform.Region, Certificate = "shop", SecretName = "shop-tls", ServerName = "shop.test";
    public const int Port = 18443;

    private readonly CancellationTokenSource stop = new();
    private readonly BootstrapServerHost server;
    private readonly SandboxVault vault;
    private readonly VaultConnection root;
    private KubernetesConnection cluster = null!;
    private Task working = Task.CompletedTask;

    private CertificateWorld(TestPlatform platform, TestCluster cluster, SandboxVault vault, BootstrapServerHost server)
    {
        (Platform, Cluster, this.vault, this.server) = (platform, cluster, vault, server);
        root = VaultConnection.Open(new("tests", vault.Address), new GivenToken(new(vault.RootToken)));
        Pki = new(root);
        Kubectl = new(cluster);
    }

    public TestPlatform Platform { get; }

    public TestCluster Cluster { get; }

    public KubectlLike Kubectl { get; }

    public VaultPki Pki { get; }

    /// <summary>The servers of the pods, and a client of each.</summary>
    public TlsPods Pods { get; private set; } = null!;

    public bool Mutual { get; private init; }

    public bool Separate { get; private init; }

    public bool WithKeystores { get; private init; }

    /// <summary>Of the keystores.</summary>
    public SecretText KeystorePassword { get; } = new($"keystores-{Guid.NewGuid():N}");

    /// <summary>What each keystore of the Secret says now: the certificate that it holds, and whom it trusts; null where it cannot be read.</summary>
    public async Task<IReadOnlyList<(string? Leaf, IReadOnlyCollection<string>? Trusted)>> KeystoresAsync()
    {
        var data = (await SecretAsync())!["data"]!;
        return [.. Enum.GetValues<KeystoreFormat>().Select(format => (
            Keystores.Leaf(format, Bytes(format.Keystore()), KeystorePassword), (IReadOnlyCollection<string>?)Keystores.Trusted(format, Bytes(format.Truststore()), KeystorePassword)?.Keys.ToList()))];

        byte[] Bytes(string key) => Convert.FromBase64String((string)data[key]!);
    }

    public TemporalClient Client { get; private set; } = null!;

    public CertificateActivities Activities { get; private set; } = null!;

    /// <summary>How a worker reaches it all.</summary>
    public PlatformConnections Connections { get; private set; } = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="metrics">Where the worker gives its metrics.</param>
    /// <param name="replicas">Of each Deployment.</param>
    /// <param name="mutual">Pods want to see each other's certificates, and trust what they read when they started, or read now where they reload.</param>
    /// <param name="separate">The second Deployment has a certificate of its own.</param>
    /// <param name="more">Declares more, when everything else is declared.</param>
    /// <param name="external">How services outside are reached.</param>
    /// <param name="keystores">The first Deployment's Secret has keystores too.</param>
    public static async Task<CertificateWorld> StartAsync(
        TestCluster cluster, Func<ICertificateActivities, ICertificateActivities>? wrapped = null, string? metrics = null, int replicas = 2, bool mutual = false, bool separate = false, Action<TestPlatform>? more = null, IReadOnlyDictionary<string, ExternalAccess>? external = null, bool keystores = false)
    {
        var platform = await TestPlatform.CreateAsync(cluster);
        var vault = await SandboxVault.StartAsync(new(), Ct);
        var server = await BootstrapServerHost.StartAsync(
            new() { SearchAttributes = RunbookSearchAttributes.All.ToDictionary(key => key.Name, _ => IndexedValueType.Keyword) }, Ct);
        var world = new CertificateWorld(platform, cluster, vault, server) { Mutual = mutual, Separate = separate, WithKeystores = keystores };
        await world.SetUpAsync(wrapped, metrics, replicas, more, external ?? new Dictionary<string, ExternalAccess>());
        return world;
    }

    /// <summary>As the schedule: whatever has to be looked after.</summary>
    public Task<RotateCertificatesReport> LookForDueAsync() => Client.ExecuteWorkflowAsync(
        (RotateCertificates workflow) => workflow.RunAsync(new RotateCertificatesInput { Environment = Platform.Environment, ProveWithin = "1m" }), new(RotateCertificates.WorkflowId(Platform.Environment), TaskQueues.Default));

    public async Task<RotateCertificateReport> RotateAsync() => await (await BeginAsync()).GetResultAsync();

    public Task<WorkflowHandle<RotateCertificate, RotateCertificateReport>> BeginAsync(string? settle = null, string? proveWithin = null, string certificate = Certificate, TemporalClient? client = null) => (client ?? Client).StartWorkflowAsync(
        (RotateCertificate workflow) => workflow.RunAsync(new RotateCertificateInput { Environment = Platform.Environment, Certificate = certificate, Region = Region, Settle = settle, ProveWithin = proveWithin }),
        new(RotateCertificate.WorkflowId(Platform.Environment, certificate, Region), TaskQueues.Default));

    public Task<WorkflowHandle<RotateCertificateAuthority, RotateCertificateAuthorityReport>> BeginAuthorityAsync(string proveWithin = "1m", TemporalClient? client = null) => (client ?? Client).StartWorkflowAsync(
        (RotateCertificateAuthority workflow) => workflow.RunAsync(new RotateCertificateAuthorityInput { Environment = Platform.Environment, Authority = "internal", Region = Region, Settle = "1s", ProveWithin = proveWithin }),
        new(RotateCertificateAuthority.WorkflowId(Platform.Environment, "internal", Region), TaskQueues.Default));

    private string SecretOf(string workload) => Separate && workload == "jobs" ? "jobs-tls" : SecretName;

    /// <summary>A Secret of the namespace, as the cluster has it; null: there is none.</summary>
    public Task<JsonObject?> SecretAsync(string name = SecretName) => Kubectl.GetAsync(KubectlLike.Secret(Platform.Space, name));

    /// <summary>What it holds.</summary>
    public async Task<(string Certificate, string Key, string Authorities)> PublishedAsync()
    {
        var data = (await SecretAsync())!["data"]!;
        return (Text(data["tls.crt"]), Text(data["tls.key"]), Text(data["ca.crt"]));
    }

    public async Task<string> SerialAsync()
    {
        using var leaf = ReadLeaf.Of((await PublishedAsync()).Certificate)!;
        return leaf.Serial;
    }

    /// <summary>Whether Vault has revoked it.</summary>
    public async Task<bool> IsRevokedAsync(string serial) => (await Pki.ReadCertificateAsync(serial, Ct))?.RevokedAt is not null;

    public Task ChangeSecretAsync(string patch, string name = SecretName) => Kubectl.MergeAsync(KubectlLike.Secret(Platform.Space, name), patch);

    public static string Text(JsonNode? node) => Encoding.UTF8.GetString(Convert.FromBase64String((string)node!));

    public static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>Every trace of this process since the world began.</summary>
    private readonly TraceRecorder traces = new();

    /// <summary>No private key that was ever published is in the history, the memo or the search attributes of any run, nor in a trace.</summary>
    public async Task NoKeyIsSpokenAsync(IReadOnlyList<string> keys, string? password = null, TemporalClient? client = null)
    {
        var scan = new CanaryScan();
        scan.LookFor("a private key", "PRIVATE KEY");
        foreach (var key in keys)
            scan.LookForKey("a private key", key);
        if (password is not null)
            scan.LookFor("the password of keystores", password);
        Assert.True(await scan.LookAtRunsAsync(client ?? Client, Ct) > 0 && keys.Count > 0);
        scan.Look("traces", traces.Text);
        Assert.Empty(scan.Found);
    }

    public async ValueTask DisposeAsync()
    {
        await Pods.DisposeAsync();
        cluster.Dispose();
        await stop.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        Activities.Dispose();
        await server.DisposeAsync();
        root.Dispose();
        await vault.DisposeAsync();
        Kubectl.Dispose();
        await Platform.DisposeAsync();
        traces.Dispose();
        stop.Dispose();
    }

    private async Task SetUpAsync(Func<ICertificateActivities, ICertificateActivities>? wrapped, string? metrics, int replicas, Action<TestPlatform>? more, IReadOnlyDictionary<string, ExternalAccess> external)
    {
        WriteCatalog(replicas);
        more?.Invoke(Platform);
        await new VaultSystem(root).MountAsync("pki", "pki", Ct, longestTtl: TimeSpan.FromDays(3650));
        await Pki.GenerateRootAsync("Shop root", "first", TimeSpan.FromDays(365), Ct);
        await Pki.SetDefaultIssuerAsync("first", Ct);
        await Pki.WriteRoleAsync("shop", new(["test"]) { AllowSubdomains = true, Ttl = TimeSpan.FromDays(7), MaxTtl = TimeSpan.FromDays(30) }, Ct);
        var token = Path.Combine(Cluster.Folder, $"{Platform.Suffix}.token");
        await File.WriteAllTextAsync(token, vault.RootToken, Ct);
        Connections = new()
        {
            Regions = new Dictionary<string, RegionConnection>
            {
                [Region] = new()
                {
                    Kubeconfig = Cluster.Kubeconfig(Platform.Proxy.Address, Platform.Proxy.Token),
                    Vault = new(vault.Address.GetLeftPart(UriPartial.Authority), TokenFile: token),
                    External = external,
                },
            },
        };
        var provisioning = Platform.ActivitiesWith(Connections.Regions);
        var plan = (await Platform.PlanAsync(provisioning)).Plan;
        foreach (var component in plan.Components)
            await Platform.ApplyAsync(plan, component.Component, activities: provisioning);
        await Platform.RunAsync(() => provisioning.AwaitHealthAsync(new(Platform.Reference(plan, "app"), TimeSpan.FromMinutes(2))));
        if (WithKeystores)
            await Kubectl.CreateAsync($"/api/v1/namespaces/{Platform.Space}/secrets", $$"""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keystore-password"}, "data": {"password": "{{Encoded(KeystorePassword.Reveal())}}"} }""");
        Activities = new(new(Platform.SpecificationFolder, Path.Combine(Path.GetDirectoryName(Platform.SpecificationFolder)!, "catalog")), Connections);
        cluster = KubernetesConnection.Open(Connections, Region, "test");
        Pods = new(new(cluster, Platform.Space, Port, ServerName, Mutual, IsRevokedAsync)) { Reloading = { ["web"] = true } };
        Client = await TemporalClient.ConnectAsync(new(server.Address)
        {
            DataConverter = PlatformOpsDataConverter.Instance,
            Runtime = metrics is null ? null : new(new() { Telemetry = new() { Metrics = new(new PrometheusOptions(metrics)) } }),
        });
        working = RunAsync(WorkerRegistration.CreateWorkerOptions(provisioning, certificates: wrapped?.Invoke(Activities) ?? Activities));
        // The first one: nobody had a certificate before.
        Assert.Equal(CertificateOutcome.Rotated, (await (await BeginAsync(settle: "1s")).GetResultAsync()).Outcome);
        if (Separate)
            Assert.Equal(CertificateOutcome.Rotated, (await (await BeginAsync(settle: "1s", certificate: "jobs")).GetResultAsync()).Outcome);
        await Wait.UntilAsync(() => Pods.Handshakes > 20, () => $"{Pods.Handshakes} handshakes; {string.Join("; ", Pods.Failures.Take(3))}");
    }

    private async Task RunAsync(TemporalWorkerOptions options)
    {
        using var worker = new TemporalWorker(Client, options);
        await worker.ExecuteAsync(stop.Token);
    }

    private void WriteCatalog(int replicas)
    {
        Platform.Remove("catalog/app/extra.yaml");
        Platform.Write("specification/platform.yaml", Platform.PlatformOf("{ground: {}, vault: {}, app: {} }"));
        Platform.Write("catalog/vault/component.yaml", $$"""
            name: vault
            summary: Signs the certificates.
            plane: security
            namespace: {{Platform.Space}}
            dependsOn: [ground]
            health: [ {vault: {service: vault, tls: false} } ]
            certificateAuthorities: [ {name: internal, perMinute: 600, commonName: Shop root} ]
            manifests: [settings.yaml]
            """);
        Platform.Write("catalog/vault/settings.yaml", Settings("vault"));
        Platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: An application that speaks TLS.
            plane: test
            namespace: {{Platform.Space}}
            dependsOn: [vault]
            health:
              - rollout: {kind: Deployment, name: web}
            certificates:
              - {name: {{Certificate}}, authority: internal, role: shop, secret: {{SecretName}}, dnsNames: [{{ServerName}}], lifetime: 7d, port: {{Port}}, mutual: {{Word(Mutual)}}, settle: 1s, reloads: [Deployment/web]{{(WithKeystores ? ", keystores: {formats: [pkcs12, jks], passwordSecretRef: {name: keystore-password} }" : "")}} }
              {{(Separate ? $"- {{name: jobs, authority: internal, role: shop, secret: jobs-tls, dnsNames: [{ServerName}], lifetime: 7d, port: {Port}, mutual: {Word(Mutual)}, settle: 1s}}" : "")}}
            manifests: [settings.yaml, web.yaml]
            """);
        Platform.Write("catalog/app/settings.yaml", Settings("settings"));
        Platform.Write("catalog/app/web.yaml", string.Join("\n---\n", new[] { "web", "jobs" }.Select(name => $$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: {{name}}}
            spec:
              replicas: {{replicas}}
              selector: {matchLabels: {app.kubernetes.io/name: {{name}} } }
              template:
                metadata: {labels: {app.kubernetes.io/name: {{name}} } }
                spec:
                  containers:
                    - name: {{name}}
                      image: registry.example.com/{{name}}:1
                      volumeMounts: [ {name: tls, mountPath: /tls} ]
                      resources: {requests: {cpu: 10m, memory: 64Mi} }
                  volumes: [ {name: tls, secret: {secretName: {{SecretOf(name)}} } } ]
            """)));
    }

    private static string Word(bool value) => value ? "true" : "false";

    private static string Settings(string name) => $$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: {{name}}}
        data: {a: b}
        """;
}
