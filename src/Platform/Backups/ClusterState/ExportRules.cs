using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>Which objects of a cluster are kept, and what of them: what somebody wants, without what the cluster itself made of it.</summary>
public static class ExportRules
{
    private const string MadeByTheCluster = "every cluster makes them itself";

    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private const string ElectionLock = "control-plane.alpha.kubernetes.io/leader";

    /// <summary>Who writes in the name of the cluster, as field managers.</summary>
    private static readonly string[] ControlPlane =
        ["kube-controller-manager", "kube-apiserver", "cloud-controller-manager", "api-priority-and-fairness-config-producer-v1", "api-priority-and-fairness-config-consumer-v1"];

    /// <summary>Namespaces that every cluster makes.</summary>
    private static readonly string[] NamespacesOfTheCluster = ["default", "kube-system", "kube-public", "kube-node-lease"];

    /// <summary>What the cluster notes on objects for itself.</summary>
    private static readonly string[] Notes =
    [
        ElectionLock,
        "autoscaling.alpha.kubernetes.io/conditions",
        "autoscaling.alpha.kubernetes.io/current-metrics",
        "batch.kubernetes.io/job-tracking",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "endpoints.kubernetes.io/last-change-trigger-time",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
        "volume.kubernetes.io/storage-provisioner",
    ];

