using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>How well something is, from best to worst, in Argo CD's words and order.</summary>
internal enum HealthCode
{
    Healthy,
    Suspended,
    Progressing,
    Missing,
    Degraded,
    Unknown,
}

internal sealed record ResourceHealth(HealthCode Code, string? Message = null)
{
    public JsonObject ToJson()
    {
        var health = new JsonObject { ["status"] = Code.ToString() };
        if (Message is not null)
            health["message"] = Message;
        return health;
    }
}

/// <summary>Argo CD's assessment of workloads. Other kinds have none, and do not count.</summary>
internal static class ApplicationHealth
{
    public static ResourceHealth? Of(ClusterObject? item, string kind) => (item, kind) switch
    {
        (null, _) => new(HealthCode.Missing),
        (_, "Deployment") => Deployment(item),
        (_, "StatefulSet") => StatefulSet(item),
        (_, "DaemonSet") => DaemonSet(item),
        (_, "Service") => new(HealthCode.Healthy),
        _ => null,
    };

    private static ResourceHealth Deployment(ClusterObject item)
    {
        var wanted = item.Spec.Number("replicas") ?? 1;
        var updated = Count(item, "updatedReplicas");
        if (IsUnseen(item))
            return Waiting("rollout to finish: observed deployment generation less than desired generation");
        if (item.Status.Item("conditions", "type", "Progressing")?.Text("reason") == "ProgressDeadlineExceeded")
            return new(HealthCode.Degraded, $"Deployment \"{item.Name}\" exceeded its progress deadline");
        if (updated < wanted)
            return Waiting($"rollout to finish: {updated} out of {wanted} new replicas have been updated");
        if (Count(item, "replicas") - updated is > 0 and var old)
            return Waiting($"rollout to finish: {old} old replicas are pending termination");
        return Count(item, "availableReplicas") is var available && available < updated
            ? Waiting($"rollout to finish: {available} of {updated} updated replicas are available")
            : new(HealthCode.Healthy);
    }

    private static ResourceHealth StatefulSet(ClusterObject item)
    {
        var wanted = item.Spec.Number("replicas") ?? 1;
        if (IsUnseen(item))
            return new(HealthCode.Progressing, "Waiting for statefulset spec update to be observed...");
        if (Count(item, "readyReplicas") < wanted)
            return new(HealthCode.Progressing, $"Waiting for {wanted - Count(item, "readyReplicas")} pods to be ready...");
        return item.Status.Text("updateRevision") == item.Status.Text("currentRevision")
            ? new(HealthCode.Healthy, $"statefulset rolling update complete {Count(item, "currentReplicas")} pods at revision {item.Status.Text("currentRevision")}...")
            : new(HealthCode.Progressing, $"waiting for statefulset rolling update to complete {Count(item, "updatedReplicas")} pods at revision {item.Status.Text("updateRevision")}...");
    }

    private static ResourceHealth DaemonSet(ClusterObject item)
    {
        var wanted = Count(item, "desiredNumberScheduled");
        if (IsUnseen(item))
            return Waiting($"daemon set \"{item.Name}\" rollout to finish: observed daemon set generation less than desired generation");
        if (Count(item, "updatedNumberScheduled") is var updated && updated < wanted)
            return Waiting($"daemon set \"{item.Name}\" rollout to finish: {updated} out of {wanted} new pods have been updated");
        return Count(item, "numberAvailable") is var available && available < wanted
            ? Waiting($"daemon set \"{item.Name}\" rollout to finish: {available} of {wanted} updated pods are available")
            : new(HealthCode.Healthy);
    }

    private static bool IsUnseen(ClusterObject item) => item.Status.Number("observedGeneration") is not { } seen || seen < item.Generation;

    private static int Count(ClusterObject item, string field) => item.Status.Number(field) ?? 0;

    private static ResourceHealth Waiting(string what) => new(HealthCode.Progressing, $"Waiting for {what}...");
}
