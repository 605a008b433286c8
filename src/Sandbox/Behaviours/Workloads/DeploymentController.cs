using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>Deployment: one ReplicaSet per pod template, and a rollout from the old ones to the current one.</summary>
internal sealed class DeploymentController : Controller
{
    private const string Revision = "deployment.kubernetes.io/revision";

    public DeploymentController(Cluster cluster, BehaviourOptions options) : base(cluster, options, workers: 4)
    {
        For(Resources.Deployments);
        ForManaged(Resources.ReplicaSets, "Deployment");
        // A Recreate rollout waits for the last old pod to be gone.
        On(Resources.Pods, change => change is { After: null, Before.Controller: { Kind: "ReplicaSet" } owner }
            && cluster.Of(Resources.ReplicaSets).Find(change.Latest.Namespace, owner.Name)?.Controller is { Kind: "Deployment" } deployment
            ? [new ObjectKey(change.Latest.Namespace, deployment.Name)]
            : []);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Deployments).Find(key) is not { Deleting: false } deployment)
            return;
        await Adoption.TakeAsync(Cluster, deployment, Resources.ReplicaSets, ct);
        var current = Current(deployment);
        if (deployment.Spec.Flag("paused"))
            await ResizePausedAsync(deployment, current, ct);
        else
            await RollAsync(deployment, current, ct);

        var sets = Sets(deployment);
        current = Current(deployment);
        deployment = await NoteRevisionAsync(deployment, current, ct);
        var status = DeploymentStatus.Of(deployment, current, sets, Now);
        if (status.OverdueIn is { } overdueIn)
            LookAgain(key, overdueIn);
        deployment = await Cluster.PatchStatusAsync(deployment, status.Fields, ct);
        if (status.Complete)
            await ForgetOldAsync(deployment, current, sets, ct);
    }

    private List<ClusterObject> Sets(ClusterObject deployment) =>
        [.. Cluster.Of(Resources.ReplicaSets).ManagedBy(deployment).OrderBy(set => RevisionOf(set)).ThenBy(set => set.Created)];

    private ClusterObject? Current(ClusterObject deployment) =>
        Sets(deployment).FirstOrDefault(set => !set.Deleting && PodTemplate.Same(set.Spec.At("template"), deployment.Spec.At("template")));

    private async Task RollAsync(ClusterObject deployment, ClusterObject? current, CancellationToken ct)
    {
        var replicas = deployment.Spec.Number("replicas") ?? 1;
        var old = Sets(deployment).Where(set => set.Uid != current?.Uid).ToList();
        if (current is not null && old.Count > 0 && RevisionOf(current) <= old.Max(RevisionOf))
            current = await Cluster.PatchAsync(current, Annotation(old.Max(RevisionOf) + 1), ct);
        if (deployment.Spec.At("strategy").Text("type") == "Recreate")
        {
            foreach (var set in old)
                await ResizeAsync(set, 0, ct);
            if (old.Any(set => Cluster.Of(Resources.Pods).ManagedBy(set).Any()))
                return;
            current ??= await CreateAsync(deployment, replicas, old, ct);
            await ResizeAsync(current, replicas, ct);
            return;
        }
        var rolling = deployment.Spec.At("strategy").At("rollingUpdate");
        var (surge, unavailable) = RollingUpdate.Limits(replicas, rolling.At("maxSurge"), rolling.At("maxUnavailable"));
        var generation = current is null ? new Generation("", 0, 0) : AsGeneration(current);
        var next = RollingUpdate.Next(replicas, surge, unavailable, generation, [.. old.Select(AsGeneration)]);
        if (current is null)
            await CreateAsync(deployment, next.GetValueOrDefault("", 0), old, ct);
        foreach (var set in old.Append(current).OfType<ClusterObject>())
            if (next.TryGetValue(set.Name, out var wanted))
                await ResizeAsync(set, wanted, ct);
    }

    private async Task ResizePausedAsync(ClusterObject deployment, ClusterObject? current, CancellationToken ct)
    {
        var running = Sets(deployment).Where(set => set.Spec.Number("replicas") > 0).ToList();
        if ((running.Count == 1 ? running[0] : running.Count == 0 ? current : null) is { } only)
            await ResizeAsync(only, deployment.Spec.Number("replicas") ?? 1, ct);
    }

    private async Task ResizeAsync(ClusterObject set, int replicas, CancellationToken ct)
    {
        if (set.Spec.Number("replicas") != replicas)
            await Cluster.PatchAsync(set, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } }, ct);
    }

    private async Task<ClusterObject> CreateAsync(ClusterObject deployment, int replicas, List<ClusterObject> old, CancellationToken ct)
    {
        var template = deployment.Spec.Fields("template")!.Copy();
        var hash = PodTemplate.Hash(template);
        PodTemplate.Label(template, PodTemplate.HashLabel, hash);
        var selector = deployment.Spec.Fields("selector")!.Copy();
        var labels = selector.Fields("matchLabels")?.Copy() ?? [];
        labels[PodTemplate.HashLabel] = hash;
        selector["matchLabels"] = labels;
        var spec = new JsonObject { ["replicas"] = replicas, ["selector"] = selector, ["template"] = template };
        if (deployment.Spec.Number("minReadySeconds") is { } minReady)
            spec["minReadySeconds"] = minReady;
        return await Cluster.CreateAsync(Resources.ReplicaSets, deployment.Namespace, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{deployment.Name}-{hash}",
                ["namespace"] = deployment.Namespace,
                ["labels"] = template.At("metadata").At("labels")!.DeepClone(),
                ["annotations"] = Annotation((old.Count == 0 ? 0 : old.Max(RevisionOf)) + 1).At("metadata").At("annotations")!.DeepClone(),
                ["ownerReferences"] = new JsonArray(deployment.AsController()),
            },
            ["spec"] = spec,
        }, ct);
    }

    private async Task<ClusterObject> NoteRevisionAsync(ClusterObject deployment, ClusterObject? current, CancellationToken ct)
    {
        if (current is null || deployment.Annotations.Text(Revision) == current.Annotations.Text(Revision))
            return deployment;
        return await Cluster.PatchAsync(deployment, Annotation(RevisionOf(current)), ct);
    }

    private async Task ForgetOldAsync(ClusterObject deployment, ClusterObject? current, List<ClusterObject> sets, CancellationToken ct)
    {
        var empty = sets.Where(set => set.Uid != current?.Uid && !set.Deleting && set.Spec.Number("replicas") == 0)
            .Where(set => set.Status.Number("replicas") is null or 0).ToList();
        foreach (var set in empty.SkipLast(deployment.Spec.Number("revisionHistoryLimit") ?? 10))
            await Cluster.DeleteAsync(set, ct);
    }

    private static Generation AsGeneration(ClusterObject set) =>
        new(set.Name, set.Spec.Number("replicas") ?? 1, set.Status.Number("availableReplicas") ?? 0);

    private static int RevisionOf(ClusterObject set) => int.TryParse(set.Annotations.Text(Revision), out var revision) ? revision : 0;

    private static JsonObject Annotation(int revision) => new()
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Revision] = revision.ToString(CultureInfo.InvariantCulture) } },
    };
}
