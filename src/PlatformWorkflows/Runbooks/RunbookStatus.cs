namespace PlatformOps.Workflows.Runbooks;

/// <summary>The answer of the query <c>status</c>, the same for every runbook.</summary>
public sealed record RunbookStatus
{
    /// <summary>The workflow type.</summary>
    public required string Runbook { get; init; }

    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required RunbookPhase Phase { get; init; }

    /// <summary>One sentence: what is going on.</summary>
    public required string Summary { get; init; }

    /// <summary>In the order in which they are planned.</summary>
    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    /// <summary>What the run waits for, who can give it, and until when; null when it waits for nobody.</summary>
    public RunbookWait? WaitingFor { get; init; }

    /// <summary>What happens next, as a sentence.</summary>
    public string? Next { get; init; }

    /// <summary>The state the world is in if the run stops at this moment, as a sentence.</summary>
    public required string IfStoppedNow { get; init; }

    /// <summary>What <c>abort</c> would undo, newest first.</summary>
    public required IReadOnlyList<string> Compensations { get; init; }

    /// <summary>Before it abort restores the old state; after it only forward.</summary>
    public bool PointOfNoReturnPassed { get; init; }

    /// <summary>The hash to approve; null before planning.</summary>
    public string? PlanHash { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    /// <summary>The fencing token of the environment; null where nothing changes places.</summary>
    public long? Epoch { get; init; }

    /// <summary>How long the parts of a failover took; null for other runbooks.</summary>
    public IReadOnlyList<Failover.FailoverPhase>? Phases { get; init; }
}

public enum RunbookPhase
{
    Observing,
    Planning,
    AwaitingApproval,
    Acting,

    /// <summary>A step failed; the run waits for retryStep, skipStep or abort.</summary>
    Parked,

    /// <summary>It stands still, because it is carried to another bootstrap cluster.</summary>
    Suspended,
    RollingBack,
    Completed,
    Rejected,
    Aborted,
    Failed,
}

/// <summary>One step of a runbook.</summary>
/// <param name="Name">What <c>retryStep</c> and <c>skipStep</c> take, for example <c>temporal-history@us-east-1</c>.</param>
/// <param name="Detail">What it does, waits for or failed with, as a sentence.</param>
/// <param name="WorkflowId">The child workflow that does it; null while it has not started.</param>
public sealed record RunbookStep(
    string Name,
    StepState State,
    string Detail,
    IReadOnlyList<string> DependsOn,
    string? WorkflowId = null,
    DateTimeOffset? StartedAt = null,
    DateTimeOffset? FinishedAt = null);

public enum StepState
{
    Pending,

    /// <summary>Not started, and will not be as things stand: something that it depends on has failed, or the run was stopped.</summary>
    Blocked,
    Running,
    Done,
    Failed,
    Skipped,
    RolledBack,
}

/// <summary>A wait with its owner and deadline.</summary>
/// <param name="For">What would end it.</param>
/// <param name="Who">Who can give it: operator, approver, time.</param>
/// <param name="Until">When the run stops waiting.</param>
public sealed record RunbookWait(string For, string Who, DateTimeOffset Until);