    /// <summary>Labels by which the server ties a Job's pods to it.</summary>
    private static readonly string[] JobLabels = ["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

    /// <summary>Why an object is not part of an export; null: it is.</summary>
    /// <param name="live">As the API server answers it.</param>
    /// <param name="endingNamespaces">Namespaces that are being deleted.</param>
    public static string? WhyLeftOut(JsonObject live, IReadOnlySet<string> endingNamespaces)
    {
        var metadata = live["metadata"];
        if (metadata?["deletionTimestamp"] is not null || (Text(metadata?["namespace"]) is { } space && endingNamespaces.Contains(space)))
            return "they are being deleted";
        if (Items(metadata?["ownerReferences"]).Any(owner => (bool?)owner["controller"] == true))
            return "their controllers make them from other objects";
        return metadata?["annotations"]?[ElectionLock] is not null ? "they are locks of who runs now" : WhyOfKind(live);
    }

    /// <summary>Whether every cluster makes such an object, and nobody has added anything to it.</summary>
    public static bool IsMadeByTheCluster(JsonObject live) => WhyOfKind(live) == MadeByTheCluster;

    /// <summary>What is kept of an object: everything that was decided by people and their tools. Whatever it is given stays as it is.</summary>
    public static JsonObject Kept(JsonObject live)
    {
        var kept = (JsonObject)live.DeepClone();
        kept.Remove("status");
        var metadata = (JsonObject)kept["metadata"]!;
        foreach (var field in (string[])["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generateName", "generation", "resourceVersion", "selfLink", "uid"])
            metadata.Remove(field);
        RemoveFrom(metadata, "annotations", Notes);
        KeepItems(metadata, "finalizers", item => Text(item)?.StartsWith("kubernetes.io/", StringComparison.Ordinal) != true && Text(item) is not ("foregroundDeletion" or "orphan"));
        foreach (var owner in Items(metadata["ownerReferences"]))
            owner.Remove("uid");
        KeepFieldManagers(metadata);
        KeepOfKind(kept, metadata);
        return kept;
    }

    /// <summary>For comparing: as <see cref="Kept"/>, without who wrote which field.</summary>
    public static JsonObject Compared(JsonObject live)
    {
        var kept = Kept(live);
        ((JsonObject)kept["metadata"]!).Remove("managedFields");
        return kept;
    }

    /// <summary>An object that is to stand in the place of a live one: with what the server decided for that one and does not let change.</summary>
    public static JsonObject InPlaceOf(JsonObject kept, JsonObject live)
    {
        var written = (JsonObject)kept.DeepClone();
        var metadata = (JsonObject)written["metadata"]!;
        metadata["uid"] = live["metadata"]?["uid"]?.DeepClone();
        metadata["resourceVersion"] = live["metadata"]?["resourceVersion"]?.DeepClone();
        foreach (var field in (string[])["clusterIP", "clusterIPs", "volumeName", "selector"])
        {
            if (written["spec"] is JsonObject spec && spec[field] is null && live["spec"]?[field] is { } decided)
                spec[field] = decided.DeepClone();
        }

        return written;
    }

    private static string? WhyOfKind(JsonObject live)
    {
        var (metadata, name) = (live["metadata"], Text(live["metadata"]?["name"]));
        var space = Text(metadata?["namespace"]);
        return Text(live["kind"]) switch
        {
            "Secret" when Text(live["type"]) is "kubernetes.io/service-account-token" or "bootstrap.kubernetes.io/token" => "they are tokens of this cluster",
            "ServiceAccount" when name == "default" && Plain(metadata) && Items(live["imagePullSecrets"]).Count == 0 => MadeByTheCluster,
            "Namespace" when NamespacesOfTheCluster.Contains(name) && Plain(metadata) => MadeByTheCluster,
            "ConfigMap" when name == "kube-root-ca.crt" || (name, space) is ("extension-apiserver-authentication", "kube-system") or ("cluster-info", "kube-public") => MadeByTheCluster,
            "Service" when (name, space) is ("kubernetes", "default") => MadeByTheCluster,
            "Endpoints" or "EndpointSlice" when IsOfControlPlane(metadata) => "the control plane makes them from Services and pods",
            "PriorityClass" when name?.StartsWith("system-", StringComparison.Ordinal) == true => MadeByTheCluster,
            "FlowSchema" or "PriorityLevelConfiguration" when IsOfControlPlane(metadata) => MadeByTheCluster,
            "APIService" when live["spec"]?["service"] is null => MadeByTheCluster,
            "ClusterRole" or "ClusterRoleBinding" or "Role" or "RoleBinding" when Text(metadata?["labels"]?["kubernetes.io/bootstrapping"]) is not null
                && Text(metadata?["annotations"]?["rbac.authorization.kubernetes.io/autoupdate"]) != "false" => MadeByTheCluster,
            "PersistentVolume" when Text(metadata?["annotations"]?["pv.kubernetes.io/provisioned-by"]) is not null => "their provisioner makes them for claims",
            "Job" when Items(live["status"]?["conditions"]).Exists(condition => Text(condition["type"]) is "Complete" or "Failed" && Text(condition["status"]) == "True") => "they are done: restored, they would run again",
            "Pod" when Text(live["status"]?["phase"]) is "Succeeded" or "Failed" => "they are done: restored, they would run again",
            _ => null,
        };
    }

    /// <summary>Nobody has added anything to what the cluster made.</summary>
    private static bool Plain(JsonNode? metadata) =>
        (metadata?["annotations"] as JsonObject ?? []).Count == 0 && (metadata?["labels"] as JsonObject ?? []).All(label => label.Key == "kubernetes.io/metadata.name");

    private static bool IsOfControlPlane(JsonNode? metadata)
    {
        if (Text(metadata?["labels"]?["endpointslice.kubernetes.io/managed-by"]) is { } by)
            return by.EndsWith(".k8s.io", StringComparison.Ordinal);
        if (Text(metadata?["labels"]?["endpoints.kubernetes.io/managed-by"]) == "endpoint-controller")
            return true;
        // Older servers do not say so, but who wrote it.
        var writers = Items(metadata?["managedFields"]).ConvertAll(entry => Text(entry["manager"]));
        return writers.Count > 0 ? writers.TrueForAll(writer => ControlPlane.Contains(writer)) : Text(metadata?["annotations"]?["endpoints.kubernetes.io/last-change-trigger-time"]) is not null;
    }

    private static void KeepOfKind(JsonObject kept, JsonObject metadata)
    {
        var spec = kept["spec"] as JsonObject ?? [];
        switch (Text(kept["kind"]))
        {
            case "Service" when Text(spec["clusterIP"]) != "None":
                spec.Remove("clusterIP");
                spec.Remove("clusterIPs");
                break;
            case "Namespace":
                kept.Remove("spec");
                RemoveFrom(metadata, "labels", "kubernetes.io/metadata.name");
                break;
            case "ServiceAccount":
                kept.Remove("secrets");
                break;
            case "PersistentVolumeClaim":
                spec.Remove("volumeName");
                break;
            case "PersistentVolume" when spec["claimRef"] is JsonObject claim:
                claim.Remove("uid");
                claim.Remove("resourceVersion");
                break;
            case "ClusterRole" when kept["aggregationRule"] is not null:
                kept.Remove("rules");
                break;
            case "Job" when spec["manualSelector"]?.GetValueKind() != JsonValueKind.True:
                spec.Remove("selector");
                RemoveFrom(metadata, "labels", JobLabels);
                if (spec["template"]?["metadata"] is JsonObject template)
                    RemoveFrom(template, "labels", JobLabels);
                break;
            case "Pod":
                spec.Remove("nodeName");
                KeepItems(spec, "volumes", volume => !IsToken(volume?["name"]));
                foreach (var container in Items(spec["containers"]).Concat(Items(spec["initContainers"])))
                    KeepItems(container, "volumeMounts", mount => !IsToken(mount?["name"]));
                break;
        }
    }

    /// <summary>The volume with a token that admission adds to every pod.</summary>
    private static bool IsToken(JsonNode? name) =>
        Text(name) is { } text && (text.StartsWith("kube-api-access-", StringComparison.Ordinal) || text.StartsWith("default-token-", StringComparison.Ordinal));

    /// <summary>Who owns which field decides what later applies may change: it is kept, without what belongs to the status.</summary>
    private static void KeepFieldManagers(JsonObject metadata)
    {
        if (metadata["managedFields"] is not JsonArray entries)
            return;
        foreach (var entry in Items(entries))
        {
            (entry["fieldsV1"] as JsonObject)?.Remove("f:status");
            entry.Remove("time");
        }

        KeepItems(metadata, "managedFields", entry => entry?["subresource"] is null && entry?["fieldsV1"] is JsonObject { Count: > 0 });
    }

    private static void RemoveFrom(JsonObject parent, string map, params ReadOnlySpan<string> keys)
    {
        if (parent[map] is not JsonObject values)
            return;
        foreach (var key in keys)
            values.Remove(key);
        if (values.Count == 0)
            parent.Remove(map);
    }

    private static void KeepItems(JsonObject? parent, string list, Func<JsonNode?, bool> keep)
    {
        if (parent?[list] is not JsonArray items)
            return;
        var kept = items.Where(keep).Select(item => item?.DeepClone()).ToArray();
        if (kept.Length > 0)
            parent[list] = new JsonArray(kept);
        else
            parent.Remove(list);
    }

    /// <summary>The copy of itself that kubectl leaves on an object; in a Secret it holds its values.</summary>
    internal static void ForgetLastApplied(JsonObject manifest)
    {
        if (manifest["metadata"] is JsonObject metadata)
            RemoveFrom(metadata, "annotations", LastApplied);
    }

    private static List<JsonObject> Items(JsonNode? list) => [.. (list as JsonArray ?? []).OfType<JsonObject>()];

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
