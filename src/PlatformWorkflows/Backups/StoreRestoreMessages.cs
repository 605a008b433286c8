using System.Text.Json.Serialization;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Backups;

/// <summary>What every runbook that restores a store is asked for (workflow id <c>restore/{environment}/{store}</c>).</summary>
public abstract record StoreRestoreInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    [JsonPropertyOrder(-1)]
    public string? Environment { get; init; }

    /// <summary>Required. The store's name in the catalog.</summary>
    [JsonPropertyOrder(-1)]
    public string? Store { get; init; }

    /// <summary>The region whose store is meant, where each region has its own.</summary>
    [JsonPropertyOrder(-1)]
    public string? Region { get; init; }

    /// <summary>The id of the set. Default: the newest from before <see cref="To"/>; of a database the newest that can be followed to it.</summary>
    [JsonPropertyOrder(-1)]
    public string? Set { get; init; }

    /// <summary>The moment, in UTC, from before which the set has to be, for example <c>2026-03-01T09:41:00Z</c>; a database is brought to that moment. Default: the newest.</summary>
    [JsonPropertyOrder(-1)]
    public string? To { get; init; }

    /// <summary><c>plan</c>: only says what would be done.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>Who asks: somebody else has to approve. Default: nobody is excluded.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>What is made or written down carries it. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long each step that takes long, and the backup before it, may take. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }

    /// <summary>How long a parked run waits for people. Default 24h, at most 30d.</summary>
    public string? ParkedAtMost { get; init; }

    /// <summary>Set by <c>RestoreEnvironment</c> for the runs that it starts, and by nobody else: the plan that was approved with others.</summary>
    public ApprovedPlan? Approved { get; init; }
}

/// <summary>What every runbook that restores a store ends with. The run fills in what all have.</summary>
public abstract record StoreRestoreReport<TPlan>
    where TPlan : class, IRestorePlan
{
    [JsonPropertyOrder(-1)]
    public string Environment { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public string Store { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public string OperationId { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public RestoreOutcome Outcome { get; init; }

    /// <summary>What became of it, as sentences.</summary>
    [JsonPropertyOrder(-1)]
    public string Summary { get; init; } = "";

    /// <summary>Null: it was refused.</summary>
    [JsonPropertyOrder(-1)]
    public TPlan? RestorePlan { get; init; }

    [JsonPropertyOrder(-1)]
    public string? PlanHash { get; init; }

    /// <summary>The set that holds what was overwritten; null: none was made.</summary>
    [JsonPropertyOrder(-1)]
    public string? BackupBefore { get; init; }

    /// <summary>What people went on without, with why.</summary>
    public IReadOnlyDictionary<string, string> Skipped { get; init; } = new Dictionary<string, string>();

    /// <summary>Who approved it.</summary>
    public IReadOnlyList<string> ApprovedBy { get; init; } = [];

    public IReadOnlyList<RunbookStep> Steps { get; init; } = [];

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }
}

/// <param name="Plan">Null: it is refused.</param>
/// <param name="Refusal">Why, and what to do; null: it is not refused.</param>
/// <param name="Approvals">How many people have to approve it.</param>
/// <param name="ApprovalTimeout">How long they have for that.</param>
public record PlannedRestore<TPlan>(TPlan? Plan, string? Refusal, int Approvals, TimeSpan ApprovalTimeout)
    where TPlan : class, IRestorePlan;
