using PlatformOps.Activities.Provisioning;
using PlatformOps.Activities.Scaling;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>A platform in two regions whose only component has a database with a replica, a bucket with a copy, and a DNS record for each region.</summary>
internal sealed class CloudPlatform : IAsyncDisposable
{
    public const string Primary = "us-east-1", Secondary = "eu-west-1";

    private readonly TestPlatform platform;
    private readonly TestAws aws;
    private readonly Dictionary<string, RegionConnection> connections;
    private IReadOnlyList<string> components = ["app"];
    private bool waits;

    private CloudPlatform(TestPlatform platform, TestAws aws, string kubeconfig)
    {
        (this.platform, this.aws) = (platform, aws);
        foreach (var file in new[] { "settings", "extra", "web" })
            platform.Remove($"catalog/app/{file}.yaml");
        platform.Write($"specification/environments/{platform.Environment}.yaml", $$"""
            apiVersion: platformops.io/v1
            kind: Environment
            name: {{platform.Environment}}
            regions: { {{Primary}}: {role: primary, kubernetesContext: test}, {{Secondary}}: {role: secondary, kubernetesContext: test} }
            guardRails: {approvals: 0, maxParallel: 4, mayDestroy: true}
            """);
        Specify();
        var connection = new RegionConnection { Kubeconfig = kubeconfig, Aws = aws.Settings(platform.Suffix) };
        connections = new() { [Primary] = connection, [Secondary] = connection };
        Activities = platform.ActivitiesWith(connections);
    }

    public ProvisioningActivities Activities { get; private set; }

    public string Environment => platform.Environment;

    /// <summary>What scaling does to it. The caller disposes it.</summary>
    public ScalingActivities Scaling() => platform.Scaling(connections);

    /// <summary>Runs an activity while time passes.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> activity, ITemporalClient client) => WhileTimePassesAsync(activity, new() { TemporalClient = client });

    public string Zone => $"{platform.Suffix}.example.com";

    public string Database => $"db-{platform.Suffix}";

    /// <summary>Who has what the catalog declares.</summary>
    public AwsOwner Owner => new("shop", platform.Environment, "app");

