using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Traffic;

/// <summary>A pod behind a Service.</summary>
internal sealed record ReadyAddress(string Ip, ClusterObject Pod);

/// <summary>Pods that answer on the same ports. A named port may be another number in another pod.</summary>
internal sealed record AddressGroup(IReadOnlyList<(string Name, int Port, string Protocol)> Ports, IReadOnlyList<ReadyAddress> Addresses)
{
    /// <summary>The pods that a Service sends traffic to, in groups, in a stable order. None when it selects none.</summary>
    public static IReadOnlyList<AddressGroup> Of(Cluster cluster, ClusterObject service)
    {
        var selector = service.Spec.Fields("selector");
        if (selector is not { Count: > 0 })
            return [];
        var early = service.Spec.Flag("publishNotReadyAddresses");
        return [.. cluster.Of(Resources.Pods).In(service.Namespace)
            .Where(pod => PodState.IsActive(pod) && pod.Status.Text("podIP") is not null && (early || PodState.IsReady(pod)))
            .Where(pod => LabelQuery.Contains(pod.Labels, selector))
            .Select(pod => (Pod: pod, Ports: PortsOf(service, pod)))
            .Where(one => one.Ports.Count > 0 || !service.Spec.Items("ports").Any())
            .GroupBy(one => string.Join(',', one.Ports))
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new AddressGroup(group.First().Ports, [.. group.Select(one => new ReadyAddress(one.Pod.Status.Text("podIP")!, one.Pod))]))];
    }

    /// <summary>A reference to the pod, as endpoints carry it.</summary>
    public static JsonObject Target(ClusterObject pod) => new()
    {
        ["kind"] = "Pod",
        ["namespace"] = pod.Namespace,
        ["name"] = pod.Name,
        ["uid"] = pod.Uid,
    };

    private static List<(string Name, int Port, string Protocol)> PortsOf(ClusterObject service, ClusterObject pod)
    {
        List<(string, int, string)> ports = [];
        foreach (var port in service.Spec.Items("ports"))
        {
            var protocol = port.Text("protocol") ?? "TCP";
            var number = port.Text("targetPort") is { } name
                ? pod.Spec.Items("containers").SelectMany(container => container.Items("ports"))
                    .FirstOrDefault(candidate => candidate.Text("name") == name && (candidate.Text("protocol") ?? "TCP") == protocol).Number("containerPort")
                : port.Number("targetPort") ?? port.Number("port");
            // A pod without the named port does not serve it.
            if (number is { } found)
                ports.Add((port.Text("name") ?? "", found, protocol));
        }
        return ports;
    }
}
