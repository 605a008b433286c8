using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Platform.Backups.ClusterState;

/// <summary>What a restore does with one object.</summary>
public enum RestoreAction
{
    Create,

    /// <summary>It is there as it was.</summary>
    None,

    /// <summary>It is there and differs, and is left as it is.</summary>
    Keep,

    /// <summary>What is there is replaced.</summary>
    Overwrite,

    /// <summary>It is not there, and is not made again: somebody else brings it, or it would bring back the past.</summary>
    Leave,
}

/// <summary>What a restore does with one object, and why.</summary>
/// <param name="Differences">Between what is there and the archive.</param>
public sealed record RestoreDecision(RestoreAction Action, string Reason, IReadOnlyList<DriftFinding> Differences)
{
    /// <param name="live">As the API server answers it; null: there is none.</param>
    public static RestoreDecision Of(ResourceAddress address, JsonObject archived, JsonObject? live, StateRestoreRules rules)
    {
        if (live is null)
            return rules.WhyNotCreated(archived) is { } not ? new(RestoreAction.Leave, $"{address} is not made again: {not}.", []) : new(RestoreAction.Create, $"{address} is not there.", []);
        var differences = StateComparison.Compare(address, archived, live);
        if (differences.Count == 0)
            return Same(address);
        if (rules.WhyNotReplaced(archived, live) is { } stays)
            return new(RestoreAction.Keep, $"{address} differs and stays as it is: {stays}.", differences);
        if (ExportRules.IsMadeByTheCluster(live) && (!rules.Fenced || rules.IsNewer(live)))
            return new(RestoreAction.Overwrite, $"{address} is there because every cluster makes one, and nobody has changed it.", differences);
        return rules.Overwrite
            ? new(RestoreAction.Overwrite, $"{address} differs, and what is there is to be overwritten.", differences)
            : new(RestoreAction.Keep, $"{address} differs and was left as it is: restore with overwrite to replace it, or delete it and restore again.", differences);
    }

    /// <summary>It is there and means the same.</summary>
    public static RestoreDecision Same(ResourceAddress address) => new(RestoreAction.None, $"{address} is there as it was.", []);
}