    public static async Task<CloudPlatform> CreateAsync(SandboxCluster cluster, TestAws aws)
    {
        using var connection = aws.Connect();
        var platform = await TestPlatform.CreateAsync(cluster);
        var created = new CloudPlatform(platform, aws, cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token));
        // The domain is there before the platform.
        await new HostedZones(connection).EnsureAsync(created.Zone, Names.Stranger, "op-0", TestContext.Current.CancellationToken);
        return created;
    }

    public string Bucket(string region) => $"backups-{platform.Suffix}-{region}";

    /// <summary>Declares everything anew.</summary>
    public void Specify(string instanceClass = "db.t3.medium", int oldVersionDays = 30, int ttl = 60, string databaseName = "temporal", bool record = true, bool service = false)
    {
        waits = service;
        platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Lives in a cloud.
            plane: data
            namespace: {{platform.Space}}
            parameters:
              record: {type: boolean, default: {{(record ? "true" : "false")}}, summary: Whether it has a name.}
              service: {type: boolean, default: {{(service ? "true" : "false")}}, summary: Whether the cluster has a name for the database.}
            observed:
              address: {apiVersion: aws.platformops.io/v1, kind: DatabaseInstance, name: {{Database}}, field: status.address}
            health: [{database: {} }, {bucket: {} }]
            manifests:
              - {file: primary.yaml, when: region == {{Primary}}}
              - {file: secondary.yaml, when: region == {{Secondary}}}
              - {file: record.yaml, when: record}
              - {file: service.yaml, when: service}
            """);
        platform.Write("catalog/app/service.yaml", $$"""
            apiVersion: v1
            kind: Service
            metadata: {name: {{Database}}, namespace: default}
            spec: {type: ExternalName, externalName: "${address}"}
            """);
        platform.Write("catalog/app/primary.yaml", $$"""
            apiVersion: aws.platformops.io/v1
            kind: DatabaseInstance
            metadata: {name: {{Database}}}
            spec:
              engine: postgres
              engineVersion: "16.4"
              instanceClass: {{instanceClass}}
              allocatedStorage: 20
              multiAz: true
              storageEncrypted: true
              backupRetention: 7
              deletionProtection: false
              databaseName: {{databaseName}}
              masterUsername: platform
            ---
            apiVersion: aws.platformops.io/v1
            kind: Bucket
            metadata: {name: {{Bucket(Primary)}}}
            spec:
              versioning: true
              publicAccessBlock: true
              encryption: {algorithm: AES256}
              lifecycle: {noncurrentVersionExpirationDays: {{oldVersionDays}}}
              objectLock: {mode: COMPLIANCE, days: 1}
            """);
        platform.Write("catalog/app/secondary.yaml", $$"""
            apiVersion: aws.platformops.io/v1
            kind: DatabaseInstance
            metadata: {name: {{Database}}}
            spec:
              engine: postgres
              instanceClass: db.t3.medium
              deletionProtection: false
              replicaOf: {region: {{Primary}}, name: {{Database}}}
            ---
            apiVersion: aws.platformops.io/v1
            kind: Bucket
            metadata: {name: {{Bucket(Secondary)}}}
            spec:
              encryption: {algorithm: AES256}
              objectLock: {mode: COMPLIANCE, days: 1}
              replicaOf: {region: {{Primary}}, name: {{Bucket(Primary)}}, role: "arn:aws:iam::123456789012:role/replicator"}
            """);
        platform.Write("catalog/app/record.yaml", $$"""
            apiVersion: aws.platformops.io/v1
            kind: DnsRecord
            metadata: {name: "api-${region}"}
            spec: {zone: {{Zone}}, name: api.{{Zone}}, type: CNAME, ttl: {{ttl}}, values: ["${region}.example.net"], setIdentifier: "${region}", weight: 50}
            """);
    }

    /// <summary>Declares another value of every field of the primary region that an upgrade may change.</summary>
    /// <param name="forGood">Those too that AWS never takes back.</param>
    public void SpecifyOtherwise(bool forGood)
    {
        void Change(string file, params (string From, string To)[] changes)
        {
            foreach (var (from, to) in changes)
                Assert.Contains(from, platform.Read(file), StringComparison.Ordinal);
            platform.Write(file, changes.Aggregate(platform.Read(file), (text, change) => text.Replace(change.From, change.To, StringComparison.Ordinal)));
        }

        Change(
            "catalog/app/primary.yaml", ("instanceClass: db.t3.medium", "instanceClass: db.t3.large"), ("multiAz: true", "multiAz: false"), ("backupRetention: 7", "backupRetention: 3"),
            ("encryption: {algorithm: AES256}", "encryption: {algorithm: \"aws:kms\", kmsKeyId: \"arn:aws:kms:us-east-1:123456789012:key/other\"}"),
            ("noncurrentVersionExpirationDays: 30", "noncurrentVersionExpirationDays: 60, expirationDays: 90"));
        if (aws.RecordsGoBack)
            Change("catalog/app/record.yaml", ("ttl: 60", "ttl: 30"), ("${region}.example.net", "other.example.net"), ("weight: 50", "weight: 10"));
        if (forGood)
            Change("catalog/app/primary.yaml", ("engineVersion: \"16.4\"", "engineVersion: \"16.6\""), ("allocatedStorage: 20", "allocatedStorage: 40"), ("days: 1", "days: 2"));
    }

    /// <summary>Keeps what is applied in the primary region, as an upgrade does before it changes it.</summary>
    public Task<CapturedComponent> CaptureAsync(ProvisioningPlan plan, string operation) =>
        platform.RunAsync(() => Activities.CaptureComponentAsync(new(Reference(plan, Primary, operation, "app"), plan.Components.Single(planned => planned.Region == Primary))));

    /// <summary>Returns the primary region to what was kept, while time passes.</summary>
    public Task<ComponentReport> RestoreAsync(ProvisioningPlan plan, CapturedComponent captured, string operation) =>
        WhileTimePassesAsync(() => Activities.RestoreComponentAsync(new(Reference(plan, Primary, operation, "app"), captured)));

    /// <summary>Takes the product's own catalog instead.</summary>
    /// <param name="database">What is specified of the managed database.</param>
    public void UseCatalog(IReadOnlyList<string> names, string database = "")
    {
        components = names;
        // What stands under the records; it is listed, and not provisioned here.
        string[] ground = ["namespaces", "artifactory", "argo-cd", "cert-manager", "vault", "certificates", "ingress-nginx", "waf", "load-balancer"];
        var spaces = string.Concat(new[] { "edge", "infrastructure", "ingress", "security" }.Select(space => $"{space}: {{purpose: Tests, networkPolicy: cluster-wide-access, resourceClass: minimal}}, "));
        var parameters = new Dictionary<string, string>
        {
            ["dns-route53"] = $"zone: {Zone}, entry: lb.example.net",
            ["managed-database"] = $"certificateAuthority: the sandbox's, {database}",
            ["object-storage"] = "replicationRole: \"arn:aws:iam::123456789012:role/replicator\"",
        };
        platform.Write("specification/platform.yaml", platform.PlatformOf($"{{{string.Join(", ", names.Concat(ground).Select(name => $"{name}: {{{parameters.GetValueOrDefault(name)}}}"))}}}").Replace($"{platform.Space}:", $"{spaces}temporal-backend:", StringComparison.Ordinal));
        Activities = platform.ActivitiesWith(connections, catalog: Path.Combine(PlanSizeTests.Root, "k8s", "components"));
    }

    public async Task<IReadOnlyList<PlannedObject>> PlanAsync() => [.. (await PlannedAsync()).Components.SelectMany(component => component.Objects)];

    /// <summary>What the plan for the whole environment says of the component when it is switched off.</summary>
    public async Task<IReadOnlyList<PlannedObject>> RetiredAsync()
    {
        platform.Write("specification/platform.yaml", platform.PlatformOf("{ground: {}, app: {enabled: false} }"));
        var plan = (await platform.RunAsync(() => Activities.PlanEnvironmentAsync(new(platform.Environment)))).Plan;
        return [.. plan.Components.Where(component => component.Retired).SelectMany(component => component.Objects)];
    }

    /// <summary>Plans, and applies region by region as a run does: each becomes healthy before the next begins.</summary>
    public async Task<IReadOnlyList<ObjectOutcome>> ProvisionAsync(string operation = "op-1", string? only = null, string component = "app")
    {
        var plan = await PlannedAsync();
        var outcomes = new List<ObjectOutcome>();
        foreach (var region in new[] { Primary, Secondary }.Where(region => only is null || region == only))
        {
            outcomes.AddRange((await ApplyAsync(plan, region, operation, component)).Objects);
            aws.LetTimePass();
            Health.Add((await platform.RunAsync(() => Activities.AwaitHealthAsync(new(Reference(plan, region, operation, component), TimeSpan.FromMinutes(2))))).Message);
        }

        return outcomes;
    }

    /// <summary>What the gates said.</summary>
    public List<string> Health { get; } = [];

    public async Task<ProvisioningPlan> PlannedAsync() => (await platform.RunAsync(() => Activities.PlanEnvironmentAsync(new(platform.Environment, components)))).Plan;

    /// <param name="passing">Whether time passes meanwhile.</param>
    public Task<ComponentReport> ApplyAsync(ProvisioningPlan plan, string region, string operation = "op-1", string component = "app", bool passing = false)
    {
        Task<ComponentReport> Apply() => Activities.ApplyComponentAsync(
            new(Reference(plan, region, operation, component), plan.Components.Single(planned => planned.Region == region && planned.Component == component)));
        return waits || passing ? WhileTimePassesAsync(Apply) : platform.RunAsync(Apply);
    }

    /// <summary>Removes, while time passes.</summary>
    public Task<RemovedObjects> RemoveAsync(string region, string operation = "op-1") =>
        WhileTimePassesAsync(() => Activities.RemoveCreatedAsync(new(platform.Environment, operation, "app", region)));

    public async Task<IReadOnlyList<ResourceAddress>> ListAsync(string operation = "op-1") =>
        (await platform.RunAsync(() => Activities.ListCreatedAsync(new(platform.Environment, operation, "app")))).Objects;

    public Task<ApplicationFailureException> FailsAsync(string type, Func<Task> activity) => platform.FailsAsync(type, activity);

    public ValueTask DisposeAsync() => platform.DisposeAsync();

    private async Task<T> WhileTimePassesAsync<T>(Func<Task<T>> activity, ActivityEnvironment? environment = null)
    {
        var running = platform.RunAsync(activity, environment);
        var late = Task.Delay(TimeSpan.FromMinutes(3));
        while (await Task.WhenAny(running, Task.Delay(100)) != running)
        {
            Assert.False(late.IsCompleted, "The activity does not end, however much time passes.");
            aws.LetTimePass();
        }

        return await running;
    }

    private ComponentReference Reference(ProvisioningPlan plan, string region, string operation, string component) => platform.Reference(plan, component, operation) with { Region = region };
}
