using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Health;

/// <summary>Whether a ServiceMonitor is selected by a Prometheus: it has no status of its own, and one that nobody selects does nothing.</summary>
internal static class ServiceMonitorStatus
{
    /// <param name="servers">All Prometheus objects of the cluster.</param>
    public static GateStatus Judge(string name, JsonObject monitor, IReadOnlyList<JsonObject> servers)
    {
        if (servers.FirstOrDefault(server => Selects(server, monitor)) is { } selecting)
            return GateStatus.Passed($"{name} is selected by Prometheus {Name(selecting)}");
        return GateStatus.OnTheWay(servers.Count == 0
            ? $"{name}: there is no Prometheus that could select it"
            : $"{name} is selected by none of {string.Join(", ", servers.Select(Name))}: its labels or namespace do not match their serviceMonitorSelector");
    }

    /// <summary>No selector of monitors selects nothing, an empty one all. No selector of namespaces is the Prometheus's own, an empty one all.</summary>
    private static bool Selects(JsonObject server, JsonObject monitor)
    {
        if (LabelSelector.Of(server["spec"]?["serviceMonitorSelector"]) is not { } selector)
            return false;
        var sameNamespace = ResourceStatus.Text(server["metadata"]?["namespace"]) == ResourceStatus.Text(monitor["metadata"]?["namespace"]);
        // A selector by the labels of namespaces is left to Prometheus: it can only be judged with the namespaces at hand.
        return (sameNamespace || server["spec"]?["serviceMonitorNamespaceSelector"] is JsonObject) && selector.Selects(monitor);
    }

    private static string Name(JsonObject server) => $"{server["metadata"]?["namespace"]}/{server["metadata"]?["name"]}";
}
