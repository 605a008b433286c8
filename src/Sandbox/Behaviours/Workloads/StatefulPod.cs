using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Workloads;

/// <summary>The pod of a StatefulSet at an ordinal, and the claims that it mounts.</summary>
internal static class StatefulPod
{
    public static (JsonObject Pod, IReadOnlyList<JsonObject> Claims) Of(ClusterObject set, int ordinal, ClusterObject revision)
    {
        var name = $"{set.Name}-{ordinal}";
        var pod = PodTemplate.Pod(set, Revisions.Template(revision), name);
        PodTemplate.Label(pod, PodTemplate.RevisionLabel, revision.Name);
        PodTemplate.Label(pod, "statefulset.kubernetes.io/pod-name", name);
        PodTemplate.Label(pod, "apps.kubernetes.io/pod-index", ordinal.ToString(CultureInfo.InvariantCulture));
        var spec = pod.Fields("spec")!;
        spec["hostname"] = name;
        if (set.Spec.Text("serviceName") is { Length: > 0 } service)
            spec["subdomain"] = service;

        var templates = set.Spec.Items("volumeClaimTemplates").OfType<JsonObject>().ToList();
        var claims = templates.Select(template => Claim(set, template, name)).ToList();
        if (claims.Count > 0)
        {
            var mounted = templates.Zip(claims, (template, claim) => (JsonNode)new JsonObject
            {
                ["name"] = template.At("metadata").Text("name"),
                ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim.At("metadata").Text("name") },
            }).ToList();
            var names = mounted.Select(volume => volume.Text("name")).ToHashSet();
            spec["volumes"] = spec.Items("volumes").Where(volume => !names.Contains(volume.Text("name"))).Concat(mounted).ToJson();
        }
        return (pod, claims);
    }

    private static JsonObject Claim(ClusterObject set, JsonObject template, string pod)
    {
        var metadata = template.Fields("metadata")!;
        var labels = metadata.Fields("labels")?.Copy() ?? [];
        foreach (var (label, value) in set.Spec.At("selector").Fields("matchLabels") ?? [])
            labels[label] = value?.DeepClone();
        var claim = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"{metadata.Text("name")}-{pod}", ["namespace"] = set.Namespace, ["labels"] = labels },
            ["spec"] = template.Fields("spec")!.Copy(),
        };
        if (metadata.Fields("annotations") is { } annotations)
            claim.Fields("metadata")!["annotations"] = annotations.Copy();
        return claim;
    }
}
