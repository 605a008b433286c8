using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Traffic;

/// <summary>Endpoints of every Service that selects pods: the ready ones.</summary>
internal sealed class EndpointsController : Controller
{
    private const string ManagedBy = "endpoints.kubernetes.io/managed-by";

    public EndpointsController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.Services);
        For(Resources.Endpoints);
        On(Resources.Pods, change => ServicesOf(cluster, change));
    }

    /// <summary>The Services that may care about a pod's change.</summary>
    public static IEnumerable<ObjectKey> ServicesOf(Cluster cluster, ObjectChange change) => cluster.Of(Resources.Services).In(change.Latest.Namespace)
        .Where(service => service.Spec.Fields("selector") is { Count: > 0 } selector
            && (LabelQuery.Contains(change.Latest.Labels, selector) || change.Before is { } before && LabelQuery.Contains(before.Labels, selector)))
        .Select(service => service.Key);

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var service = Cluster.Of(Resources.Services).Find(key);
        var existing = Cluster.Of(Resources.Endpoints).Find(key);
        if (service is null or { Deleting: true })
        {
            if (existing is { Deleting: false } && existing.Labels.ContainsKey(ManagedBy))
                await Cluster.DeleteAsync(existing, ct);
            return;
        }
        if (service.Spec.Fields("selector") is not { Count: > 0 } || service.Spec.Text("type") == "ExternalName")
            return;
        var subsets = AddressGroup.Of(Cluster, service).Select(Subset).ToJson();
        var labels = service.Labels.Copy();
        labels[ManagedBy] = "endpoint-controller";
        if (service.Spec.Text("clusterIP") == "None")
            labels["service.kubernetes.io/headless"] = "";
        if (existing is null)
            await Cluster.CreateAsync(Resources.Endpoints, service.Namespace, new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = service.Name, ["namespace"] = service.Namespace, ["labels"] = labels },
                ["subsets"] = subsets,
            }, ct);
        else if (!JsonDifference.Same(existing.Body.At("subsets"), subsets))
            await Cluster.PatchAsync(existing, new JsonObject { ["subsets"] = subsets }, ct);
    }

    private static JsonObject Subset(AddressGroup group) => new()
    {
        ["addresses"] = group.Addresses.Select(address => new JsonObject
        {
            ["ip"] = address.Ip,
            ["nodeName"] = address.Pod.Spec.Text("nodeName"),
            ["targetRef"] = AddressGroup.Target(address.Pod),
        }).ToJson(),
        ["ports"] = group.Ports.Select(port =>
        {
            var item = new JsonObject { ["port"] = port.Port, ["protocol"] = port.Protocol };
            if (port.Name.Length > 0)
                item["name"] = port.Name;
            return item;
        }).ToJson(),
    };
}
