using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Machines for a cluster that has none: a few of each class, spread over zones.</summary>
internal static class SandboxNodes
{
    private const string NotReadyTaint = "node.kubernetes.io/not-ready";

    /// <summary>Class (the value of the label <c>tier</c>) and number of machines.</summary>
    private static readonly (string Tier, int Count)[] Classes = [("backend", 3), ("workers", 3), ("data", 3), ("monitoring", 1)];

    /// <summary>Creates the machines when there is no node at all, and finishes those that an interrupted start left unfinished.</summary>
    public static async Task EnsureAsync(Cluster cluster, TimeProvider clock, CancellationToken ct)
    {
        var nodes = cluster.Of(Resources.Nodes);
        if (!nodes.All.Any())
            foreach (var (tier, count) in Classes)
                for (var number = 1; number <= count; number++)
                    await cluster.CreateAsync(Resources.Nodes, "", Node($"{tier}-{number}", tier, number), ct);
        foreach (var node in nodes.All.Where(node => node.Labels.Text("platformops.dev/sandbox") == "true").OrderBy(node => node.Name).ToList())
        {
            var ready = await cluster.PatchStatusAsync(node, Status(node, clock.GetUtcNow()), ct);
            // Servers put this taint on new nodes, for the node controller of a whole cluster to take off.
            if (ready.Spec.Item("taints", "key", NotReadyTaint) is not null)
                await cluster.PatchAsync(ready, new JsonObject { ["spec"] = new JsonObject { ["taints"] = null } }, ct);
        }
    }

    private static JsonObject Node(string name, string tier, int number) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["labels"] = new JsonObject
            {
                ["kubernetes.io/hostname"] = name,
                ["kubernetes.io/os"] = "linux",
                ["kubernetes.io/arch"] = "amd64",
                ["topology.kubernetes.io/zone"] = "zone-" + "abc"[(number - 1) % 3],
                ["tier"] = tier,
                ["platformops.dev/sandbox"] = "true",
            },
        },
        ["spec"] = new JsonObject(),
    };

    private static JsonObject Status(ClusterObject node, DateTimeOffset now)
    {
        var room = new JsonObject { ["cpu"] = "64", ["memory"] = "256Gi", ["pods"] = "250", ["ephemeral-storage"] = "1Ti" };
        var since = node.Status.Item("conditions", "type", "Ready").Text("lastTransitionTime") ?? now.Stamp();
        JsonObject Line(string type, string status, string reason) => new()
        {
            ["type"] = type,
            ["status"] = status,
            ["reason"] = reason,
            ["message"] = "The sandbox plays this node.",
            ["lastHeartbeatTime"] = since,
            ["lastTransitionTime"] = since,
        };
        return new()
        {
            ["capacity"] = room,
            ["allocatable"] = room.DeepClone(),
            ["conditions"] = new JsonArray(
                Line("MemoryPressure", "False", "KubeletHasSufficientMemory"), Line("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                Line("PIDPressure", "False", "KubeletHasSufficientPID"), Line("Ready", "True", "KubeletReady")),
            ["addresses"] = new JsonArray(
                new JsonObject { ["type"] = "InternalIP", ["address"] = $"10.0.{Tier(node)}.{node.Name[^1] - '0'}" },
                new JsonObject { ["type"] = "Hostname", ["address"] = node.Name }),
            ["nodeInfo"] = new JsonObject
            {
                ["architecture"] = "amd64",
                ["bootID"] = node.Uid,
                ["containerRuntimeVersion"] = "sandbox://1",
                ["kernelVersion"] = "6.1.0",
                ["kubeProxyVersion"] = "v1.32.0",
                ["kubeletVersion"] = "v1.32.0",
                ["machineID"] = node.Uid,
                ["operatingSystem"] = "linux",
                ["osImage"] = "PlatformOps sandbox",
                ["systemUUID"] = node.Uid,
            },
        };
    }

    private static int Tier(ClusterObject node) => Array.FindIndex(Classes, @class => @class.Tier == node.Labels.Text("tier"));
}
