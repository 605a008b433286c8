using PlatformOps.Platform.Backups;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreDatabase</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreDatabaseInput : StoreRestoreInput
{
    /// <summary>Of a managed database: what was restored beside it takes its place, when it is proved. Default: it stays beside it.</summary>
    public bool Exchange { get; init; }
}

public enum RestoreOutcome
{
    /// <summary>Nothing was changed: only the plan was asked for.</summary>
    Planned,

    /// <summary>It cannot be done, and nothing was changed.</summary>
    Refused,

    /// <summary>People did not approve it, and nothing was changed.</summary>
    Rejected,

    /// <summary>It was stopped before the restored data was opened: the database serves as it did.</summary>
    Aborted,

    /// <summary>What was asked for is restored, and serves.</summary>
    Restored,

    /// <summary>Everything is there already as it was.</summary>
    Unchanged,

    /// <summary>Some of it is not as in the set, and people went on without that; it is named.</summary>
    Partial,
}

/// <summary>The result of <c>RestoreDatabase</c>.</summary>
public sealed record RestoreReport : StoreRestoreReport<RestorePlan>
{
    /// <summary>The claimed epoch in which the restored data serves; null: it does not.</summary>
    public long? Epoch { get; init; }

    /// <summary>What the restore itself took, until a server let in.</summary>
    public TimeSpan? RestoreTook { get; init; }

    /// <summary>From the fence until a write was acknowledged again; null: it was not fenced, or serves no more.</summary>
    public TimeSpan? OutOfService { get; init; }

    /// <summary>The node that still has to be rebuilt, by <c>follow</c> of its guard's API; null: none.</summary>
    public string? ToRebuild { get; init; }
}
