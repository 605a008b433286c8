using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>What a Deployment reports, from what its ReplicaSets report.</summary>
/// <param name="Fields">The status fields.</param>
/// <param name="Complete">Whether every pod is of the current template and available.</param>
/// <param name="OverdueIn">When the rollout would be overdue; null: it is over, or already overdue.</param>
internal sealed record DeploymentStatus(JsonObject Fields, bool Complete, TimeSpan? OverdueIn)
{
    private const string Finished = "NewReplicaSetAvailable";
    private const string Overdue = "ProgressDeadlineExceeded";

    public static DeploymentStatus Of(ClusterObject deployment, ClusterObject? current, IReadOnlyList<ClusterObject> sets, DateTimeOffset now)
    {
        int Sum(string field) => sets.Sum(set => set.Status.Number(field) ?? 0);
        var replicas = deployment.Spec.Number("replicas") ?? 1;
        var rolling = deployment.Spec.At("strategy").At("rollingUpdate");
        var (_, unavailable) = deployment.Spec.At("strategy").Text("type") == "Recreate"
            ? (0, 0)
            : RollingUpdate.Limits(replicas, rolling.At("maxSurge"), rolling.At("maxUnavailable"));
        var fields = new JsonObject
        {
            ["observedGeneration"] = deployment.Generation,
            ["replicas"] = Sum("replicas"),
            ["updatedReplicas"] = current?.Status.Number("replicas") ?? 0,
            ["readyReplicas"] = Sum("readyReplicas"),
            ["availableReplicas"] = Sum("availableReplicas"),
            ["unavailableReplicas"] = Math.Max(0, sets.Sum(set => set.Spec.Number("replicas") ?? 0) - Sum("availableReplicas")),
        };
        var complete = (int)fields["updatedReplicas"]! == replicas && (int)fields["replicas"]! == replicas && (int)fields["availableReplicas"]! >= replicas;
        var progressing = Progress(deployment, current, fields, complete, now, out var moved, out var overdueIn);
        var available = (int)fields["availableReplicas"]! >= replicas - unavailable;
        List<Condition> conditions =
        [
            available
                ? new("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
                : new("Available", false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
            progressing,
        ];
        var failure = sets.Select(set => set.Status.Item("conditions", "type", "ReplicaFailure"))
            .FirstOrDefault(condition => condition.Text("status") == "True");
        if (failure is not null)
            conditions.Add(new("ReplicaFailure", true, failure.Text("reason"), failure.Text("message")));
        var all = Conditions.Set(deployment.Status, now, conditions, updated: true);
        if (moved)
            all.First(condition => condition.Text("type") == "Progressing")!["lastUpdateTime"] = now.Stamp();
        fields["conditions"] = failure is not null
            ? all
            : all.OfType<JsonNode>().Where(condition => condition.Text("type") != "ReplicaFailure").ToJson();
        return new(fields, complete, overdueIn);
    }

    private static Condition Progress(
        ClusterObject deployment, ClusterObject? current, JsonObject fields, bool complete, DateTimeOffset now, out bool moved, out TimeSpan? overdueIn)
    {
        var name = current?.Name ?? deployment.Name;
        var before = deployment.Status.Item("conditions", "type", "Progressing");
        (moved, overdueIn) = (false, null);
        var ofThis = before.Text("message")?.Contains($"\"{name}\"", StringComparison.Ordinal) == true;
        // A finished rollout stays finished through scaling and lost pods, until the template changes.
        var stays = ofThis && before.Text("reason") == Finished && (int)fields["replicas"]! == (int)fields["updatedReplicas"]! && current is not null;
        if (complete || stays)
            return new("Progressing", true, Finished, $"ReplicaSet \"{name}\" has successfully progressed.");
        if (!ofThis || before.Text("reason") == Finished)
        {
            overdueIn = Deadline(deployment);
            return new("Progressing", true, "NewReplicaSetCreated", $"Created new replica set \"{name}\"");
        }
        moved = ((string[])["updatedReplicas", "readyReplicas", "availableReplicas", "replicas"]).Any(field =>
            (deployment.Status.Number(field) ?? 0) != (int)fields[field]!);
        var updating = new Condition("Progressing", true, "ReplicaSetUpdated", $"ReplicaSet \"{name}\" is progressing.");
        if (moved)
        {
            overdueIn = Deadline(deployment);
            return updating;
        }
        if (before.Text("status") == "True")
            overdueIn = (before.Time("lastUpdateTime") ?? now) + Deadline(deployment) - now;
        if (overdueIn > TimeSpan.Zero)
            return new("Progressing", true, before.Text("reason"), before.Text("message"));
        overdueIn = null;
        return new("Progressing", false, Overdue, $"ReplicaSet \"{name}\" has timed out progressing.");
    }

    private static TimeSpan Deadline(ClusterObject deployment) => TimeSpan.FromSeconds(deployment.Spec.Number("progressDeadlineSeconds") ?? 600);
}
