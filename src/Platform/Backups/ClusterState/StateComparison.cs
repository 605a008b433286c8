using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>Says field by field how a live object differs from the one in an archive. Values of Secrets are compared and never shown.</summary>
public static class StateComparison
{
    private const string Component = "cluster-state";

    /// <summary>A digest that is equal for objects that mean the same.</summary>
    public static string Digest(JsonObject manifest) => CanonicalJson.Digest(ExportRules.Compared(manifest));

    /// <summary>What differs; empty: nothing.</summary>
    /// <param name="archived">From the archive.</param>
    /// <param name="live">As the API server answers it; null: there is none.</param>
    public static IReadOnlyList<DriftFinding> Compare(ResourceAddress address, JsonObject archived, JsonObject? live)
    {
        if (live is null)
            return [new(Component, address, DriftKind.Missing, $"{address} is in the archive and not in the cluster.")];
        var (wanted, there) = (ExportRules.Compared(archived), ExportRules.Compared(live));
        if (CanonicalJson.Of(wanted) == CanonicalJson.Of(there))
            return [];
        var hidden = address is { ApiVersion: "v1", Kind: "Secret" } ? HiddenValues(wanted, there) : [];
        // What only the archive has, what only the cluster has, and what both have with other values.
        var changes = FieldDiff.Compare(wanted, there).Concat(FieldDiff.Compare(there, wanted).Select(change => new FieldChange(change.Path, change.To, change.From)))
            .DistinctBy(change => change.Path).OrderBy(change => change.Path, StringComparer.Ordinal);
        IReadOnlyList<DriftFinding> findings =
        [
            .. changes.Select(change => new DriftFinding(
                Component, address, DriftKind.Field, $"{address}: {change.Path} is {change.From ?? "absent"} instead of {change.To ?? "absent"}.", change.Path, change.To, change.From)),
            .. hidden.Select(key => new DriftFinding(Component, address, DriftKind.Field, $"{address}: data.{key} is another one (values of Secrets are not shown).", $"data.{key}")),
        ];
        // The order of a list, an empty map: too small for the comparison of fields, and still not the same bytes. It means the same.
        return findings;
    }

    /// <summary>An object that is in the cluster and not in the archive.</summary>
    public static DriftFinding Undeclared(ResourceAddress address) => new(Component, address, DriftKind.Undeclared, $"{address} is in the cluster and not in the archive.");

    /// <summary>The keys whose values differ; takes the values, and what repeats them, out of both.</summary>
    private static List<string> HiddenValues(JsonObject wanted, JsonObject there)
    {
        var (left, right) = (wanted["data"] as JsonObject ?? [], there["data"] as JsonObject ?? []);
        var differing = left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key)).Where(key => !JsonNode.DeepEquals(left[key], right[key])).Order(StringComparer.Ordinal).ToList();
        foreach (var secret in (JsonObject[])[wanted, there])
        {
            secret.Remove("data");
            ExportRules.ForgetLastApplied(secret);
            // Without it the comparison of fields takes it for a Secret and compares nothing.
            secret.Remove("kind");
        }

        return differing;
    }
}
