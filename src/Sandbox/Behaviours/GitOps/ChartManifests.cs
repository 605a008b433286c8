using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.GitOps;

/// <summary>What a chart makes of a release and its values, as far as the sandbox plays it: kinds, workloads and their Services.</summary>
internal static class ChartManifests
{
    public static IEnumerable<JsonObject> Of(Chart chart, ApplicationSource source, string space) =>
    [
        .. chart.Crds.Select(Definition),
        .. chart.Workloads.Where(workload => IsWanted(workload.EnabledBy, source)).SelectMany(workload => Workload(workload, source, chart.LongestFullName, space)),
        .. chart.Objects.Where(item => IsWanted(item.EnabledBy, source)).Select(item => Object(item, source, chart.LongestFullName, space)),
    ];

    private static bool IsWanted(string? enabledBy, ApplicationSource source) => enabledBy is null || source.Value(enabledBy)?.ToJsonString() != "false";

    private static JsonObject Object(ChartObject item, ApplicationSource source, int longestFullName, string space) => new()
    {
        ["apiVersion"] = item.Kind[..item.Kind.LastIndexOf('/')],
        ["kind"] = item.Kind[(item.Kind.LastIndexOf('/') + 1)..],
        ["metadata"] = new JsonObject { ["name"] = Named(item.Name, source, longestFullName), ["namespace"] = space },
        ["spec"] = source.Value(item.Spec)?.DeepClone() ?? new JsonObject(),
    };

    private static JsonObject Definition(ChartKind kind)
    {
        if (kind.Kind.Split('/') is not [var group, var version, var name])
            throw new InvalidOperationException($"{kind.Kind} is not group/version/Kind.");
        var plural = Plural(name.ToLowerInvariant());
        var served = new JsonObject
        {
            ["name"] = version,
            ["served"] = true,
            ["storage"] = true,
            ["schema"] = new JsonObject
            {
                ["openAPIV3Schema"] = new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
            },
        };
        if (kind.Status)
            served["subresources"] = new JsonObject { ["status"] = new JsonObject() };
        return new()
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new JsonObject { ["name"] = $"{plural}.{group}" },
            ["spec"] = new JsonObject
            {
                ["group"] = group,
                ["scope"] = kind.ClusterWide ? "Cluster" : "Namespaced",
                ["names"] = new JsonObject
                {
                    ["kind"] = name,
                    ["listKind"] = name + "List",
                    ["plural"] = plural,
                    ["singular"] = name.ToLowerInvariant(),
                },
                ["versions"] = new JsonArray(served),
            },
        };
    }

    private static IEnumerable<JsonObject> Workload(ChartWorkload workload, ApplicationSource source, int longest, string space)
    {
        var name = Named(workload.Name, source, longest);
        var labels = new JsonObject { ["app.kubernetes.io/name"] = name, ["app.kubernetes.io/instance"] = source.Release };
        if (workload.Ports.Count > 0)
            yield return Service(Named(workload.Service ?? workload.Name, source, longest), space, labels, workload.Ports);
        var container = new JsonObject
        {
            ["name"] = name,
            ["image"] = $"{workload.Image}:{source.Version}",
            ["resources"] = new JsonObject
            {
                ["requests"] = new JsonObject { ["cpu"] = "50m", ["memory"] = "64Mi" },
                ["limits"] = new JsonObject { ["cpu"] = "500m", ["memory"] = "256Mi" },
            },
        };
        if (workload.Ports.Count > 0)
            container["ports"] = workload.Ports.Select(port => (JsonNode)new JsonObject { ["containerPort"] = port }).ToJson();
        if (workload.Ingress is { } https)
            container["ports"] = new JsonArray([.. (container["ports"] as JsonArray ?? []).Select(port => port!.DeepClone()), new JsonObject { ["name"] = "https", ["containerPort"] = https }]);
        if (workload.Env is { } variables && source.Value(variables) is JsonArray env)
            container["env"] = env.DeepClone();
        if (workload.Secret is { } named && source.Value(named)?.GetValue<string>() is { } secret)
            container["envFrom"] = new JsonArray(new JsonObject { ["secretRef"] = new JsonObject { ["name"] = secret } });
        var spec = new JsonObject
        {
            ["selector"] = new JsonObject { ["matchLabels"] = labels.Copy() },
            ["template"] = new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = labels.Copy() },
                ["spec"] = new JsonObject { ["containers"] = new JsonArray(container) },
            },
        };
        if (workload.Kind != "DaemonSet")
            spec["replicas"] = workload.Replicas is { } path && source.Value(path) is JsonValue value ? value.DeepClone() : 1;
        if (workload.Kind == "StatefulSet")
            spec["serviceName"] = Named(workload.Service ?? workload.Name, source, longest);
        yield return new()
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = workload.Kind,
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = space, ["labels"] = labels.Copy() },
            ["spec"] = spec,
        };
    }

    private static JsonObject Service(string name, string space, JsonObject labels, IReadOnlyList<int> ports) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = space, ["labels"] = labels.Copy() },
        ["spec"] = new JsonObject
        {
            ["selector"] = labels.Copy(),
            ["ports"] = ports.Select(port => (JsonNode)new JsonObject { ["name"] = $"port-{port}", ["port"] = port, ["targetPort"] = port, ["protocol"] = "TCP" }).ToJson(),
        },
    };

    private static string Named(string name, ApplicationSource source, int longestFullName) =>
        name.Replace("${release}", source.Release).Replace("${fullname}", source.FullName(longestFullName));

    private static string Plural(string singular) => singular switch
    {
        [.., 's' or 'x'] or [.., 'c' or 's', 'h'] => singular + "es",
        [.. var stem, not ('a' or 'e' or 'o' or 'u') and var last, 'y'] => stem + last + "ies",
        _ => singular + "s",
    };
}
