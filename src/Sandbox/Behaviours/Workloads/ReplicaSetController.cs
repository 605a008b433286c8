using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>ReplicaSet: as many pods as it asks for.</summary>
internal sealed class ReplicaSetController : Controller
{
    public ReplicaSetController(Cluster cluster, BehaviourOptions options) : base(cluster, options, workers: 4)
    {
        For(Resources.ReplicaSets);
        ForManaged(Resources.Pods, "ReplicaSet");
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.ReplicaSets).Find(key) is not { Deleting: false } set)
            return;
        await Adoption.TakeAsync(Cluster, set, Resources.Pods, ct);
        var refused = await SettleAsync(set, ct);
        await WriteStatusAsync(set, refused, ct);
        if (refused is not null)
            throw refused;
    }

    private async Task<ClusterError?> SettleAsync(ClusterObject set, CancellationToken ct)
    {
        var pods = Cluster.Of(Resources.Pods);
        var active = pods.ManagedBy(set).Where(PodState.IsActive).ToList();
        var missing = (set.Spec.Number("replicas") ?? 1) - active.Count;
        foreach (var pod in active.OrderBy(Keepworthiness).ThenBy(DeletionCost).ThenByDescending(pod => pod.Created).Take(Math.Max(0, -missing)))
            await Cluster.DeleteAsync(pod, ct);
        for (var number = 0; missing > 0; number++)
        {
            var name = $"{set.Name}-{PodTemplate.Hash($"{set.Name}/{number}", 5)}";
            if (pods.Find(set.Namespace, name) is not null)
                continue;
            try
            {
                var pod = PodTemplate.Pod(set, set.Spec.At("template"), name);
                pod.Fields("metadata")!["generateName"] = set.Name + "-";
                await Cluster.CreateAsync(Resources.Pods, set.Namespace, pod, ct);
            }
            catch (ClusterError error) when (!error.Conflict)
            {
                return error;
            }
            missing--;
        }
        return null;
    }

    // What serves least goes first.
    private static int Keepworthiness(ClusterObject pod) =>
        PodState.IsReady(pod) ? 3 : PodState.Phase(pod) == "Running" ? 2 : pod.Spec.Text("nodeName") is not null ? 1 : 0;

    // Of equals, the one that somebody said is missed least.
    private static int DeletionCost(ClusterObject pod) =>
        int.TryParse(pod.Annotations.Text("controller.kubernetes.io/pod-deletion-cost"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) ? cost : 0;

    private async Task WriteStatusAsync(ClusterObject set, ClusterError? refused, CancellationToken ct)
    {
        var pods = Cluster.Of(Resources.Pods).ManagedBy(set).Where(PodState.IsActive).ToList();
        var minReady = Options.Scaled(TimeSpan.FromSeconds(set.Spec.Number("minReadySeconds") ?? 0));
        var availableIn = pods.Select(pod => PodState.AvailableIn(pod, minReady, Now)).ToList();
        if (availableIn.Where(left => left > TimeSpan.Zero).Min() is { } soonest)
            LookAgain(set.Key, soonest);
        var template = set.Spec.At("template").At("metadata").Fields("labels");
        var others = set.Status.Items("conditions").Where(condition => condition.Text("type") != "ReplicaFailure").ToJson();
        await Cluster.PatchStatusAsync(set, new JsonObject
        {
            ["replicas"] = pods.Count,
            ["fullyLabeledReplicas"] = pods.Count(pod => LabelQuery.Contains(pod.Labels, template)),
            ["readyReplicas"] = pods.Count(PodState.IsReady),
            ["availableReplicas"] = availableIn.Count(left => left == TimeSpan.Zero),
            ["observedGeneration"] = set.Generation,
            ["conditions"] = refused is null
                ? others
                : Conditions.Set(set.Status, Now, [new("ReplicaFailure", true, "FailedCreate", refused.Message)]),
        }, ct);
    }
}
