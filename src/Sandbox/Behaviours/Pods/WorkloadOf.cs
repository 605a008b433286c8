using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>The name that an operator knows a pod's workload by.</summary>
internal static class WorkloadOf
{
    /// <summary>The Deployment rather than its ReplicaSet; a pod without an owner is its own workload.</summary>
    public static string Name(Cluster cluster, ClusterObject pod)
    {
        if (pod.Controller is not { } owner)
            return pod.Name;
        if (owner.Kind != "ReplicaSet")
            return owner.Name;
        if (cluster.Of(Resources.ReplicaSets).Find(pod.Namespace, owner.Name) is { } set)
            return set.Controller?.Name ?? set.Name;
        // The set may be gone before its pods.
        var suffix = "-" + pod.Labels.Text(PodTemplate.HashLabel);
        return suffix.Length > 1 && owner.Name.EndsWith(suffix, StringComparison.Ordinal) ? owner.Name[..^suffix.Length] : owner.Name;
    }
}
