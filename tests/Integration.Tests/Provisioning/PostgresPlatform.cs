using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Integration.Tests.Kubernetes;
using PlatformOps.Integration.Tests.Postgres;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Integration.Tests.Provisioning;

/// <summary>A platform whose component has objects on a real PostgreSQL server, under names of its own.</summary>
internal sealed class PostgresPlatform : IAsyncDisposable
{
    private readonly ProvisioningActivities activities;

    private PostgresPlatform(TestPlatform platform, string kubeconfig, PostgresCluster server, bool played, string? address, Func<RegionConnection, RegionConnection>? changed)
    {
        Platform = platform;
        var access = played ? new PostgresAccess(Played: true) : new(address ?? server.Address, PostgresCluster.Owner, server.PasswordFile, CertificateAuthority: server.Authority);
        var region = new RegionConnection { Kubeconfig = kubeconfig, Postgresql = access };
        activities = platform.ActivitiesWith(new Dictionary<string, RegionConnection> { [TestPlatform.Region] = changed?.Invoke(region) ?? region });
        platform.Write("catalog/app/component.yaml", $$"""
            name: app
            summary: Objects of PostgreSQL.
            plane: data
            namespace: {{platform.Space}}
            dependsOn: [ground]
            health: [ {postgresql: {service: postgresql} } ]
            manifests: [settings.yaml]
            """);
        platform.Remove("catalog/app/extra.yaml");
        platform.Remove("catalog/app/web.yaml");
    }

    public TestPlatform Platform { get; }

    /// <param name="changed">Changes how the region is reached.</param>
    public static async Task<PostgresPlatform> CreateAsync(TestCluster cluster, PostgresCluster server, bool played = false, string? address = null, Func<RegionConnection, RegionConnection>? changed = null)
    {
        await server.StartAsync();
        var platform = await TestPlatform.CreateAsync(cluster);
        return new(platform, cluster.Kubeconfig(platform.Proxy.Address, platform.Proxy.Token), server, played, address, changed);
    }

    /// <summary>A name on the server. Of characters that want quoting, except for slots, which may not have them.</summary>
    public string Name(string of) => of.StartsWith("slot", StringComparison.Ordinal) ? $"{of}_{Platform.Suffix}" : $"{of}-{Platform.Suffix}";

    /// <summary>Declares objects: kind, name and specification of each.</summary>
    public void Declare(params (string Kind, string Name, string Spec)[] objects) => Platform.Write("catalog/app/settings.yaml", string.Join("\n---\n", objects.Select(item => $"""
        apiVersion: postgresql.platformops.io/v1
        kind: {item.Kind}
        metadata: {"{"}name: "{Name(item.Name)}"{"}"}
        spec: {item.Spec}
        """)));

    public async Task<ProvisioningPlan> PlanAsync() => (await Platform.PlanAsync(activities)).Plan;

    public static IReadOnlyList<PlannedObject> Objects(ProvisioningPlan plan) => plan.Components.Single(component => component.Component == "app").Objects;

    public async Task<IReadOnlyList<ObjectOutcome>> ApplyAsync(string operation = "op-1", ProvisioningPlan? plan = null) =>
        (await Platform.ApplyAsync(plan ?? await PlanAsync(), "app", operation, activities: activities)).Objects;

    public async Task<IEnumerable<string>> RemoveAsync(string operation = "op-1") =>
        (await Platform.RunAsync(() => activities.RemoveCreatedAsync(new(Platform.Environment, operation, "app", TestPlatform.Region)))).Objects.Select(address => address.Name);

    public ValueTask DisposeAsync() => Platform.DisposeAsync();
}
