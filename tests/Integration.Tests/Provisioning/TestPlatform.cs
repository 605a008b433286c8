using System.Collections.Concurrent;
using System.Text.Json;
using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Scaling;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>A small platform of its own in a shared cluster: every name carries a suffix, so that tests do not meet.</summary>
internal sealed class TestPlatform : IAsyncDisposable
{
    public const string Region = "us-east-1";

    private readonly string folder;
    private readonly TestCluster cluster;
    private readonly List<ProvisioningActivities> made = [];

    private TestPlatform(TestCluster cluster, ApiProxy proxy)
    {
        (this.cluster, Proxy) = (cluster, proxy);
        folder = Path.Combine(cluster.Folder, Suffix);
        Write("catalog/ground/component.yaml", Ground(Space));
        Write("catalog/ground/objects.yaml", GroundObjects);
        Write("catalog/app/component.yaml", App(Space));
        Write("catalog/app/settings.yaml", AppSettings);
        Write("catalog/app/extra.yaml", AppExtra);
        Write("catalog/app/web.yaml", AppWeb);
        Write("specification/platform.yaml", PlatformOf("{ground: {}, app: {} }"));
        Specify();
        Activities = ActivitiesWith(cluster.Kubeconfig(proxy.Address, proxy.Token));
    }

    public string Suffix { get; } = Guid.NewGuid().ToString("N")[..8];

    public string Environment => $"e-{Suffix}";

    public string Space => $"ns-{Suffix}";

    public ApiProxy Proxy { get; }

    public ProvisioningActivities Activities { get; }

    /// <summary>Everything that left an activity: results, heartbeats, failures.</summary>
    public ConcurrentQueue<string> Spoken { get; } = [];

    public string SpecificationFolder => Path.Combine(folder, "specification");

    public static async Task<TestPlatform> CreateAsync(TestCluster cluster) => new(cluster, await cluster.ProxyAsync());

    /// <summary>Writes what the specification says of the environment.</summary>
    public void Specify(string app = "{}", bool mayDestroy = true) => Write($"specification/environments/{Environment}.yaml", $$"""
        apiVersion: platformops.io/v1
        kind: Environment
        name: {{Environment}}
        regions: {us-east-1: {role: primary, kubernetesContext: test} }
        guardRails: {approvals: 0, maxParallel: 4, mayDestroy: {{Word(mayDestroy)}} }
        components:
          app: {{app}}
        """);

    /// <summary>Gives the application a number of replicas that autoscaling may change.</summary>
    public void Scale(int minimum, int maximum)
    {
        Write("catalog/app/component.yaml", App(Space).Replace("parameters:", "parameters:\n  replicas: {type: integer, default: 2, minimum: 1, maximum: 20, summary: How many there are.}", StringComparison.Ordinal));
        Write("catalog/app/web.yaml", AppWeb.Replace("replicas: 2", "replicas: ${replicas}", StringComparison.Ordinal));
        Write("specification/platform.yaml", $"{PlatformOf("{ground: {}, app: {} }")}\nscaling: {{app: {{minimum: {minimum}, maximum: {maximum}}}}}\n");
    }

