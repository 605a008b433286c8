using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>BackUpDatabase</c> and of the other runbooks that make sets (workflow id <c>backup/{environment}/{store}</c>).</summary>
public sealed record BackUpInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary><c>full</c>, <c>differential</c> or <c>incremental</c>. Default: what is due by the catalog.</summary>
    public BackupMethod? Method { get; init; }

    /// <summary>Also the id of the set. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long it may take before it counts as failed. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }
}

/// <summary>The result of a runbook that makes a set.</summary>
public sealed record BackUpReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    /// <summary><c>complete</c> or <c>partial</c>; a run that made nothing ends in a failure.</summary>
    public required BackupOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    public required BackupSet Set { get; init; }

    /// <summary>What is not as it has to be in the repository, one sentence each.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

/// <summary>Input of <c>VerifyBackup</c> (workflow id <c>verify-backup/{environment}/{store}</c>).</summary>
public sealed record VerifyBackupInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary>The id of the set. Default: the newest that was never verified, then the one whose proof is too old.</summary>
    public string? Set { get; init; }

    /// <summary>What the quarantine is marked with. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long it may take. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }
}

/// <summary>The result of <c>VerifyBackup</c>.</summary>
public sealed record VerifyBackupReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required VerifyOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Null: none was due.</summary>
    public string? Set { get; init; }

    /// <summary>What was found, one sentence each; what speaks against the set first.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>What was promised and what was measured.</summary>
    public required IReadOnlyList<ObjectiveResult> Objectives { get; init; }

    /// <summary>Sets of which nobody knows whether they can be restored, after this run.</summary>
    public required IReadOnlyList<string> Unproven { get; init; }

    /// <summary>What was removed of the quarantine; a listing found nothing else of it.</summary>
    public required IReadOnlyList<string> Removed { get; init; }

    /// <summary>What the restored databases of a Temporal held.</summary>
    public IReadOnlyList<TemporalCopyCounts> Temporal { get; init; } = [];

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}

public enum VerifyOutcome
{
    /// <summary>Every set was proved lately.</summary>
    NothingDue,

    /// <summary>It was restored, it is whole, and what is promised was kept.</summary>
    Proved,

    /// <summary>It was restored and is whole, and what is promised was not kept.</summary>
    ObjectiveMissed,

    /// <summary>It cannot be restored whole.</summary>
    Damaged,

    /// <summary>It was restored, and nobody has read what is in it: it is as proved as before.</summary>
    Restored,
}

/// <summary>Input of <c>ApplyRetention</c> (workflow id <c>retention/{environment}/{store}</c>).</summary>
public sealed record ApplyRetentionInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    public string? Region { get; init; }

    /// <summary><c>plan</c>: only says what would go.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>For the report. Default: made from the run.</summary>
    public string? OperationId { get; init; }
}

public enum RetentionOutcome
{
    /// <summary>Nothing was changed: only the plan was asked for.</summary>
    Planned,

    /// <summary>What was decided was done; what was left says why.</summary>
    Applied,
}

/// <summary>The result of <c>ApplyRetention</c>.</summary>
public sealed record ApplyRetentionReport
{
    public required string Environment { get; init; }

    public required string Store { get; init; }

    public required string OperationId { get; init; }

    public required RetentionOutcome Outcome { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What goes, and why each other one stays.</summary>
    public required IReadOnlyList<RetentionVerdict> Verdicts { get; init; }

    /// <summary>Verdicts that were not carried out, with why.</summary>
    public required IReadOnlyList<string> Left { get; init; }

    /// <summary>Between catalog and repository; nothing is removed because of them.</summary>
    public required IReadOnlyList<ReconciliationFinding> Disagreements { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}
