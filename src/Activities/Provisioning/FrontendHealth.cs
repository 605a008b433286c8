using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Whether the platform's own Temporal answers with every declared namespace: at its address, and at every pod of the frontend where we can reach pods.</summary>
internal sealed class FrontendHealth(RegionConnections connections)
{
    /// <param name="objects">What the component declares.</param>
    public async Task<GateStatus> StatusAsync(TemporalFrontendGate gate, IReadOnlyList<DesiredObject> objects, RegionSpecification region, CancellationToken ct)
    {
        var declared = objects
            .Where(item => item.Address is { ApiVersion: ResourceAddress.TemporalApiVersion, Kind: TemporalNamespaces.Kind }).ToList();
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

    /// <summary>Whether a workflow completes there.</summary>
    public async Task<GateStatus> CanaryAsync(CanaryGate gate, RegionSpecification region, CancellationToken ct)
    {
        var temporal = connections.Temporal(region.Name, gate.Service, gate.Namespace, gate.Port);
        try
        {
            return await new CanaryWorkflow(temporal).CompletesAsync(gate.TemporalNamespace, ct)
                ? GateStatus.Passed($"a canary workflow completed in namespace {gate.TemporalNamespace} of {temporal.Address}")
                : GateStatus.OnTheWay($"The task of a canary workflow in namespace {gate.TemporalNamespace} of {temporal.Address} was not handed out");
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled or AdapterFailureKind.Moved)
        {
            return GateStatus.OnTheWay(failure.Message.TrimEnd('.'));
        }
    }

    private static async Task<GateStatus> AskAsync(string name, TemporalCluster temporal, List<DesiredObject> declared, CancellationToken ct)
    {
        try
        {
            var version = await temporal.VersionAsync(ct);
            var visible = (await new TemporalNamespaces(temporal).ListAsync(ct)).ToDictionary(item => item.Address.Name, item => item.Manifest);
            var missing = declared.Where(space => !visible.ContainsKey(space.Address.Name)).Select(space => space.Address.Name).ToList();
            var attributes = declared.Where(space => visible.ContainsKey(space.Address.Name)).SelectMany(space => Missing(space, visible[space.Address.Name])).ToList();
            var frontend = $"{name} ({temporal.Address}, server {version})";
            return (missing, attributes) switch
            {
                ({ Count: > 0 }, _) => GateStatus.OnTheWay($"{frontend} does not show the namespaces {string.Join(", ", missing)} yet"),
                (_, { Count: > 0 }) => GateStatus.OnTheWay($"{frontend} does not show the search attributes {string.Join(", ", attributes)} yet"),
                _ => GateStatus.Passed($"{frontend} answers and shows {declared.Count} namespaces with their search attributes"),
            };
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Throttled)
        {
            return GateStatus.OnTheWay(failure.Message.TrimEnd('.'));
        }
    }

    private static IEnumerable<string> Missing(DesiredObject space, JsonObject live) => (space.Manifest["spec"]?["searchAttributes"] as JsonObject ?? [])
        .Where(attribute => live["spec"]?["searchAttributes"]?[attribute.Key] is null)
        .Select(attribute => $"{space.Address.Name}/{attribute.Key}");
}