    public void Write(string path, string text)
    {
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    /// <summary>With a clock of their own.</summary>
    public ProvisioningActivities ActivitiesWith(TimeProvider time) => ActivitiesWith(
        new Dictionary<string, RegionConnection> { [Region] = new() { Kubeconfig = cluster.Kubeconfig(Proxy.Address, Proxy.Token) } }, time: time);

    /// <summary>What scaling does to this platform. The caller disposes it.</summary>
    /// <param name="further">Regions whose cluster is the same one.</param>
    public ScalingActivities Scaling(params string[] further) => Scaling(further.Append(Region).ToDictionary(region => region, _ => new RegionConnection { Kubeconfig = cluster.Kubeconfig(Proxy.Address, Proxy.Token) }));

    /// <inheritdoc cref="Scaling(string[])"/>
    public ScalingActivities Scaling(IReadOnlyDictionary<string, RegionConnection> regions) => new(new(SpecificationFolder, Path.Combine(folder, "catalog")), new() { Regions = regions });

    public string Read(string path) => File.ReadAllText(Path.Combine(folder, path));

    public void Remove(string path) => File.Delete(Path.Combine(folder, path));

    public ProvisioningActivities ActivitiesWith(string kubeconfig, string? temporalAddress = null, VaultAccess? vault = null, IReadOnlyDictionary<string, ExternalAccess>? external = null, bool? temporalPods = null) =>
        ActivitiesWith(new Dictionary<string, RegionConnection> { [Region] = new() { Kubeconfig = kubeconfig, TemporalAddress = temporalAddress, TemporalPods = temporalPods, Vault = vault, External = external ?? new Dictionary<string, ExternalAccess>() } });

    public ProvisioningActivities ActivitiesWith(IReadOnlyDictionary<string, RegionConnection> regions, string? catalog = null, TimeProvider? time = null)
    {
        var activities = new ProvisioningActivities(new(SpecificationFolder, catalog ?? Path.Combine(folder, "catalog")), new() { Regions = regions }, time);
        made.Add(activities);
        return activities;
    }

    public Task<PlanEnvironmentResult> PlanAsync(ProvisioningActivities? activities = null, IReadOnlyList<string>? components = null, PlanPurpose purpose = PlanPurpose.Provision) =>
        RunAsync(() => (activities ?? Activities).PlanEnvironmentAsync(new(Environment, components, Purpose: purpose)));

    public Task<ComponentReport> ApplyAsync(ProvisioningPlan plan, string component, string operation = "op-1", ActivityEnvironment? environment = null, ProvisioningActivities? activities = null,
        PlanPurpose purpose = PlanPurpose.Provision) =>
        RunAsync(() => (activities ?? Activities).ApplyComponentAsync(new(Reference(plan, component, operation), plan.Components.Single(planned => planned.Component == component), purpose)), environment);

    /// <summary>Plans and applies everything.</summary>
    public async Task<IReadOnlyList<ObjectOutcome>> ProvisionAsync(string operation = "op-1")
    {
        var plan = (await PlanAsync()).Plan;
        var outcomes = new List<ObjectOutcome>();
        foreach (var component in plan.Components)
            outcomes.AddRange((await ApplyAsync(plan, component.Component, operation)).Objects);
        return outcomes;
    }

    public Task<RemovedObjects> RemoveAsync(string component, string operation = "op-1") =>
        RunAsync(() => Activities.RemoveCreatedAsync(new(Environment, operation, component, Region)));

    public Task<CreatedObjects> ListAsync(string operation = "op-1") => RunAsync(() => Activities.ListCreatedAsync(new(Environment, operation)));

    public ComponentReference Reference(ProvisioningPlan plan, string component, string operation = "op-1") =>
        new(Environment, component, Region, operation, plan.SpecificationDigest, plan.CatalogDigest);

    /// <summary>As <see cref="RunAsync"/>, and again when a controller has written the object's status at the same moment.</summary>
    public async Task<T> RunAsAWorkerAsync<T>(Func<Task<T>> activity)
    {
        while (true)
        {
            try
            {
                return await RunAsync(activity);
            }
            catch (ApplicationFailureException failure) when (failure.Message.Contains("the object has been modified", StringComparison.Ordinal))
            {
                // The next try reads it anew.
            }
        }
    }

    /// <summary>Runs an activity as a worker does, and remembers everything that it says.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> activity, ActivityEnvironment? environment = null)
    {
        environment ??= new();
        environment = environment with
        {
            PayloadConverter = PlatformOpsDataConverter.Instance.PayloadConverter,
            Heartbeater = details => Spoken.Enqueue(JsonSerializer.Serialize(details, PlatformOpsDataConverter.Json)),
        };
        try
        {
            var result = await environment.RunAsync(activity);
            Spoken.Enqueue(JsonSerializer.Serialize(result, PlatformOpsDataConverter.Json));
            return result;
        }
        catch (Exception failure)
        {
            Spoken.Enqueue(failure.ToString());
            throw;
        }
    }

    public async Task<ApplicationFailureException> FailsAsync(string type, Func<Task> activity)
    {
        var failure = await Assert.ThrowsAsync<ApplicationFailureException>(activity);
        Assert.Equal((type, failure.Message), (failure.ErrorType, failure.Message));
        return failure;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var activities in made)
            await activities.DisposeAsync();
        using (var kubectl = new KubectlLike(cluster))
        {
            if (await kubectl.GetAsync($"/api/v1/namespaces/{Space}") is not null)
                await kubectl.DeleteAsync($"/api/v1/namespaces/{Space}");
        }

        await Proxy.DisposeAsync();
    }

    private static string Word(bool value) => value ? "true" : "false";

    /// <summary>The specification of a platform with these components.</summary>
    public string PlatformOf(string components) => $$"""
        apiVersion: platformops.io/v1
        kind: Platform
        name: shop
        nodes: {all: {count: 1} }
        clusterSize: 1
        database: single
        monitoring: basic
        security: development-tls
        namespaces: { {{Space}}: {purpose: Tests, networkPolicy: cluster-wide-access, resourceClass: minimal} }
        components: {{components}}
        performance: {workflowStartsPerSecond: 1, activityExecutionsPerSecond: 1, concurrentWorkflows: 1}
        failover: {database: off, fullStack: off, rto: 1h, rpo: 1h}
        """;

    private static string Ground(string space) => $"""
        name: ground
        summary: What everything stands on.
        plane: test
        namespace: {space}
        health: []
        manifests: [objects.yaml]
        """;

    private const string GroundObjects = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: "${namespace}"}
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: workload}
        automountServiceAccountToken: false
        ---
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: quota}
        spec: {hard: {pods: "50", requests.cpu: 1000m}}
        """;

    private static string App(string space) => $$"""
        name: app
        summary: An application.
        plane: test
        namespace: {{space}}
        dependsOn: [ground]
        parameters:
          color: {type: string, default: blue, summary: Its color.}
          extra: {type: boolean, default: true, summary: Whether it has an extra.}
          image: {type: string, default: "registry.example.com/web:1", summary: Its image.}
        secrets:
          - name: credentials
            literals: {username: shop}
            generated: {password: 32}
        health:
          - rollout: {kind: Deployment, name: web}
          - endpoints: {service: web, minimum: 2}
        manifests:
          - settings.yaml
          - {file: extra.yaml, when: extra}
          - web.yaml
        """;

    private const string AppSettings = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {color: "${color}", size: large}
        """;

    private const string AppExtra = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: extra}
        data: {more: "yes"}
        """;

    private const string AppWeb = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app.kubernetes.io/name: web}
          ports: [{name: http, port: 80, targetPort: 8080}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          selector: {matchLabels: {app.kubernetes.io/name: web}}
          template:
            metadata: {labels: {app.kubernetes.io/name: web}}
            spec:
              containers:
                - name: web
                  image: "${image}"
                  ports: [{containerPort: 8080}]
                  resources: {requests: {cpu: 100m, memory: 64Mi}}
        """;
}
