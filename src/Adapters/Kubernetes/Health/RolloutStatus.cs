using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Kubernetes.Health;

/// <summary>Whether the newest template of a workload is rolled out, by the same signs as <c>kubectl rollout status</c>.</summary>
internal static class RolloutStatus
{
    /// <summary>What is still missing, as a short text; null when it is rolled out.</summary>
    public static string? Missing(JsonObject workload)
    {
        var (spec, status) = (workload["spec"] as JsonObject ?? [], workload["status"] as JsonObject ?? []);
        if (Number(status, "observedGeneration") < ((long?)workload["metadata"]?["generation"] ?? 0))
            return "its controller has not seen the newest template yet";
        return (string?)workload["kind"] switch
        {
            "Deployment" => Deployment(spec, status),
            "StatefulSet" => StatefulSet(spec, status),
            _ => DaemonSet(status),
        };
    }

    public static string Ready(JsonObject workload) => (string?)workload["kind"] == "DaemonSet"
        ? $"{Number(workload["status"], "numberAvailable")}/{Number(workload["status"], "desiredNumberScheduled")} nodes ready"
        : $"{Number(workload["status"], "readyReplicas")}/{Replicas(workload["spec"])} replicas ready";

    private static string? Deployment(JsonObject spec, JsonObject status)
    {
        var (wanted, updated, available) = (Replicas(spec), Number(status, "updatedReplicas"), Number(status, "availableReplicas"));
        if (updated < wanted)
            return $"{updated}/{wanted} replicas updated";
        if (Number(status, "replicas") > updated)
            return $"{Number(status, "replicas") - updated} old replicas still there";
        return available < updated ? $"{available}/{wanted} replicas ready" : null;
    }

    private static string? StatefulSet(JsonObject spec, JsonObject status)
    {
        var (wanted, ready) = (Replicas(spec), Number(status, "readyReplicas"));
        if (ready < wanted)
            return $"{ready}/{wanted} replicas ready";
        if ((string?)spec["updateStrategy"]?["type"] == "OnDelete")
            return null;
        var toUpdate = wanted - Number(spec["updateStrategy"]?["rollingUpdate"], "partition");
        var updated = Number(status, "updatedReplicas");
        return (string?)status["updateRevision"] != (string?)status["currentRevision"] && updated < toUpdate
            ? $"{updated}/{toUpdate} replicas updated"
            : null;
    }

    private static string? DaemonSet(JsonObject status)
    {
        var (wanted, updated, available) = (Number(status, "desiredNumberScheduled"), Number(status, "updatedNumberScheduled"), Number(status, "numberAvailable"));
        if (updated < wanted)
            return $"{updated}/{wanted} nodes updated";
        return available < wanted ? $"{available}/{wanted} nodes ready" : null;
    }

    private static long Replicas(JsonNode? spec) => (long?)spec?["replicas"] ?? 1;

    private static long Number(JsonNode? node, string name) => (long?)node?[name] ?? 0;
}
