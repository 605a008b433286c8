using System.Text.Json.Nodes;

namespace PlatformOps.Platform.Provisioning;

/// <summary>One object that was created, for whoever pays for it or has to undo it.</summary>
/// <param name="Owner">The component and environment whose labels it carries.</param>
/// <param name="OperationId">The operation that created it; null: it is older than these marks.</param>
/// <param name="Cost">What it costs.</param>
/// <param name="Compensation">What would undo it, or why nothing does.</param>
public sealed record LedgerEntry(ResourceAddress Address, string Owner, string? OperationId, CostClass Cost, string Compensation);

/// <summary>What an object costs; several may hold.</summary>
[Flags]
public enum CostClass
{
    None = 0,

    /// <summary>Processors and memory for as long as it is there.</summary>
    Compute = 1,

    /// <summary>Space on disks or in buckets for as long as it is there.</summary>
    Storage = 2,

    /// <summary>A load balancer, an address or a zone's records.</summary>
    Network = 4,
}

/// <summary>What was created, what it costs and what would undo it.</summary>
public static class Ledger
{
    private static readonly Dictionary<string, CostClass> ByKind = new()
    {
        ["Bucket"] = CostClass.Storage,
        ["DaemonSet"] = CostClass.Compute,
        ["DatabaseInstance"] = CostClass.Compute | CostClass.Storage,
        ["Deployment"] = CostClass.Compute,
        ["DnsRecord"] = CostClass.Network,
        ["Job"] = CostClass.Compute,
        ["PersistentVolume"] = CostClass.Storage,
        ["PersistentVolumeClaim"] = CostClass.Storage,
        ["Pod"] = CostClass.Compute,
        ["ReplicaSet"] = CostClass.Compute,
        ["StatefulSet"] = CostClass.Compute,
        ["VolumeSnapshot"] = CostClass.Storage,
    };

    /// <summary>The entry of a live object of ours.</summary>
    public static LedgerEntry Entry(ObservedObject live)
    {
        string? Annotation(string name) => (string?)live.Manifest["metadata"]?["annotations"]?[name];
        string? Label(string name) => (string?)live.Manifest["metadata"]?["labels"]?[name];
        return Entry(
            live.Address, $"{Label(Ownership.ComponentLabel)} of {Label(Ownership.PlatformLabel)}/{Label(Ownership.EnvironmentLabel)}",
            Annotation(Ownership.CreatedByAnnotation), CostOf(live.Manifest));
    }

    public static LedgerEntry Entry(ResourceAddress address, string owner, string? operationId, CostClass cost) =>
        new(address, owner, operationId, cost, DataHolders.Contains(address) ? "kept: it holds data, or everything else" : "removed by DecommissionEnvironment");

    /// <summary>What an object costs, declared or live: by its kind, and by what it asks for.</summary>
    public static CostClass CostOf(JsonObject manifest)
    {
        var spec = manifest["spec"];
        var kind = (string?)manifest["kind"] ?? "";
        var cost = ByKind.GetValueOrDefault(kind);
        if (kind == "Service" && (string?)spec?["type"] == "LoadBalancer")
            cost = CostClass.Network;
        if (spec?["replicas"] is JsonValue replicas && replicas.TryGetValue<long>(out var instances) && instances == 0)
            cost &= ~CostClass.Compute;
        return spec?["volumeClaimTemplates"] is JsonArray { Count: > 0 } ? cost | CostClass.Storage : cost;
    }
}
