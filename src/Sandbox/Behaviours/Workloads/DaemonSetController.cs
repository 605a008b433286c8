using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Pods;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>DaemonSet: one pod on every node that fits.</summary>
internal sealed class DaemonSetController : Controller
{
    public DaemonSetController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.DaemonSets);
        ForManaged(Resources.Pods, "DaemonSet");
        On(Resources.Nodes, _ => cluster.Of(Resources.DaemonSets).All.Select(set => set.Key));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.DaemonSets).Find(key) is not { Deleting: false } set)
            return;
        await Adoption.TakeAsync(Cluster, set, Resources.Pods, ct);
        var revision = await Revisions.OfTemplateAsync(Cluster, set, ct);
        ClusterError? refused = null;
        try
        {
            await SettleAsync(set, revision, ct);
        }
        catch (ClusterError error) when (!error.Conflict)
        {
            refused = error;
        }
        await WriteStatusAsync(set, revision, ct);
        if (refused is not null)
            throw refused;
        var used = Pods(set).Select(pod => $"{set.Name}-{pod.Labels.Text(PodTemplate.RevisionLabel)}").Append(revision.Name);
        await Revisions.ForgetOldAsync(Cluster, set, used, ct);
    }

    private List<ClusterObject> Pods(ClusterObject set) => [.. Cluster.Of(Resources.Pods).ManagedBy(set)];

    private List<string> WantedNodes(ClusterObject set)
    {
        var spec = DaemonPod.Spec(set.Spec.At("template").Fields("spec") ?? [], null);
        return [.. Cluster.Of(Resources.Nodes).All.Where(node => !node.Deleting && NodeFit.Refusal(spec, node) is null)
            .Select(node => node.Name).Order(StringComparer.Ordinal)];
    }

    private async Task SettleAsync(ClusterObject set, ClusterObject revision, CancellationToken ct)
    {
        var wanted = WantedNodes(set);
        var byNode = Pods(set).ToLookup(DaemonPod.NodeOf);
        foreach (var pod in byNode.SelectMany(pods => pods))
            if (!pod.Deleting && (PodState.IsFinished(pod) || !wanted.Contains(DaemonPod.NodeOf(pod))))
                await Cluster.DeleteAsync(pod, ct);
        foreach (var node in wanted.Where(node => !byNode[node].Any()))
            await Cluster.CreateAsync(Resources.Pods, set.Namespace, DaemonPod.Of(set, node, Revisions.Hash(revision)), ct);
        await ReplaceAsync(set, revision, wanted, ct);
    }

    private async Task ReplaceAsync(ClusterObject set, ClusterObject revision, List<string> wanted, CancellationToken ct)
    {
        if (set.Spec.At("updateStrategy").Text("type") == "OnDelete")
            return;
        var pods = Pods(set).Where(PodState.IsActive).ToList();
        var limit = set.Spec.At("updateStrategy").At("rollingUpdate").At("maxUnavailable");
        var budget = Math.Max(1, RollingUpdate.Resolve(wanted.Count, limit ?? 1, up: true)) - (wanted.Count - pods.Count(IsAvailable));
        foreach (var old in pods.Where(pod => pod.Labels.Text(PodTemplate.RevisionLabel) != Revisions.Hash(revision)).OrderBy(IsAvailable))
        {
            // A pod that does not serve is replaced at no cost.
            if (IsAvailable(old) && budget-- <= 0)
                return;
            await Cluster.DeleteAsync(old, ct);
        }

        bool IsAvailable(ClusterObject pod) => AvailableIn(set, pod) == TimeSpan.Zero;
    }

    private async Task WriteStatusAsync(ClusterObject set, ClusterObject revision, CancellationToken ct)
    {
        var wanted = WantedNodes(set);
        var pods = Pods(set).Where(PodState.IsActive).ToList();
        var placed = pods.Where(pod => wanted.Contains(DaemonPod.NodeOf(pod))).ToList();
        var availableIn = placed.Select(pod => AvailableIn(set, pod)).ToList();
        if (availableIn.Where(left => left > TimeSpan.Zero).Min() is { } soonest)
            LookAgain(set.Key, soonest);
        var available = availableIn.Count(left => left == TimeSpan.Zero);
        await Cluster.PatchStatusAsync(set, new JsonObject
        {
            ["observedGeneration"] = set.Generation,
            ["desiredNumberScheduled"] = wanted.Count,
            ["currentNumberScheduled"] = placed.Count,
            ["numberMisscheduled"] = pods.Count - placed.Count,
            ["numberReady"] = placed.Count(PodState.IsReady),
            ["numberAvailable"] = available,
            ["numberUnavailable"] = wanted.Count - available,
            ["updatedNumberScheduled"] = placed.Count(pod => pod.Labels.Text(PodTemplate.RevisionLabel) == Revisions.Hash(revision)),
        }, ct);
    }

    private TimeSpan? AvailableIn(ClusterObject set, ClusterObject pod) =>
        PodState.AvailableIn(pod, Options.Scaled(TimeSpan.FromSeconds(set.Spec.Number("minReadySeconds") ?? 0)), Now);
}
