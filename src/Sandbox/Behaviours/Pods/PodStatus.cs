using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>The status that the kubelet writes for a pod at a stage.</summary>
internal static class PodStatus
{
    public static JsonObject Of(ClusterObject pod, PodStage stage, PodOutlook outlook, string hostIp)
    {
        var status = new JsonObject
        {
            ["phase"] = stage switch
            {
                PodStage.Creating or PodStage.PullFailed => "Pending",
                PodStage.Running or PodStage.Crashed => "Running",
                PodStage.Succeeded => "Succeeded",
                _ => "Failed",
            },
            ["startTime"] = pod.Status.Text("startTime") ?? outlook.Started.Stamp(),
            ["hostIP"] = hostIp,
            ["containerStatuses"] = ContainerStatuses.Of(pod, stage, outlook),
            ["initContainerStatuses"] = ContainerStatuses.OfInit(pod, stage, outlook),
            ["conditions"] = Conditions.Set(pod.Status, outlook.Now, Lines(pod, stage)),
        };
        if (stage != PodStage.Creating)
        {
            status["podIP"] = outlook.Ip;
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = outlook.Ip });
        }
        return status;
    }

    private static List<Condition> Lines(ClusterObject pod, PodStage stage)
    {
        var initialized = stage != PodStage.Creating || !pod.Spec.Items("initContainers").Any();
        var names = string.Join(' ', pod.Spec.Items("containers").Select(container => container.Text("name")));
        Condition Ready(string type) => stage switch
        {
            PodStage.Running => new(type, true),
            PodStage.Succeeded => new(type, false, "PodCompleted"),
            _ => new(type, false, "ContainersNotReady", $"containers with unready status: [{names}]"),
        };
        return
        [
            new("PodScheduled", true),
            initialized ? new("Initialized", true) : new("Initialized", false, "ContainersNotInitialized", "init containers are at work"),
            Ready("ContainersReady"),
            Ready("Ready"),
        ];
    }
}
