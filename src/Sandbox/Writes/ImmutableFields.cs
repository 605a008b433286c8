using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Api;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Writes;

/// <summary>Fields that are set once.</summary>
internal static class ImmutableFields
{
    private static readonly HashSet<string> UpdatableOfStatefulSet =
        ["minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "replicas", "revisionHistoryLimit", "template", "updateStrategy"];

    private static readonly HashSet<string> UpdatableOfPod = ["activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "nodeName"];

    public static IEnumerable<FieldProblem> Check(ResourceKind kind, JsonObject value, JsonObject live)
    {
        switch (kind.Kind)
        {
            case "Deployment" or "DaemonSet" or "ReplicaSet":
                return Same(value, live, "spec.selector");
            case "StatefulSet":
                return Others(value, live, UpdatableOfStatefulSet)
                    ? [FieldProblem.Forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")]
                    : [];
            case "Job":
                return [.. Same(value, live, "spec.selector"), .. Same(value, live, "spec.template"), .. Same(value, live, "spec.completions")];
            case "Pod":
                return Others(WithoutImages(value), WithoutImages(live), UpdatableOfPod)
                    ? [FieldProblem.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")]
                    : [];
            case "Service":
                return live["spec"]?["clusterIP"] is null ? [] : Same(value, live, "spec.clusterIP");
            case "Secret":
                return [.. Same(value, live, "type"), .. WhenImmutable(value, live)];
            case "ConfigMap":
                return WhenImmutable(value, live);
            case "PersistentVolumeClaim":
                return Others(value, live, ["resources", "volumeName", "volumeAttributesClassName"])
                    ? [FieldProblem.Forbidden("spec", "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")]
                    : [];
            case "RoleBinding" or "ClusterRoleBinding":
                return JsonNode.DeepEquals(value["roleRef"], live["roleRef"]) ? [] : [FieldProblem.Invalid("roleRef", value["roleRef"]?.DeepClone(), "cannot change roleRef")];
            case "PriorityClass":
                return Same(value, live, "value");
            default:
                return [];
        }
    }

    private static IEnumerable<FieldProblem> Same(JsonObject value, JsonObject live, string path)
    {
        var (now, was) = (At(value, path), At(live, path));
        return JsonNode.DeepEquals(now, was) ? [] : [FieldProblem.Immutable(path, now?.DeepClone())];
    }

    private static IEnumerable<FieldProblem> WhenImmutable(JsonObject value, JsonObject live) =>
        (bool?)live["immutable"] == true && (!JsonNode.DeepEquals(value["data"], live["data"]) || (bool?)value["immutable"] != true)
            ? [FieldProblem.Forbidden("data", "field is immutable when `immutable` is set")]
            : [];

    private static bool Others(JsonObject value, JsonObject live, HashSet<string> updatable)
    {
        JsonObject Rest(JsonObject whole) => new((whole["spec"] as JsonObject ?? []).Where(field => !updatable.Contains(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        return !JsonNode.DeepEquals(Rest(value), Rest(live));
    }

    private static JsonObject WithoutImages(JsonObject pod)
    {
        var copy = (JsonObject)pod.DeepClone();
        foreach (var container in PodDefaults.Objects(copy["spec"]?["containers"]).Concat(PodDefaults.Objects(copy["spec"]?["initContainers"])))
            container.Remove("image");
        return copy;
    }

    private static JsonNode? At(JsonNode? node, string path) => path.Split('.').Aggregate(node, (place, name) => place?[name]);
}
