using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreVault</c> (workflow id <c>restore/{environment}/{store}</c>).</summary>
public sealed record RestoreVaultInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose Vault is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary>The id of the set. Default: the newest from before <see cref="To"/>.</summary>
    public string? Set { get; init; }

    /// <summary>The moment, in UTC, from before which the set has to be, for example <c>2026-03-01T09:41:00Z</c>. Default: now.</summary>
    public string? To { get; init; }

    /// <summary>Vault has other unseal keys than the set, a new one for example: it is sealed by the restore, until those of the set are given. Default: it has the same, and anything else is refused.</summary>
    public bool OtherKeys { get; init; }

    /// <summary><c>plan</c>: only says what would be done.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>Who asks: somebody else has to approve. Default: nobody is excluded.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>What is written down carries it. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long a step, and the backup before it, may take, each. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }

    /// <summary>How long a parked run waits for people. Default 24h, at most 30d.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set by <c>RestoreEnvironment</c> for the runs that it starts, and by nobody else: the plan that was approved with others.</summary>
    public ApprovedPlan? Approved { get; init; }
}

/// <summary>The result of <c>RestoreVault</c>.</summary>
public sealed record VaultRestoreReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required RestoreOutcome Outcome { get; init; }

    /// <summary>What became of it, as sentences.</summary>
    public required string Summary { get; init; }

    /// <summary>Null: it was refused.</summary>
    public VaultRestorePlan? RestorePlan { get; init; }

    public string? PlanHash { get; init; }

    /// <summary>The set that holds what was overwritten; null: none was made.</summary>
    public string? BackupBefore { get; init; }

    /// <summary>What had been revoked since the set was made, and was revoked again: the first of it.</summary>
    public required IReadOnlyList<string> Revoked { get; init; }

    /// <summary>What somebody has to see to, a sentence each: the first of them.</summary>
    public required IReadOnlyList<string> Named { get; init; }

    /// <summary>From the order until it took our login with the state of the set; null: it did not.</summary>
    public TimeSpan? RestoreTook { get; init; }

    /// <summary>What people went on without, with why.</summary>
    public required IReadOnlyDictionary<string, string> Skipped { get; init; }

    /// <summary>Who approved it.</summary>
    public required IReadOnlyList<string> ApprovedBy { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}
