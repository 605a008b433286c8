using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>What the kubelet reports of each container of a pod at a stage.</summary>
internal static class ContainerStatuses
{
    public static JsonArray Of(ClusterObject pod, PodStage stage, PodOutlook outlook) => pod.Spec.Items("containers").Select(container =>
    {
        var before = Before(pod, "containerStatuses", container);
        var state = State(pod, container, before, stage, outlook.Now);
        var (last, restarts) = (before.Fields("lastState")?.Copy(), before.Number("restartCount") ?? 0);
        if (stage == PodStage.Crashed && (outlook.NextCrash is null ? !IsCrashed(before) : outlook.NextCrash <= outlook.Now))
            (restarts, last) = (restarts + 1, new JsonObject { ["terminated"] = Ended(before, outlook.Now, 1) });
        return Line(pod, container, state, last, restarts, stage == PodStage.Running);
    }).ToJson();

    /// <summary>Init containers do their work while the pod is created. Those that restart always are sidecars and run on.</summary>
    public static JsonArray OfInit(ClusterObject pod, PodStage stage, PodOutlook outlook) => pod.Spec.Items("initContainers").Select(container =>
    {
        var before = Before(pod, "initContainerStatuses", container);
        var sidecar = container.Text("restartPolicy") == "Always";
        var state = stage switch
        {
            PodStage.Creating => Waiting("PodInitializing", null),
            PodStage.Running or PodStage.Crashed or PodStage.PullFailed when sidecar => Running(before, outlook.Now),
            _ => new JsonObject { ["terminated"] = Kept(before, outlook.Now, 0) },
        };
        return Line(pod, container, state, null, 0, stage != PodStage.Creating);
    }).ToJson();

    /// <summary>Whether a container of the pod has been started.</summary>
    public static bool AnyRunning(ClusterObject pod) => pod.Status.Items("containerStatuses").Any(status => status.At("state").At("running") is not null);

    public static bool AnyCrashed(ClusterObject pod) => pod.Status.Items("containerStatuses").Any(IsCrashed);

    public static int Restarts(ClusterObject pod) => pod.Status.Items("containerStatuses").Sum(status => status.Number("restartCount") ?? 0);

    private static bool IsCrashed(JsonNode? status) => status.At("state").At("waiting").Text("reason") == "CrashLoopBackOff";

    private static JsonObject? Before(ClusterObject pod, string field, JsonNode container) => pod.Status.Item(field, "name", container.Text("name") ?? "");

    private static JsonObject State(ClusterObject pod, JsonNode container, JsonObject? before, PodStage stage, DateTimeOffset now)
    {
        var image = container.Text("image");
        switch (stage)
        {
            case PodStage.Creating:
                return Waiting(pod.Spec.Items("initContainers").Any() ? "PodInitializing" : "ContainerCreating", null);
            case PodStage.PullFailed:
                return before.At("state").At("waiting").Text("reason") is "ErrImagePull" or "ImagePullBackOff"
                    ? Waiting("ImagePullBackOff", $"Back-off pulling image \"{image}\"")
                    : Waiting("ErrImagePull", $"failed to pull image \"{image}\": not found");
            case PodStage.Crashed:
                return Waiting("CrashLoopBackOff", $"back-off restarting failed container {container.Text("name")} in pod {pod.Name}");
            case PodStage.Running:
                return Running(before, now);
            default:
                return new() { ["terminated"] = Kept(before, now, stage == PodStage.Succeeded ? 0 : 1) };
        }
    }

    private static JsonObject Line(ClusterObject pod, JsonNode container, JsonObject state, JsonObject? last, int restarts, bool ready)
    {
        var image = container.Text("image") ?? "";
        var present = state.At("waiting").Text("reason") is null or "CrashLoopBackOff";
        return new()
        {
            ["name"] = container.Text("name"),
            ["image"] = image,
            ["imageID"] = present ? $"sandbox://{PodTemplate.Hash(image, 12)}" : "",
            ["containerID"] = present ? $"sandbox://{PodTemplate.Hash($"{pod.Uid}/{container.Text("name")}/{restarts}", 12)}" : "",
            ["ready"] = ready,
            ["started"] = ready && state.At("running") is not null,
            ["restartCount"] = restarts,
            ["state"] = state,
            ["lastState"] = last ?? [],
        };
    }

    private static JsonObject Waiting(string reason, string? message)
    {
        var waiting = new JsonObject { ["reason"] = reason };
        if (message is not null)
            waiting["message"] = message;
        return new() { ["waiting"] = waiting };
    }

    private static JsonObject Running(JsonObject? before, DateTimeOffset now) =>
        new() { ["running"] = new JsonObject { ["startedAt"] = before.At("state").At("running").Text("startedAt") ?? now.Stamp() } };

    private static JsonObject Kept(JsonObject? before, DateTimeOffset now, int exitCode) =>
        before.At("state").Fields("terminated")?.Copy() ?? Ended(before, now, exitCode);

    private static JsonObject Ended(JsonObject? before, DateTimeOffset now, int exitCode) => new()
    {
        ["exitCode"] = exitCode,
        ["reason"] = exitCode == 0 ? "Completed" : "Error",
        ["startedAt"] = before.At("state").At("running").Text("startedAt") ?? now.Stamp(),
        ["finishedAt"] = now.Stamp(),
    };
}
