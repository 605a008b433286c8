using System.Net;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Gives every pod a node: of those that fit, the one with the fewest pods of the same workload. Nodes are never full.</summary>
internal sealed class Scheduler : Controller
{
    /// <summary>How often a pod that was told to misbehave is asked about again.</summary>
    public static readonly TimeSpan Recheck = TimeSpan.FromSeconds(1);
    // Bound, but not yet seen so: the next choice has to know.
    private readonly Dictionary<ObjectKey, (string Uid, string Node)> _bound = [];
    private bool _hasBinding = true;

    // One worker: two choices at once could not see each other.
    public Scheduler(Cluster cluster, BehaviourOptions options) : base(cluster, options, workers: 1)
    {
        For(Resources.Pods);
        On(Resources.Nodes, _ => cluster.Of(Resources.Pods).All.Where(IsWaiting).Select(pod => pod.Key));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Pods).Find(key) is not { } pod || !IsWaiting(pod))
        {
            _bound.Remove(key);
            return;
        }
        if (_bound.TryGetValue(key, out var bound) && bound.Uid == pod.Uid)
            return;
        var nodes = Cluster.Of(Resources.Nodes).All.OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
        if (Options.Misbehaviour(pod.Namespace, WorkloadOf.Name(Cluster, pod)) == MisbehaviourKind.Unschedulable)
        {
            LookAgain(key, Recheck);
            await RefuseAsync(pod, $"0/{nodes.Count} nodes are available: {nodes.Count} Insufficient cpu.", ct);
            return;
        }
        var refusals = nodes.Select(node => (Node: node, Reason: NodeFit.Refusal(pod.Spec, node))).ToList();
        if (Choose(pod, refusals.Where(one => one.Reason is null).Select(one => one.Node)) is { } chosen)
        {
            await BindAsync(pod, chosen, ct);
            _bound[key] = (pod.Uid, chosen.Name);
            return;
        }
        var reasons = string.Join(", ", refusals.CountBy(one => one.Reason ?? "").OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => $"{one.Value} {one.Key}"));
        await RefuseAsync(pod, nodes.Count == 0 ? "no nodes available to schedule pods" : $"0/{nodes.Count} nodes are available: {reasons}.", ct);
    }

    /// <summary>Looks at every pod without a node again, because what it was told about misbehaviours may have changed.</summary>
    public void Reconsider()
    {
        foreach (var pod in Cluster.Of(Resources.Pods).All.Where(IsWaiting))
            Look(pod.Key);
    }

    private static bool IsWaiting(ClusterObject pod) => pod.Spec.Text("nodeName") is null && PodState.IsActive(pod);

    private ClusterObject? Choose(ClusterObject pod, IEnumerable<ClusterObject> fitting)
    {
        var workload = WorkloadOf.Name(Cluster, pod);
        var taken = Cluster.Of(Resources.Pods).In(pod.Namespace)
            .Where(other => WorkloadOf.Name(Cluster, other) == workload)
            .Select(other => other.Spec.Text("nodeName")
                ?? (_bound.TryGetValue(other.Key, out var bound) && bound.Uid == other.Uid ? bound.Node : null))
            .OfType<string>()
            .CountBy(node => node)
            .ToDictionary();
        return fitting.OrderBy(node => taken.GetValueOrDefault(node.Name))
            .ThenBy(node => PodTemplate.Hash($"{workload}/{node.Name}", 10), StringComparer.Ordinal)
            .FirstOrDefault();
    }

    private async Task BindAsync(ClusterObject pod, ClusterObject node, CancellationToken ct)
    {
        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Name, ["namespace"] = pod.Namespace, ["uid"] = pod.Uid },
            ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node.Name },
        };
        if (_hasBinding)
        {
            try
            {
                await Cluster.Client.SendToAsync(HttpMethod.Post, pod, "binding", binding, ct);
                return;
            }
            catch (ClusterError error) when (error.Code is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
            {
                if (await Cluster.Client.FindAsync(Resources.Pods, pod.Namespace, pod.Name, ct) is null)
                    return;
                _hasBinding = false;
            }
        }
        await Cluster.PatchAsync(pod, new JsonObject { ["spec"] = new JsonObject { ["nodeName"] = node.Name } }, ct);
    }

    private async Task RefuseAsync(ClusterObject pod, string message, CancellationToken ct) => await Cluster.PatchStatusAsync(pod, new JsonObject
    {
        ["phase"] = "Pending",
        ["conditions"] = Conditions.Set(pod.Status, Now, [new("PodScheduled", false, "Unschedulable", message)]),
    }, ct);
}
