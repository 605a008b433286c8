using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Whether the platform's own Temporal answers with every declared namespace: at its address, and at every pod of the frontend where we can reach pods.</summary>
internal sealed class FrontendHealth(RegionConnections connections, SpecifiedEnvironment specified)
{
    public async Task<GateStatus> StatusAsync(TemporalFrontendGate gate, ComponentDefinition component, RegionSpecification region, CancellationToken ct)
    {
        var declared = ManifestRenderer.Render(specified.Environment, component, region.Name)
            .Where(item => item.Address is { ApiVersion: ResourceAddress.TemporalApiVersion, Kind: TemporalNamespaces.Kind }).Select(item => item.Address.Name).ToList();
        var status = await AskAsync($"Temporal frontend {gate.Namespace}/{gate.Service}", connections.Temporal(region.Name, gate), declared, ct);
        if (status.State != GateState.Passed || !connections.ReachesPods(region.Name))
            return status;
        // A namespace that one pod has not read yet is refused to every client whose call comes there.
        var pods = await new ClusterHealth(connections.Cluster(region)).EndpointAddressesAsync(gate.Namespace, gate.Service, gate.Port, ct);
        foreach (var pod in pods)
        {
            using var frontend = connections.TemporalPod(region.Name, gate, pod);
            if (await AskAsync($"Temporal frontend {gate.Namespace}/{gate.Service}, pod at", frontend, declared, ct) is { State: not GateState.Passed } behind)
                return behind;
        }

        return pods.Count == 0
            ? GateStatus.OnTheWay($"{status.Message}, but its Service has no ready endpoint")
            : GateStatus.Passed($"{status.Message}, on each of {pods.Count} pods");
    }

    private static async Task<GateStatus> AskAsync(string name, TemporalCluster temporal, List<string> declared, CancellationToken ct)
    {
        try
        {
            var version = await temporal.VersionAsync(ct);
            var visible = (await new TemporalNamespaces(temporal).ListAsync(ct)).Select(item => item.Address.Name).ToHashSet();
            var missing = declared.Where(space => !visible.Contains(space)).ToList();
            var frontend = $"{name} ({temporal.Address}, server {version})";
            return missing.Count > 0
                ? GateStatus.OnTheWay($"{frontend} does not show the namespaces {string.Join(", ", missing)} yet")
                : GateStatus.Passed($"{frontend} answers and shows {declared.Count} namespaces");
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return GateStatus.OnTheWay(failure.Message.TrimEnd('.'));
        }
    }
}
