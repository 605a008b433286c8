using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Kinds;

namespace PlatformOps.Sandbox.Fields;

/// <summary>How two values of a list are brought together.</summary>
/// <param name="Keys">The fields that name an element; empty for a set of scalars.</param>
internal sealed record ListMerge(IReadOnlyList<string> Keys)
{
    public static readonly ListMerge Set = new([]);

    public bool IsSet => Keys.Count == 0;

    /// <summary>The element's name in a field set, for example <c>k:{"containerPort":80,"protocol":"TCP"}</c>; null when it lacks every key.</summary>
    public string? NameOf(JsonNode? element)
    {
        if (IsSet)
            return $"v:{element?.ToJsonString(JsonText.Options) ?? "null"}";
        if (element is not JsonObject map || Keys.All(key => map[key] is null && key != Protocol))
            return null;
        var name = new JsonObject();
        foreach (var key in Keys.Order(StringComparer.Ordinal))
        {
            if ((map[key] ?? (key == Protocol ? JsonValue.Create("TCP") : null)) is { } value)
                name[key] = value.DeepClone();
        }

        return $"k:{name.ToJsonString(JsonText.Options)}";
    }

    private const string Protocol = "protocol";
}

/// <summary>
/// What the merging of a kind's fields needs to know: which lists are maps or sets, and which maps are owned as a whole. A path is the
/// names of fields from the root, without the elements of lists.
/// </summary>
internal sealed class FieldSchema(ResourceKind kind)
{
    private static readonly HashSet<string> AtomicMaps =
    [
        "claimRef", "configMapKeyRef", "dataSource", "fieldRef", "labelSelector", "matchLabels", "namespaceSelector", "nodeSelector", "podSelector",
        "resourceFieldRef", "roleRef", "secretKeyRef", "selector",
    ];

    private static readonly Dictionary<string, ListMerge> PodLists = new()
    {
        ["hostAliases"] = new(["ip"]),
        ["imagePullSecrets"] = new(["name"]),
        ["topologySpreadConstraints"] = new(["topologyKey", "whenUnsatisfiable"]),
        ["volumes"] = new(["name"]),
    };

    private static readonly Dictionary<string, ListMerge> ContainerLists = new()
    {
        [""] = new(["name"]),
        ["env"] = new(["name"]),
        ["ports"] = new(["containerPort", "protocol"]),
        ["resources.claims"] = new(["name"]),
        ["volumeDevices"] = new(["devicePath"]),
        ["volumeMounts"] = new(["mountPath"]),
    };

    private static readonly string[] Containers = ["containers", "ephemeralContainers", "initContainers"];

    /// <summary>Null when the list is replaced as a whole.</summary>
    public ListMerge? ListAt(IReadOnlyList<string> path)
    {
        var text = string.Join('.', path);
        if (text == "metadata.finalizers")
            return ListMerge.Set;
        if (text == "metadata.ownerReferences")
            return new(["uid"]);
        if (kind.Custom)
            return Declared(path);
        if (text == "status.conditions")
            return new(["type"]);
        if (PodSpecPath() is { } root && text.StartsWith(root + ".", StringComparison.Ordinal))
            return InPodSpec(text[(root.Length + 1)..]);
        return (kind.Kind, text) switch
        {
            ("Service", "spec.ports") => new(["port", "protocol"]),
            ("ServiceAccount", "secrets") => new(["name"]),
            ("MutatingWebhookConfiguration" or "ValidatingWebhookConfiguration", "webhooks") => new(["name"]),
            ("Node", "status.addresses") => new(["type"]),
            ("Namespace", "spec.finalizers") => null,
            _ => null,
        };
    }

    public bool IsAtomicMap(IReadOnlyList<string> path) =>
        path.Count > 1 && (kind.Custom ? (string?)SchemaAt(path)?["x-kubernetes-map-type"] == "atomic" : AtomicMaps.Contains(path[^1]));

    /// <summary>Where the kind holds a pod's specification; null when it holds none.</summary>
    public string? PodSpecPath() => (kind.Group, kind.Kind) switch
    {
        ("", "Pod") => "spec",
        ("apps", "Deployment" or "ReplicaSet" or "StatefulSet" or "DaemonSet") or ("batch", "Job") => "spec.template.spec",
        ("batch", "CronJob") => "spec.jobTemplate.spec.template.spec",
        _ => null,
    };

    private static ListMerge? InPodSpec(string path)
    {
        var container = Containers.FirstOrDefault(name => path == name || path.StartsWith(name + ".", StringComparison.Ordinal));
        return container is null
            ? PodLists.GetValueOrDefault(path)
            : ContainerLists.GetValueOrDefault(path.Length == container.Length ? "" : path[(container.Length + 1)..]);
    }

    private ListMerge? Declared(IReadOnlyList<string> path)
    {
        var schema = SchemaAt(path);
        return (string?)schema?["x-kubernetes-list-type"] switch
        {
            "map" => new([.. schema["x-kubernetes-list-map-keys"]!.AsArray().Select(key => (string)key!)]),
            "set" => ListMerge.Set,
            _ => null,
        };
    }

    private JsonNode? SchemaAt(IReadOnlyList<string> path)
    {
        JsonNode? schema = kind.Schema;
        foreach (var name in path)
        {
            if ((string?)schema?["type"] == "array")
                schema = schema["items"];
            schema = schema?["properties"]?[name] ?? schema?["additionalProperties"] as JsonObject;
        }

        return schema;
    }
}
