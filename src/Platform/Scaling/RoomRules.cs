using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Scaling;

/// <summary>How many more pods of a workload find room, by what pods request. Affinities and spreading are not looked at: what does not find room because of them is seen as not ready.</summary>
public static class RoomRules
{
    internal static readonly string[] Resources = ["cpu", "memory"];

    /// <summary>Counted over nodes that are ready, accept pods, and carry what the pods select. Null for a cluster that shows no nodes.</summary>
    /// <param name="template">The pod template of the workload.</param>
    /// <param name="pods">All pods of the cluster.</param>
    /// <param name="quotas">The ResourceQuotas of the workload's namespace.</param>
    public static PodRoom? Of(JsonObject template, IReadOnlyList<JsonObject> nodes, IReadOnlyList<JsonObject> pods, IReadOnlyList<JsonObject> quotas)
    {
        if (nodes.Count == 0)
            return null;
        var spec = template["spec"] as JsonObject ?? [];
        var wanted = Requests(spec);
        var taken = Taken(pods);
        var candidates = nodes.Where(node => Accepts(node, spec)).ToList();
        var room = candidates.Sum(node =>
        {
            var there = taken.GetValueOrDefault((string?)node["metadata"]?["name"] ?? "", []);
            var allocatable = node["status"]?["allocatable"];
            var fits = Amount(allocatable?["pods"]) is > 0 and var most ? most - there.Count : int.MaxValue;
            foreach (var resource in Resources.Where(resource => wanted[resource] > 0))
                fits = Math.Min(fits, Math.Floor((Amount(allocatable?[resource]) - there.Sum(request => request[resource])) / wanted[resource]));
            return (long)Math.Max(0, Math.Min(fits, int.MaxValue));
        });
        return new(
            (int)Math.Min(room, int.MaxValue), Quota(spec, wanted, quotas),
            string.Create(CultureInfo.InvariantCulture, $"Each wants {wanted["cpu"]:0.###} CPU and {wanted["memory"] / (1024 * 1024):0} MiB; {candidates.Count} of {nodes.Count} nodes may take them."));
    }

    /// <summary>What the pods of each node request.</summary>
    internal static Dictionary<string, List<Dictionary<string, decimal>>> Taken(IReadOnlyList<JsonObject> pods) =>
        pods.Where(Runs).GroupBy(pod => (string?)pod["spec"]?["nodeName"] ?? "").ToDictionary(group => group.Key, group => group.Select(pod => Requests((JsonObject)pod["spec"]!)).ToList());

    /// <summary>Counts pods that there are to be as used.</summary>
    internal static void Charge(JsonObject quota, JsonObject spec, Dictionary<string, decimal> wanted, int pods)
    {
        var needs = Needs(spec, wanted);
        foreach (var (resource, _) in quota["spec"]?["hard"] as JsonObject ?? [])
        {
            if (needs.GetValueOrDefault(resource) is > 0 and var each && quota["status"]?["used"] is JsonObject used)
                used[resource] = (Amount(used[resource]) + (each * pods)).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>How many more pods the quotas of their namespace allow; null: there is none.</summary>
    internal static int? Quota(JsonObject spec, Dictionary<string, decimal> wanted, IReadOnlyList<JsonObject> quotas)
    {
        var needs = Needs(spec, wanted);
        // Quotas of a scope count some pods only; they are for the API server to hold.
        var rooms = quotas.Where(quota => quota["spec"]?["scopes"] is null && quota["spec"]?["scopeSelector"] is null)
            .SelectMany(quota => (quota["spec"]?["hard"] as JsonObject ?? []).Where(hard => needs.GetValueOrDefault(hard.Key) > 0)
                .Select(hard => Math.Max(0, Math.Floor((Amount(hard.Value) - Amount(quota["status"]?["used"]?[hard.Key])) / needs[hard.Key]))))
            .ToList();
        return rooms.Count > 0 ? (int)Math.Min(rooms.Min(), int.MaxValue) : null;
    }

    /// <summary>What one pod takes of a quota.</summary>
    private static Dictionary<string, decimal> Needs(JsonObject spec, Dictionary<string, decimal> wanted)
    {
        var limits = Sum(spec, "limits");
        return new()
        {
            ["pods"] = 1,
            ["count/pods"] = 1,
            ["cpu"] = wanted["cpu"],
            ["memory"] = wanted["memory"],
            ["requests.cpu"] = wanted["cpu"],
            ["requests.memory"] = wanted["memory"],
            ["limits.cpu"] = limits["cpu"],
            ["limits.memory"] = limits["memory"],
        };
    }

    internal static bool Ready(JsonObject node) => (node["status"]?["conditions"] as JsonArray ?? []).Any(condition => (string?)condition?["type"] == "Ready" && (string?)condition["status"] == "True");

    internal static bool Accepts(JsonObject node, JsonObject spec)
    {
        var labels = node["metadata"]?["labels"];
        return Ready(node) && (bool?)node["spec"]?["unschedulable"] != true
            && (spec["nodeSelector"] as JsonObject ?? []).All(label => (string?)labels?[label.Key] == (string?)label.Value)
            && (node["spec"]?["taints"] as JsonArray ?? []).OfType<JsonObject>().Where(taint => (string?)taint["effect"] is "NoSchedule" or "NoExecute").All(taint => Tolerates(spec, taint));
    }

    private static bool Tolerates(JsonObject spec, JsonObject taint) => (spec["tolerations"] as JsonArray ?? []).OfType<JsonObject>().Any(toleration =>
    {
        var (key, effect) = ((string?)toleration["key"] ?? "", (string?)toleration["effect"] ?? "");
        return (effect.Length == 0 || effect == (string?)taint["effect"])
            && ((string?)toleration["operator"] == "Exists"
                ? key.Length == 0 || key == (string?)taint["key"]
                : key == (string?)taint["key"] && ((string?)toleration["value"] ?? "") == ((string?)taint["value"] ?? ""));
    });

    private static bool Runs(JsonObject pod) => (string?)pod["status"]?["phase"] is not ("Succeeded" or "Failed") && pod["spec"]?["nodeName"] is not null;

    /// <summary>As the scheduler counts: all containers, or the largest of those that run before them.</summary>
    internal static Dictionary<string, decimal> Requests(JsonObject spec)
    {
        var sum = Sum(spec, "requests");
        foreach (var container in (spec["initContainers"] as JsonArray ?? []).OfType<JsonObject>())
        {
            foreach (var resource in Resources)
                sum[resource] = Math.Max(sum[resource], Of(container, resource, "requests"));
        }

        return sum;
    }

    private static Dictionary<string, decimal> Sum(JsonObject spec, string what) =>
        Resources.ToDictionary(resource => resource, resource => (spec["containers"] as JsonArray ?? []).OfType<JsonObject>().Sum(container => Of(container, resource, what)));

    /// <summary>What is limited and not requested, is requested as limited.</summary>
    private static decimal Of(JsonObject container, string resource, string what) =>
        Amount(container["resources"]?[what]?[resource] ?? (what == "requests" ? container["resources"]?["limits"]?[resource] : null));

    internal static decimal Amount(JsonNode? node) => node is not null && Quantity.TryParse(FieldPath.Text(node), out var amount) ? amount : 0;
}
