using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreSearch</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreSearchInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary>The id of the set. Default: the newest from before <see cref="To"/>.</summary>
    public string? Set { get; init; }

    /// <summary>The moment, in UTC, from before which the set has to be, for example <c>2026-03-01T09:41:00Z</c>. Default: now.</summary>
    public string? To { get; init; }

    /// <summary>Only these indices. Default: all of the set.</summary>
    public IReadOnlyList<string>? Indices { get; init; }

    /// <summary>Indices that are there are replaced, when that is approved. Default: they stay as they are.</summary>
    public bool Overwrite { get; init; }

    /// <summary><c>plan</c>: only says what would be done.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>Who asks: somebody else has to approve. Default: nobody is excluded.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>What is made carries it. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long each restore, and the backup before it, may take. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }

    /// <summary>How long a parked run waits for people. Default 24h, at most 30d.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set by <c>RestoreEnvironment</c> for the runs that it starts, and by nobody else: the plan that was approved with others.</summary>
    public ApprovedPlan? Approved { get; init; }
}

/// <summary>The result of <c>RestoreSearch</c>.</summary>
public sealed record SearchRestoreReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required RestoreOutcome Outcome { get; init; }

    /// <summary>What became of it, as sentences.</summary>
    public required string Summary { get; init; }

    /// <summary>Null: it was refused.</summary>
    public SearchRestorePlan? RestorePlan { get; init; }

    public string? PlanHash { get; init; }

    /// <summary>The set that holds what was overwritten; null: none was made.</summary>
    public string? BackupBefore { get; init; }

    /// <summary>From the fence until writes are taken again; null: nothing was replaced, or it is not open.</summary>
    public TimeSpan? OutOfService { get; init; }

    /// <summary>What people went on without, with why.</summary>
    public required IReadOnlyDictionary<string, string> Skipped { get; init; }

    /// <summary>Who approved it.</summary>
    public required IReadOnlyList<string> ApprovedBy { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Set">Null: whichever fits.</param>
/// <param name="Target">Null: the newest.</param>
/// <param name="Indices">Only these; empty: all.</param>
public sealed record PlanSearchRestoreInput(StoreReference Store, string Operation, string? Set, DateTimeOffset? Target, IReadOnlyList<string> Indices, bool Overwrite);

/// <param name="Plan">Null: it is refused.</param>
/// <param name="Refusal">Why, and what to do; null: it is not refused.</param>
/// <param name="Approvals">How many people have to approve it.</param>
/// <param name="ApprovalTimeout">How long they have for that.</param>
public sealed record PlannedSearchRestore(SearchRestorePlan? Plan, string? Refusal, int Approvals, TimeSpan ApprovalTimeout);

/// <param name="Plan">As it was approved.</param>
public sealed record SearchRestoreInput(StoreReference Store, string Operation, SearchRestorePlan Plan, SearchRestoreStep Step);

/// <param name="Detail">What was done, as sentences.</param>
public sealed record SearchRestoreDone(string Detail);
