using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Declared;
using PlatformOps.Adapters.Cloudflare;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Which outside system holds an object, by its <c>apiVersion</c>: the one place to name a new system.</summary>
internal sealed class DeclaredSystems(RegionConnections connections, SpecifiedEnvironment specified)
{
    private readonly Lazy<IReadOnlySet<string>> zones = new(() => specified.DnsZones);

    /// <summary>Whose group is none of these is held by the cluster.</summary>
    private Dictionary<string, Func<RegionSpecification, IDeclaredObjects>> Others => new()
    {
        [ResourceAddress.TemporalApiVersion] = Namespaces,
        [ResourceAddress.AwsApiVersion] = region => new AwsObjects(region.Name, specified.Labels, zones.Value, connections.Aws, new SecretReader(Cluster(region)).FindAsync),
        [ResourceAddress.PostgresqlApiVersion] = region => connections.PostgresqlObjects(Gate<PostgresqlGate>(ResourceAddress.PostgresqlApiVersion, "postgresql", "PostgreSQL"), region),
        [CloudflareObjects.ApiVersion] = region => connections.External(region.Name).Cloudflare(),
    };

    /// <summary>The system that holds the objects of an <c>apiVersion</c> in a region.</summary>
    public IDeclaredObjects Of(string apiVersion, RegionSpecification region) =>
        Others.TryGetValue(apiVersion, out var other) ? other(region) : new ClusterObjects(Cluster(region));

    /// <summary>Whether it is the cluster that holds objects of an <c>apiVersion</c>.</summary>
    public bool InCluster(string apiVersion) => !Others.ContainsKey(apiVersion);

    /// <summary>Objects or kinds, by the system that holds them. Those of external services are held by none: they are verified only.</summary>
    public IEnumerable<(IDeclaredObjects System, IReadOnlyList<T> Items)> BySystem<T>(IEnumerable<T> items, Func<T, string> apiVersion, RegionSpecification region) =>
        items.Where(item => apiVersion(item) != ObjectKind.ExternalApiVersion)
            .GroupBy(item => InCluster(apiVersion(item)) ? "" : apiVersion(item)).Select(held => (Of(held.Key, region), (IReadOnlyList<T>)[.. held]));

    /// <summary>Whether it is stated how a region reaches a system, so that it can be asked although no component of the environment has anything there by now.</summary>
    public bool IsStated(string apiVersion, RegionSpecification region) => apiVersion switch
    {
        ResourceAddress.AwsApiVersion => connections.StatesAws(region.Name),
        CloudflareObjects.ApiVersion => connections.States(region.Name, "cloudflare"),
        // Its Service says whether there is one.
        ResourceAddress.TemporalApiVersion => Gates<TemporalFrontendGate>().Any(),
        ResourceAddress.PostgresqlApiVersion => connections.StatesPostgresql(region.Name) && Gates<PostgresqlGate>().Any(),
        _ => false,
    };

    /// <summary>The kinds of systems that hold few, whether or not the catalog has objects of them by now.</summary>
    public static IReadOnlyList<ObjectKind> KindsOfServers { get; } =
    [
        new(ResourceAddress.TemporalApiVersion, TemporalNamespaces.Kind), .. PostgresObjects.AllKinds.Select(kind => new ObjectKind(ResourceAddress.PostgresqlApiVersion, kind)),
    ];

    /// <summary>Whether a system that only retired components have objects in can be asked at this moment.</summary>
    public async Task<bool> AnswersAsync(ObjectKind kind, RegionSpecification region, CancellationToken ct)
    {
        try
        {
            await Of(kind.ApiVersion, region).ObserveAsync([kind], specified.Labels, [], ct);
            return true;
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Unauthorized)
        {
            return false;
        }
    }

    /// <summary>Whether a system shows the same objects in all regions.</summary>
    public static bool IsOneForAllRegions(string apiVersion) => apiVersion == CloudflareObjects.ApiVersion;

    public KubernetesConnection Cluster(RegionSpecification region) => connections.Cluster(region);

    private NamespaceObjects Namespaces(RegionSpecification region)
    {
        var frontend = Gate<TemporalFrontendGate>(ResourceAddress.TemporalApiVersion, "temporalFrontend", "Temporal");
        return new(
            connections.Temporal(region.Name, frontend), $"{frontend.Namespace}/{frontend.Service}",
            ct => new ClusterHealth(Cluster(region)).ServiceExistsAsync(frontend.Namespace, frontend.Service, ct));
    }

    private T Gate<T>(string apiVersion, string name, string system)
        where T : HealthGate => Gates<T>().FirstOrDefault() ?? throw new AdapterException(
            AdapterFailureKind.Rejected, $"The catalog has objects of {apiVersion}, but no component with a {name} gate that says where {system} answers. Add one to the component that has them.");

    /// <summary>Those of the environment's components first: one that is switched off may have left objects.</summary>
    private IEnumerable<T> Gates<T>()
        where T : HealthGate => specified.InDependencyOrder().Concat(specified.Catalog.Components).SelectMany(component => component.Health).OfType<T>();
}
