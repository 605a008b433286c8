using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>What a pod's status says, in the words that controllers use.</summary>
internal static class PodState
{
    public static string Phase(ClusterObject pod) => pod.Status.Text("phase") ?? "Pending";

    public static bool IsReady(ClusterObject pod) => pod.Status.Item("conditions", "type", "Ready")?.Text("status") == "True";

    public static bool IsFinished(ClusterObject pod) => Phase(pod) is "Succeeded" or "Failed";

    /// <summary>Whether it counts as one of its owner's replicas: neither finished nor on its way out.</summary>
    public static bool IsActive(ClusterObject pod) => !pod.Deleting && !IsFinished(pod);

    /// <summary>How long until a ready pod counts as available: zero when it does, null when it is not ready.</summary>
    public static TimeSpan? AvailableIn(ClusterObject pod, TimeSpan minReady, DateTimeOffset now)
    {
        if (!IsReady(pod) || pod.Deleting)
            return null;
        var since = pod.Status.Item("conditions", "type", "Ready").Time("lastTransitionTime") ?? now;
        var left = since + minReady - now;
        return minReady > TimeSpan.Zero && left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
