using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Traffic;

/// <summary>EndpointSlices of every Service that selects pods: one for each set of ports. Only where the server has discovery.k8s.io/v1.</summary>
internal sealed class EndpointSliceController : Controller
{
    private const string ServiceName = "kubernetes.io/service-name";
    private const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    private const string Manager = "endpointslice-controller.k8s.io";

    public EndpointSliceController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Services);
        On(Resources.EndpointSlices, change => change.Latest.Labels.Text(ServiceName) is { } service
            ? [new ObjectKey(change.Latest.Namespace, service)]
            : []);
        On(Resources.Pods, change => EndpointsController.ServicesOf(cluster, change));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        // The slices of a Service that is gone are its dependents: the garbage collector takes them.
        if (Cluster.Of(Resources.Services).Find(key) is not { Deleting: false } service
            || service.Spec.Fields("selector") is not { Count: > 0 } || service.Spec.Text("type") == "ExternalName")
            return;
        var groups = AddressGroup.Of(Cluster, service).ToList();
        // A Service without a ready pod has one empty slice, as in a real cluster.
        if (groups.Count == 0)
            groups.Add(new([], []));
        for (var number = 0; number < groups.Count; number++)
            await WriteAsync(service, Name(service, number), groups[number], ct);
        var names = Enumerable.Range(0, groups.Count).Select(number => Name(service, number)).ToHashSet();
        foreach (var surplus in Cluster.Of(Resources.EndpointSlices).ManagedBy(service).Where(slice => !names.Contains(slice.Name) && !slice.Deleting))
            await Cluster.DeleteAsync(surplus, ct);
    }

    private static string Name(ClusterObject service, int number) => $"{service.Name}-{PodTemplate.Hash($"{service.Name}/{number}", 5)}";

    private async Task WriteAsync(ClusterObject service, string name, AddressGroup group, CancellationToken ct)
    {
        var endpoints = group.Addresses.Select(Endpoint).ToJson();
        var ports = group.Ports.Select(port => new JsonObject { ["name"] = port.Name, ["port"] = port.Port, ["protocol"] = port.Protocol }).ToJson();
        var existing = Cluster.Of(Resources.EndpointSlices).Find(service.Namespace, name);
        if (existing is { Deleting: false })
        {
            var difference = JsonDifference.Patch(existing.Body, new JsonObject { ["endpoints"] = endpoints, ["ports"] = ports });
            if (difference.Count > 0)
                await Cluster.PatchAsync(existing, difference, ct);
            return;
        }
        var labels = service.Labels.Copy();
        labels[ServiceName] = service.Name;
        labels[ManagedBy] = Manager;
        await Cluster.CreateAsync(Resources.EndpointSlices, service.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["namespace"] = service.Namespace,
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(service.AsController()),
            },
            ["addressType"] = "IPv4",
            ["endpoints"] = endpoints,
            ["ports"] = ports,
        }, ct);
    }

    private static JsonObject Endpoint(ReadyAddress address) => new()
    {
        ["addresses"] = new JsonArray(address.Ip),
        ["conditions"] = new JsonObject { ["ready"] = true, ["serving"] = true, ["terminating"] = false },
        ["nodeName"] = address.Pod.Spec.Text("nodeName"),
        ["targetRef"] = AddressGroup.Target(address.Pod),
    };
}
