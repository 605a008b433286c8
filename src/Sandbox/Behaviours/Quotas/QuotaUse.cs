using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Quotas;

/// <summary>How much of a quota's resource is used in a namespace. Scopes of a quota are not looked at: everything counts.</summary>
internal static class QuotaUse
{
    public static string Of(Cluster cluster, string space, string resource)
    {
        var (kind, name) = resource.Split('.') is [var before, var after] ? (before, after) : ("requests", resource);
        if (kind is "requests" or "limits" && name is "cpu" or "memory" or "ephemeral-storage")
            return Quantity.Write(Pods(cluster, space).Sum(pod => Needs(pod.Spec, kind, name)), binary: name != "cpu");
        return resource switch
        {
            "pods" or "count/pods" => $"{Pods(cluster, space).Count()}",
            "requests.storage" => Quantity.Write(
                cluster.Of(Resources.Claims).In(space).Sum(claim => Quantity.Read(claim.Spec.At("resources").At("requests").Text("storage"))), binary: true),
            "services.loadbalancers" => $"{Services(cluster, space).Count(service => service.Spec.Text("type") == "LoadBalancer")}",
            "services.nodeports" => $"{Services(cluster, space).Count(service => service.Spec.Text("type") is "NodePort" or "LoadBalancer")}",
            _ => $"{Count(cluster, space, resource)}",
        };
    }

    private static int Count(Cluster cluster, string space, string resource)
    {
        // persistentvolumeclaims, or count/deployments.apps.
        var name = resource.StartsWith("count/", StringComparison.Ordinal) ? resource[6..] : resource;
        return cluster.Caches.FirstOrDefault(cache => cache.Resource.ToString() == name)?.In(space).Count() ?? 0;
    }

    private static IEnumerable<ClusterObject> Pods(Cluster cluster, string space) =>
        cluster.Of(Resources.Pods).In(space).Where(pod => !PodState.IsFinished(pod));

    private static IEnumerable<ClusterObject> Services(Cluster cluster, string space) => cluster.Of(Resources.Services).In(space);

    // Init containers run one after the other, before the others: the largest counts if it is larger than all others together.
    private static decimal Needs(JsonObject spec, string kind, string name)
    {
        decimal Of(JsonNode container) => Quantity.Read(container.At("resources").At(kind).At(name)?.ToString());
        return Math.Max(spec.Items("containers").Sum(Of), spec.Items("initContainers").Select(Of).DefaultIfEmpty().Max());
    }
}
