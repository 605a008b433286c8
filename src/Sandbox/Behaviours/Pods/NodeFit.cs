using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Whether a node may run a pod: its labels answer the pod's selector and required affinity, and the pod tolerates its taints.</summary>
internal static class NodeFit
{
    /// <summary>Why not, in the words of the scheduler; null: it may.</summary>
    public static string? Refusal(JsonObject podSpec, ClusterObject node)
    {
        if (node.Spec.Flag("unschedulable") && !Tolerates(podSpec, "node.kubernetes.io/unschedulable", "", "NoSchedule"))
            return "node(s) were unschedulable";
        if (node.Spec.Items("taints").FirstOrDefault(taint => taint.Text("effect") is "NoSchedule" or "NoExecute"
            && !Tolerates(podSpec, taint.Text("key") ?? "", taint.Text("value") ?? "", taint.Text("effect")!)) is { } hindering)
            return $"node(s) had untolerated taint {{{hindering.Text("key")}: {hindering.Text("value")}}}";
        return LabelQuery.Contains(node.Labels, podSpec.Fields("nodeSelector")) && MeetsAffinity(podSpec, node)
            ? null
            : "node(s) didn't match Pod's node affinity/selector";
    }

    private static bool MeetsAffinity(JsonObject podSpec, ClusterObject node)
    {
        var terms = podSpec.At("affinity").At("nodeAffinity").At("requiredDuringSchedulingIgnoredDuringExecution").Items("nodeSelectorTerms").ToList();
        return terms.Count == 0 || terms.Any(term =>
            term.Items("matchExpressions").All(expression => LabelQuery.Holds(expression, node.Labels))
            && term.Items("matchFields").All(expression => LabelQuery.Holds(expression, new JsonObject { ["metadata.name"] = node.Name })));
    }

    private static bool Tolerates(JsonObject podSpec, string key, string value, string effect) => podSpec.Items("tolerations").Any(toleration =>
        (toleration.Text("effect") is null or "" || toleration.Text("effect") == effect)
        && (toleration.Text("operator") == "Exists"
            ? toleration.Text("key") is null or "" || toleration.Text("key") == key
            : toleration.Text("key") == key && (toleration.Text("value") ?? "") == value));
}
