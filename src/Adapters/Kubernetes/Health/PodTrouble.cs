using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Kubernetes.Health;

/// <summary>Why a pod is not ready, in one sentence.</summary>
internal sealed record PodTrouble(PodTroubleKind Kind, string Message)
{
    private static readonly HashSet<string> ImageReasons = ["ErrImageNeverPull", "ErrImagePull", "ImageInspectError", "ImagePullBackOff", "InvalidImageName"];

    /// <summary>The worst trouble among pods; null when none has any.</summary>
    public static PodTrouble? Worst(IEnumerable<JsonObject> pods) =>
        pods.Where(pod => pod["metadata"]?["deletionTimestamp"] is null).Select(Of).OfType<PodTrouble>().OrderByDescending(trouble => trouble.Kind).FirstOrDefault();

    private static PodTrouble? Of(JsonObject pod)
    {
        var name = $"Pod {pod["metadata"]?["namespace"]}/{pod["metadata"]?["name"]}";
        var status = pod["status"];
        var troubles = Objects(status?["initContainerStatuses"]).Concat(Objects(status?["containerStatuses"]))
            .Select(container => Of(name, container)).OfType<PodTrouble>().ToList();
        if (troubles.Count > 0)
            return troubles.MaxBy(trouble => trouble.Kind);
        return Unschedulable(name, status);
    }

    private static PodTrouble? Of(string pod, JsonObject container)
    {
        var (name, waiting) = ((string?)container["name"], container["state"]?["waiting"]);
        var reason = (string?)waiting?["reason"];
        if (reason is null or "ContainerCreating" or "PodInitializing")
            return null;
        if (ImageReasons.Contains(reason))
            return new(PodTroubleKind.ImagePull, $"{pod} cannot pull the image {container["image"]} of container {name} ({reason}). Correct the image, or the registry's credentials");
        if (reason == "CrashLoopBackOff")
            return new(PodTroubleKind.CrashLoop, $"{pod}: container {name} keeps crashing (CrashLoopBackOff, {container["restartCount"] ?? 0} restarts{LastExit(container)}). See kubectl logs --previous");
        return new(PodTroubleKind.Waiting, $"{pod}: container {name} waits ({reason}{Said(waiting)})");
    }

    private static PodTrouble? Unschedulable(string pod, JsonNode? status)
    {
        var scheduled = Objects(status?["conditions"]).FirstOrDefault(condition => (string?)condition["type"] == "PodScheduled");
        return (string?)scheduled?["status"] == "False" && (string?)scheduled?["reason"] == "Unschedulable"
            ? new(PodTroubleKind.Waiting, $"{pod} cannot be scheduled (Unschedulable{Said(scheduled)})")
            : null;
    }

    private static string LastExit(JsonObject container) =>
        container["lastState"]?["terminated"] is { } last ? $", last exit code {last["exitCode"]}{((string?)last["reason"] is { } why ? $" {why}" : "")}" : "";

    private static string Said(JsonNode? about) => (string?)about?["message"] is { Length: > 0 } message ? $": {message.TrimEnd('.')}" : "";

    private static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}

/// <summary>From the least to the worst.</summary>
internal enum PodTroubleKind
{
    /// <summary>Waiting may help.</summary>
    Waiting,

    /// <summary>A container starts and ends, again and again.</summary>
    CrashLoop,

    /// <summary>The image is not to be had.</summary>
    ImagePull,
}
