using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Learns what is there in a region: in its Kubernetes cluster, and in the platform's own Temporal. Changes nothing.</summary>
internal sealed class RegionObserver(RegionConnections connections, TimeProvider time)
{
    /// <summary>Everything of our labels among some kinds, and whatever is at some addresses.</summary>
    /// <exception cref="AdapterException">Something could not be read: then there is no observation at all.</exception>
    public async Task<RegionObservation> ObserveAsync(
        SpecifiedEnvironment specified, RegionSpecification region, IReadOnlyCollection<ObjectKind> kinds, IReadOnlyCollection<ResourceAddress> addresses, CancellationToken ct)
    {
        var cluster = connections.Cluster(region);
        var objects = await new LiveObjects(cluster).ObserveAsync(kinds.Where(InKubernetes), specified.Labels, addresses.Where(InKubernetes), ct);
        var namespaces = kinds.All(InKubernetes) ? [] : await TemporalNamespacesAsync(specified, cluster, ct);
        return new()
        {
            Region = region.Name,
            Objects = [.. objects, .. namespaces],
            ObservedAt = time.GetUtcNow(),
            Source = cluster.Account.Address,
        };
    }

    /// <summary>The gate that says where the platform's own Temporal answers.</summary>
    public static TemporalFrontendGate Frontend(SpecifiedEnvironment specified) =>
        specified.InDependencyOrder().SelectMany(component => component.Health).OfType<TemporalFrontendGate>().FirstOrDefault()
            ?? throw new AdapterException(
                AdapterFailureKind.Rejected,
                $"The catalog has objects of {ResourceAddress.TemporalApiVersion}, but no component with a temporalFrontend gate that says where Temporal answers. Add one to the component that has them.");

    public static bool InKubernetes(ResourceAddress address) => address.ApiVersion != ResourceAddress.TemporalApiVersion;

    private static bool InKubernetes(ObjectKind kind) => kind.ApiVersion != ResourceAddress.TemporalApiVersion;

    /// <summary>There are no namespaces before there is a Temporal: only the cluster can prove that, by having no Service for it. A frontend
    /// that is merely out of reach proves nothing.</summary>
    private async Task<IReadOnlyList<ObservedObject>> TemporalNamespacesAsync(SpecifiedEnvironment specified, KubernetesConnection cluster, CancellationToken ct)
    {
        var frontend = Frontend(specified);
        if (!await new ClusterHealth(cluster).ServiceExistsAsync(frontend.Namespace, frontend.Service, ct))
            return [];
        try
        {
            return await new TemporalNamespaces(connections.Temporal(cluster.Region, frontend)).ListAsync(ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            throw new AdapterException(
                AdapterFailureKind.Unavailable,
                $"{failure.Message} Service {frontend.Namespace}/{frontend.Service} exists, so that Temporal may have namespaces which cannot be seen now. "
                + "Bring it up first, if need be by provisioning its components alone (field 'components').",
                failure);
        }
    }
}
