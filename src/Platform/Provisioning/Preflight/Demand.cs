using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning.Preflight;

/// <summary>What an object will take of a quota, as far as its declaration says it
/// (https://kubernetes.io/docs/concepts/policy/resource-quotas/).</summary>
internal static class Demand
{
    /// <param name="claims">Names of the claims that are there in its namespace: a StatefulSet takes the ones that it left behind
    /// (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage).</param>
    /// <param name="resource">As in a ResourceQuota's <c>hard</c>: <c>pods</c>, <c>requests.cpu</c>, <c>limits.memory</c>, <c>persistentvolumeclaims</c>, ...</param>
    public static decimal Of(JsonObject manifest, string resource, IReadOnlySet<string>? claims = null)
    {
        var spec = manifest["spec"] as JsonObject ?? [];
        return (string?)manifest["kind"] switch
        {
            "Deployment" => Replicas(spec, "replicas") * OfPod(spec["template"]?["spec"], resource),
            "StatefulSet" => (Replicas(spec, "replicas") * OfPod(spec["template"]?["spec"], resource))
                + Claims(manifest, spec).Where(claim => claims?.Contains(claim.Name) != true).Sum(claim => OfClaim(claim.Spec, resource)),
            "Job" => Replicas(spec, "parallelism") * OfPod(spec["template"]?["spec"], resource),
            "Pod" => OfPod(spec, resource),
            "PersistentVolumeClaim" => OfClaim(spec, resource),
            _ => 0,
        };
    }

    /// <summary>Init containers run one after the other, before the others: the largest counts if it is larger than all others together.</summary>
    private static decimal OfPod(JsonNode? spec, string resource) => resource switch
    {
        "pods" or "count/pods" => 1,
        "cpu" or "memory" or "ephemeral-storage" => OfContainers(spec, "requests", resource),
        _ when resource.Split('.') is ["requests" or "limits", "cpu" or "memory" or "ephemeral-storage"] parts => OfContainers(spec, parts[0], parts[1]),
        _ => 0,
    };

    private static decimal OfContainers(JsonNode? spec, string side, string name)
    {
        return Math.Max(Needs("containers").Sum(), Needs("initContainers").DefaultIfEmpty().Max());

        IEnumerable<decimal> Needs(string containers) =>
            (spec?[containers] as JsonArray ?? []).Select(container => Amount(container?["resources"]?[side]?[name]));
    }

    private static decimal OfClaim(JsonObject spec, string resource) => resource switch
    {
        "persistentvolumeclaims" => 1,
        "requests.storage" => Amount(spec["resources"]?["requests"]?["storage"]),
        _ => 0,
    };

    /// <summary>The claims of a StatefulSet's pods, named as Kubernetes names them.</summary>
    private static IEnumerable<(string Name, JsonObject Spec)> Claims(JsonObject manifest, JsonObject spec) =>
        from template in (spec["volumeClaimTemplates"] as JsonArray ?? []).OfType<JsonObject>()
        where template["spec"] is JsonObject
        from ordinal in Enumerable.Range(0, (int)Replicas(spec, "replicas"))
        select ($"{template["metadata"]?["name"]}-{manifest["metadata"]?["name"]}-{ordinal}", (JsonObject)template["spec"]!);

    private static decimal Replicas(JsonObject spec, string field) => spec[field] is { } replicas ? Amount(replicas) : 1;

    private static decimal Amount(JsonNode? node) => node is not null && Quantity.TryParse(FieldPath.Text(node), out var amount) ? amount : 0;
}
