using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreClusterState</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreClusterStateInput : StoreRestoreInput
{
    /// <summary>Only these namespaces and what is in them. Default: everything.</summary>
    public IReadOnlyList<string>? Namespaces { get; init; }

    /// <summary>Objects that are there and differ are replaced, when that is approved. Default: they stay as they are.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Velero restores the Backup that it made besides the set. Not with <see cref="Overwrite"/>. Default: we restore the set.</summary>
    public bool Velero { get; init; }
}

/// <summary>The result of <c>RestoreClusterState</c>.</summary>
public sealed record StateRestoreReport : StoreRestoreReport<StateRestorePlan>
{
    /// <summary>What the last attempt has written; null: it was not begun.</summary>
    public RestoredState? Restored { get; init; }

    /// <summary>How cluster and set compare afterwards; null: they were not compared.</summary>
    public ComparedState? Compared { get; init; }
}
