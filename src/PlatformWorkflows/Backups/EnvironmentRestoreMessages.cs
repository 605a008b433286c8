using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Backups;

/// <summary>Input of <c>RestoreEnvironment</c> (workflow id <c>restore/{environment}</c>).</summary>
public sealed record RestoreEnvironmentInput
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary>The moment to restore to, in UTC, for example <c>2026-03-01T09:41:00Z</c>. Default: the newest.</summary>
    public string? To { get; init; }

    /// <summary>Vault has other unseal keys than its set, a new one for example. Default: it has the same.</summary>
    public bool OtherKeys { get; init; }

    /// <summary>Managed databases that are restored beside themselves take their place. Default: the run parks until people have seen to that.</summary>
    public bool Exchange { get; init; }

    /// <summary><c>plan</c>: only says what would be done.</summary>
    public RunbookMode Mode { get; init; }

    /// <summary>Who asks: somebody else has to approve. Default: nobody is excluded.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>What is made carries it. Default: made from the run.</summary>
    public string? OperationId { get; init; }

    /// <summary>How long a step of a restore may take. Default 6h, at most 7d.</summary>
    public string? Within { get; init; }

    /// <summary>How long a parked run waits for people. Default 24h, at most 30d.</summary>
    public string? ParkedAtMost { get; init; }
}

/// <summary>A plan that was approved together with others. Set by <c>RestoreEnvironment</c> for the runs that it starts, and by nobody else.</summary>
/// <param name="PlanHash">Of the run's own plan: another one is not approved.</param>
public sealed record ApprovedPlan(string PlanHash, IReadOnlyList<string> ApprovedBy);

/// <param name="Stores">By name, what kind they are of.</param>
/// <param name="Components">Names of all that are enabled.</param>
/// <param name="Approvals">How many people have to approve a restore.</param>
/// <param name="ApprovalTimeout">How long they have for that.</param>
public sealed record ListedStores(IReadOnlyDictionary<string, StoreKind> Stores, IReadOnlyList<string> Components, int Approvals, TimeSpan ApprovalTimeout);

/// <param name="Operation">For the note of what is paused.</param>
public sealed record FenceTemporalInput(string Environment, string Operation);

/// <param name="Wrong">What speaks against going on, one sentence each.</param>
/// <param name="Right">What there is in each namespace.</param>
public sealed record FencedTemporal(IReadOnlyList<string> Wrong, IReadOnlyList<string> Right);

/// <summary>The result of <c>RestoreEnvironment</c>.</summary>
public sealed record EnvironmentRestoreReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required RestoreOutcome Outcome { get; init; }

    /// <summary>What became of it, as sentences.</summary>
    public required string Summary { get; init; }

    /// <summary>Null: it was refused.</summary>
    public EnvironmentRestorePlan? RestorePlan { get; init; }

    public string? PlanHash { get; init; }

    /// <summary>What each step took, waiting for people included.</summary>
    public required IReadOnlyDictionary<string, TimeSpan> Took { get; init; }

    /// <summary>From the first step to the end of the last; null: none was begun.</summary>
    public TimeSpan? RestoreTook { get; init; }

    /// <summary>What people went on without, with why.</summary>
    public required IReadOnlyDictionary<string, string> Skipped { get; init; }

    /// <summary>Who approved it.</summary>
    public required IReadOnlyList<string> ApprovedBy { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }
}
