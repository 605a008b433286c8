using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>Whether a region could carry what another one carries. Pure: what was seen goes in, and the sentences for the operator come out.</summary>
/// <remarks>Invariant: what is unknown is never enough.</remarks>
public static class StandbyCapacity
{
    /// <summary>The reserved nodes have to be there, and everything that the serving region has more of has to find room beside what runs in the standby's already.</summary>
    public static StandbyVerdict Judge(StandbySight seen)
    {
        var unknown = seen.Unknown.ToList();
        if (seen.Nodes.Count == 0)
            unknown.Add($"the cluster of {seen.Region} shows no nodes");
        var missing = seen.Nodes.Count == 0 ? [] : Reserved(seen).Concat(Placed(seen)).ToList();
        var carried = string.Create(CultureInfo.InvariantCulture, $"{seen.Workloads.Count} workloads of {seen.Serving}, {seen.Workloads.Sum(workload => workload.Lacking)} more pods than {seen.Region} has");
        return missing.Count > 0
            ? new(false, $"{seen.Region} could not carry {seen.Serving}: {string.Join("; ", missing)}. Add nodes or raise quotas there before a failover needs them.{Unknown(unknown)}", missing)
            : unknown.Count > 0
            ? new(null, $"Whether {seen.Region} could carry {seen.Serving} is not known: {string.Join("; ", unknown)}.", [])
            : new(true, $"{seen.Region} has room for {carried}.", []);
    }

    private static IEnumerable<string> Reserved(StandbySight seen) =>
        from reserved in seen.Reserved
        where reserved.Labels.Count > 0
        let there = seen.Nodes.Count(node => RoomRules.Ready(node) && reserved.Labels.All(label => (string?)node["metadata"]?["labels"]?[label.Key] == label.Value))
        where there < reserved.Count
        select string.Create(CultureInfo.InvariantCulture, $"{there} of {reserved.Count} nodes of class {reserved.Name} are ready");

    /// <summary>The largest first, as they are hardest to place.</summary>
    private static IEnumerable<string> Placed(StandbySight seen)
    {
        var room = new ClusterRoom(seen.Nodes, seen.Pods, seen.Quotas);
        foreach (var workload in seen.Workloads.Where(workload => workload.Lacking > 0).OrderByDescending(workload => RoomRules.Requests(workload.Template["spec"] as JsonObject ?? [])["cpu"]).ThenBy(workload => workload.Name, StringComparer.Ordinal))
        {
            var (placed, why) = room.Place(workload.Template, workload.Namespace, workload.Lacking);
            if (why is not null)
                yield return string.Create(CultureInfo.InvariantCulture, $"{workload.Name} runs {workload.Serving} there and {workload.Standing} here, and {placed} of {workload.Lacking} more find room ({why})");
        }
    }

    private static string Unknown(List<string> unknown) => unknown.Count == 0 ? "" : $" Not known besides: {string.Join("; ", unknown)}.";
}

/// <summary>What was seen of two regions.</summary>
/// <param name="Region">The one that would have to carry.</param>
/// <param name="Serving">The one that carries now.</param>
/// <param name="Reserved">The classes of nodes that the specification promises each region.</param>
/// <param name="Nodes">Of the standby's cluster; so are pods and quotas.</param>
/// <param name="Unknown">What could not be found out, each as a part of a sentence.</param>
public sealed record StandbySight(
    string Region, string Serving, IReadOnlyList<NodeClassSpecification> Reserved, IReadOnlyList<StandbyWorkload> Workloads, IReadOnlyList<JsonObject> Nodes, IReadOnlyList<JsonObject> Pods, IReadOnlyList<JsonObject> Quotas,
    IReadOnlyList<string> Unknown);

/// <param name="Name">The component.</param>
/// <param name="Serving">How many replicas the serving region has.</param>
/// <param name="Standing">How many the standby's has.</param>
/// <param name="Template">Of its pods.</param>
public sealed record StandbyWorkload(string Name, string Namespace, int Serving, int Standing, JsonObject Template)
{
    /// <summary>How many more the standby's region would need.</summary>
    public int Lacking => Math.Max(0, Serving - Standing);
}

/// <param name="Enough">Null: it is not known.</param>
/// <param name="Summary">What was found and what to do, as sentences.</param>
/// <param name="Shortfalls">What does not find room, each as a part of a sentence.</param>
public sealed record StandbyVerdict(bool? Enough, string Summary, IReadOnlyList<string> Shortfalls);
