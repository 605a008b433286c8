using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreDatabase</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreDatabaseInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary>The id of the set. Default: the newest that can be followed to <see cref="To"/>.</summary>
    public string? Set { get; init; }

    /// <summary>The moment to restore to, in UTC, for example <c>2026-03-01T09:41:00Z</c>. Default: the newest in the archive.</summary>
    public string? To { get; init; }

    /// <summary><c>plan</c>: only says what would be done.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>Who asks: somebody else has to approve. Default: nobody is excluded.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>What is made carries it. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long the restore itself and the backup before it may take, each. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }

    /// <summary>How long a parked run waits for people. Default 24h, at most 30d.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set by <c>RestoreEnvironment</c> for the runs that it starts, and by nobody else: the plan that was approved with others.</summary>
    public ApprovedPlan? Approved { get; init; }
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
public sealed record RestoreReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required RestoreOutcome Outcome { get; init; }

    /// <summary>What became of it, as sentences.</summary>
    public required string Summary { get; init; }

    /// <summary>Null: it was refused.</summary>
    public RestorePlan? RestorePlan { get; init; }

    public string? PlanHash { get; init; }

    /// <summary>The set that holds what was overwritten; null: none was made.</summary>
    public string? BackupBefore { get; init; }

    /// <summary>The claimed epoch in which the restored data serves; null: it does not.</summary>
    public long? Epoch { get; init; }

    /// <summary>What the restore itself took, until a server let in.</summary>
    public TimeSpan? RestoreTook { get; init; }

    /// <summary>From the fence until a write was acknowledged again; null: it was not fenced, or serves no more.</summary>
    public TimeSpan? OutOfService { get; init; }

    /// <summary>The node that still has to be rebuilt, by <c>follow</c> of its guard's API; null: none.</summary>
    public string? ToRebuild { get; init; }

    /// <summary>What people went on without, with why.</summary>
    public required IReadOnlyDictionary<string, string> Skipped { get; init; }

    /// <summary>Who approved it.</summary>
    public required IReadOnlyList<string> ApprovedBy { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}
