using System.Globalization;
using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Scaling;

/// <summary>What is free in a cluster, for pods of several workloads one after the other. As <see cref="RoomRules"/> it goes by requests and quotas, not by affinities and spreading.</summary>
internal sealed class ClusterRoom
{
    private readonly List<NodeRoom> nodes;
    private readonly Dictionary<string, List<JsonObject>> quotas;

    /// <param name="pods">All pods of the cluster.</param>
    /// <param name="quotas">All ResourceQuotas of the cluster.</param>
    public ClusterRoom(IReadOnlyList<JsonObject> nodes, IReadOnlyList<JsonObject> pods, IReadOnlyList<JsonObject> quotas)
    {
        var taken = RoomRules.Taken(pods);
        this.nodes = [.. nodes.Select(node => new NodeRoom(node, taken.GetValueOrDefault((string?)node["metadata"]?["name"] ?? "", [])))];
        // Clones: what is placed is charged to them.
        this.quotas = quotas.GroupBy(quota => (string?)quota["metadata"]?["namespace"] ?? "").ToDictionary(group => group.Key, group => group.Select(quota => (JsonObject)quota.DeepClone()).ToList());
    }

    /// <summary>Gives room to as many pods as there is for, up to a number.</summary>
    /// <returns>How many, and why no more; null: all.</returns>
    public (int Placed, string? Why) Place(JsonObject template, string space, int count)
    {
        var spec = template["spec"] as JsonObject ?? [];
        var wanted = RoomRules.Requests(spec);
        var own = quotas.GetValueOrDefault(space, []);
        var allowed = Math.Min(count, RoomRules.Quota(spec, wanted, own) ?? count);
        var candidates = nodes.Where(node => RoomRules.Accepts(node.Node, spec)).ToList();
        var placed = 0;
        // The fullest node that still takes it: what is left together elsewhere may take something larger.
        while (placed < allowed && candidates.Where(candidate => candidate.Takes(wanted)).MinBy(candidate => candidate.Free("cpu")) is { } node)
        {
            node.Take(wanted);
            placed++;
        }

        foreach (var quota in own)
            RoomRules.Charge(quota, spec, wanted, placed);
        return (placed, placed == count ? null
            : placed == allowed ? $"quotas of {space} allow no more"
            : string.Create(CultureInfo.InvariantCulture, $"each wants {wanted["cpu"]:0.###} CPU and {wanted["memory"] / (1024 * 1024):0} MiB, and no more fit onto the {candidates.Count} nodes that may take them"));
    }

    private sealed class NodeRoom
    {
        private readonly Dictionary<string, decimal> free;
        private decimal pods;

        public NodeRoom(JsonObject node, IReadOnlyList<Dictionary<string, decimal>> there)
        {
            Node = node;
            var allocatable = node["status"]?["allocatable"];
            free = RoomRules.Resources.ToDictionary(resource => resource, resource => RoomRules.Amount(allocatable?[resource]) - there.Sum(request => request[resource]));
            pods = RoomRules.Amount(allocatable?["pods"]) is > 0 and var most ? most - there.Count : int.MaxValue;
        }

        public JsonObject Node { get; }

        public decimal Free(string resource) => free[resource];

        public bool Takes(Dictionary<string, decimal> wanted) => pods >= 1 && RoomRules.Resources.All(resource => wanted[resource] <= Math.Max(0, free[resource]));

        public void Take(Dictionary<string, decimal> wanted)
        {
            pods--;
            foreach (var resource in RoomRules.Resources)
                free[resource] -= wanted[resource];
        }
    }
}
