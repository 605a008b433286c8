using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>StatefulSet: pods name-0 to name-n, each with claims of its own that outlive it.</summary>
internal sealed class StatefulSetController : Controller
{
    public StatefulSetController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        For(Resources.StatefulSets);
        ForManaged(Resources.Pods, "StatefulSet");
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.StatefulSets).Find(key) is not { Deleting: false } set)
            return;
        await Adoption.TakeAsync(Cluster, set, Resources.Pods, ct);
        var update = await Revisions.OfTemplateAsync(Cluster, set, ct);
        var current = Cluster.Of(Resources.Revisions).Find(set.Namespace, set.Status.Text("currentRevision") ?? "") ?? update;
        ClusterError? refused = null;
        try
        {
            await SettleAsync(set, current, update, ct);
        }
        catch (ClusterError error) when (!error.Conflict)
        {
            refused = error;
        }
        await WriteStatusAsync(set, current, update, ct);
        if (refused is not null)
            throw refused;
        await Revisions.ForgetOldAsync(Cluster, set, Pods(set).Values.Select(RevisionName).Append(update.Name).Append(current.Name), ct);
    }

    private Dictionary<int, ClusterObject> Pods(ClusterObject set)
    {
        Dictionary<int, ClusterObject> pods = [];
        foreach (var pod in Cluster.Of(Resources.Pods).ManagedBy(set).Where(pod => pod.Name.StartsWith(set.Name + "-", StringComparison.Ordinal)))
            if (int.TryParse(pod.Name.AsSpan(set.Name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
                pods.TryAdd(ordinal, pod);
        return pods;
    }

    private async Task SettleAsync(ClusterObject set, ClusterObject current, ClusterObject update, CancellationToken ct)
    {
        var strategy = set.Spec.At("updateStrategy");
        var partition = strategy.At("rollingUpdate").Number("partition") ?? 0;
        var rules = new SetRules(
            set.Spec.Number("replicas") ?? 1, set.Spec.Text("podManagementPolicy") == "Parallel", strategy.Text("type") == "OnDelete", partition);
        var pods = Pods(set);
        var plan = StatefulSetPlan.Next(rules, pods.Select(pod => new SetMember(
            pod.Key, RevisionName(pod.Value) == update.Name, AvailableIn(set, pod.Value) == TimeSpan.Zero,
            pod.Value.Deleting, PodState.IsFinished(pod.Value))));
        foreach (var ordinal in plan.Delete)
            await Cluster.DeleteAsync(pods[ordinal], ct);
        foreach (var ordinal in plan.Create)
        {
            var (pod, claims) = StatefulPod.Of(set, ordinal, !rules.OnDelete && ordinal < partition ? current : update);
            foreach (var claim in claims)
                if (Cluster.Of(Resources.Claims).Find(set.Namespace, claim.At("metadata").Text("name")!) is null)
                    await Cluster.CreateAsync(Resources.Claims, set.Namespace, claim, ct);
            await Cluster.CreateAsync(Resources.Pods, set.Namespace, pod, ct);
        }
    }

    private async Task WriteStatusAsync(ClusterObject set, ClusterObject current, ClusterObject update, CancellationToken ct)
    {
        var pods = Pods(set).Values.Where(pod => !PodState.IsFinished(pod)).ToList();
        var serving = pods.Where(pod => !pod.Deleting).ToList();
        var availableIn = serving.Select(pod => AvailableIn(set, pod)).ToList();
        if (availableIn.Where(left => left > TimeSpan.Zero).Min() is { } soonest)
            LookAgain(set.Key, soonest);
        var (ready, updated) = (serving.Count(PodState.IsReady), serving.Count(pod => RevisionName(pod) == update.Name));
        if (current.Name != update.Name && updated == (set.Spec.Number("replicas") ?? 1) && ready == updated && pods.Count == updated)
            current = update;
        var status = new JsonObject
        {
            ["observedGeneration"] = set.Generation,
            ["replicas"] = pods.Count,
            ["readyReplicas"] = ready,
            ["currentReplicas"] = serving.Count(pod => RevisionName(pod) == current.Name),
            ["updatedReplicas"] = updated,
            ["currentRevision"] = current.Name,
            ["updateRevision"] = update.Name,
            ["collisionCount"] = 0,
        };
        if (Cluster.Minor >= 22)
            status["availableReplicas"] = availableIn.Count(left => left == TimeSpan.Zero);
        await Cluster.PatchStatusAsync(set, status, ct);
    }

    private TimeSpan? AvailableIn(ClusterObject set, ClusterObject pod) => PodState.Phase(pod) == "Running"
        ? PodState.AvailableIn(pod, Options.Scaled(TimeSpan.FromSeconds(set.Spec.Number("minReadySeconds") ?? 0)), Now)
        : null;

    // As in Kubernetes, the label of a StatefulSet's pods is the name of the revision.
    private static string RevisionName(ClusterObject pod) => pod.Labels.Text(PodTemplate.RevisionLabel) ?? "";
}
