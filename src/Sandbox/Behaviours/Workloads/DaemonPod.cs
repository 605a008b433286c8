using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>The pod of a DaemonSet for one node: the scheduler can put it nowhere else.</summary>
internal static class DaemonPod
{
    // What a node's own condition says must not keep its daemons away.
    private static readonly (string Key, string Effect)[] Tolerated =
    [
        ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"), ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];

    public static JsonObject Of(ClusterObject set, string node, string revision)
    {
        var pod = PodTemplate.Pod(set, set.Spec.At("template"), $"{set.Name}-{PodTemplate.Hash($"{set.Name}/{node}", 5)}");
        pod.Fields("metadata")!["generateName"] = set.Name + "-";
        PodTemplate.Label(pod, PodTemplate.RevisionLabel, revision);
        pod["spec"] = Spec(pod.Fields("spec")!, node);
        return pod;
    }

    /// <summary>The spec for a node; null: for none in particular.</summary>
    public static JsonObject Spec(JsonObject template, string? node)
    {
        var spec = template.Copy();
        spec["tolerations"] = spec.Items("tolerations")
            .Concat(Tolerated.Select(one => new JsonObject { ["key"] = one.Key, ["operator"] = "Exists", ["effect"] = one.Effect })).ToJson();
        if (node is null)
            return spec;
        var affinity = spec.Fields("affinity")?.Copy() ?? [];
        affinity["nodeAffinity"] = new JsonObject
        {
            ["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonObject
            {
                ["nodeSelectorTerms"] = new JsonArray(new JsonObject
                {
                    ["matchFields"] = new JsonArray(new JsonObject { ["key"] = "metadata.name", ["operator"] = "In", ["values"] = new JsonArray(node) }),
                }),
            },
        };
        spec["affinity"] = affinity;
        return spec;
    }

    /// <summary>The node that a pod is on, or is meant for.</summary>
    public static string NodeOf(ClusterObject pod) => pod.Spec.Text("nodeName")
        ?? pod.Spec.At("affinity").At("nodeAffinity").At("requiredDuringSchedulingIgnoredDuringExecution").Items("nodeSelectorTerms")
            .SelectMany(term => term.Items("matchFields")).SelectMany(field => field.Items("values")).FirstOrDefault()?.GetValue<string>()
        ?? "";
}
