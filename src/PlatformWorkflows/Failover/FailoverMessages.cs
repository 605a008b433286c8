using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Failover;

/// <summary>Input of <c>RegionFailover</c> (workflow id <c>failover/{environment}</c>).</summary>
public sealed record RegionFailoverRequest
{
    /// <summary>Required. The environment's name in the specification.</summary>
    public string? Environment { get; init; }

    /// <summary><c>run</c> (default) watches and acts, <c>plan</c> says what would be done and ends, <c>drill</c> does one failover on the isolated copy and ends.</summary>
    public FailoverRunMode Mode { get; init; } = FailoverRunMode.Run;

    /// <summary>What a drill practises on a copy that it makes itself: <c>nodeLost</c> (default) or <c>switchover</c>.</summary>
    public DrillScenario Scenario { get; init; } = DrillScenario.NodeLost;

    /// <summary>What the run before this one knew; set by itself when it continues as new.</summary>
    public FailoverState? State { get; init; }
}

public enum FailoverRunMode
{
    Run,
    Plan,
    Drill,
}

/// <summary>What is carried from run to run.</summary>
public sealed record FailoverState
{
    public long Epoch { get; init; }

    public string? Primary { get; init; }

    /// <summary>How many operations there were: part of the next one's id.</summary>
    public int Operations { get; init; }

    public OpenRecovery? Recovery { get; init; }

    public Maintenance? Maintenance { get; init; }

    public IReadOnlyList<ObserverReport> Reports { get; init; } = [];

    /// <summary>The alerts that fire.</summary>
    public IReadOnlyList<AlertSignal> Alerts { get; init; } = [];

    public FailoverReport? Last { get; init; }

    /// <summary>What is being carried out; null: nothing.</summary>
    public OpenOperation? Open { get; init; }

    /// <summary>What waits for approval; null: nothing.</summary>
    public OpenApproval? Asked { get; init; }

    /// <summary>Something of it came when nothing was decided any more: the next run decides at once.</summary>
    public bool Undecided { get; init; }

    /// <summary>The hash of what people refused: it is not asked for again.</summary>
    public string? RejectedHash { get; init; }

    /// <summary>Since when a restart in place has been tried; null: it has not.</summary>
    public DateTimeOffset? RestartingSince { get; init; }
}

/// <summary>What people were asked to approve, and who has.</summary>
/// <param name="Needed">How many have to.</param>
/// <param name="RequestedBy">Who asked for it; they cannot approve.</param>
/// <param name="ByPolicy">Nobody asked: the evidence did.</param>
public sealed record OpenApproval(
    FailoverProposal Proposal, string Why, int Needed, string? RequestedBy, bool ByPolicy, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<ApproveInput> Approvals);

/// <summary>A change of places in the middle, past its point of no return: the step that was begun is begun again.</summary>
public sealed record OpenOperation
{
    public required string OperationId { get; init; }

    public required FailoverProposal Proposal { get; init; }

    public required string Why { get; init; }

    /// <summary>People asked for it.</summary>
    public required bool Asked { get; init; }

    public required IReadOnlyList<FailoverStep> Begun { get; init; }

    public required int Done { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required IReadOnlyList<FailoverPhase> Phases { get; init; }

    public DivergenceSummary? Divergence { get; init; }

    public required DateTimeOffset BegunAt { get; init; }

    public DateTimeOffset? LastServed { get; init; }

    public double? WritableAfterSeconds { get; init; }

    public IReadOnlyList<MovedNamespace>? Namespaces { get; init; }
}

/// <summary>An alert, as the receiver passes it on with the signal <c>alert</c>.</summary>
/// <param name="Key">Fingerprint and start: the same for every repetition.</param>
/// <param name="Status"><c>firing</c> or <c>resolved</c>.</param>
public sealed record AlertSignal(
    string? Key, string? Name, string? Status, string? Region = null, string? Severity = null, DateTimeOffset? StartsAt = null, DateTimeOffset? EndsAt = null, string? Summary = null, string? Source = null);

/// <summary>Input of the update <c>failOver</c>: people ask for a change of places.</summary>
/// <param name="Forced">False (default): a switchover that loses nothing, or nothing happens. True: the standby is promoted whatever the primary says.</param>
/// <param name="WithStack">Whether the rest of the platform moves too. Default false.</param>
public sealed record FailOverInput(string? Reason, string? RequestedBy = null, bool Forced = false, bool WithStack = false);

/// <summary>Input of the update <c>failBack</c>.</summary>
public sealed record FailBackInput(string? Reason, string? RequestedBy = null, bool WithStack = false);

/// <summary>Input of the update <c>acknowledge</c>.</summary>
/// <param name="OperationId">The recovery that was understood.</param>
public sealed record AcknowledgeInput(string? OperationId, string? AcknowledgedBy = null, string? Comment = null);

/// <summary>Input of the update <c>maintenance</c>.</summary>
/// <param name="For">How long nothing fails over by itself, with its unit, 1s to 30d; <c>null</c> closes the maintenance.</param>
public sealed record MaintenanceInput(string? For = null, string? Reason = null, string? By = null);

/// <summary>Input of the updates <c>suspend</c> and <c>resume</c>.</summary>
/// <param name="By">Who; required by <c>suspend</c>.</param>
public sealed record SuspendInput(string? By = null);

/// <summary>What became of one change of places.</summary>
public sealed record FailoverReport
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required FailoverKind Kind { get; init; }

    public required FailoverOutcome Outcome { get; init; }

    /// <summary>One sentence for the operator.</summary>
    public required string Summary { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    /// <summary>The epoch at the end.</summary>
    public required long Epoch { get; init; }

    public required string Reason { get; init; }

    /// <summary>What was expected to be lost when it was decided.</summary>
    public required LossEstimate Estimated { get; init; }

    /// <summary>What only the old primary had, once that is known.</summary>
    public DivergenceSummary? Divergence { get; init; }

    public required IReadOnlyList<FailoverPhase> Phases { get; init; }

    /// <summary>From when the primary was last seen serving to when the new one was verified by a write; null: it never was.</summary>
    public double? WritableAfterSeconds { get; init; }

    /// <summary>The Temporal namespaces that moved too, and for how long each was closed; empty: none did.</summary>
    public IReadOnlyList<MovedNamespace>? Namespaces { get; init; }

    public required IReadOnlyList<RunbookStep> Steps { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>What the drill was worth; null: it was none, or one on a copy that people had made.</summary>
    public DrillScore? Drill { get; init; }
}

public enum FailoverOutcome
{
    /// <summary>All steps have ended.</summary>
    Completed,

    /// <summary>The new primary serves; some steps were skipped by people.</summary>
    Incomplete,

    /// <summary>It was taken back before the point of no return: the old primary serves.</summary>
    TakenBack,

    /// <summary>Nothing was done: the facts had changed by the time of the claim, or nobody approved.</summary>
    NothingDone,
}

/// <summary>How long a phase took, by the clock of the Temporal server.</summary>
public sealed record FailoverPhase(string Name, DateTimeOffset StartedAt, double Seconds);

/// <summary>The answer of the query <c>failover</c>.</summary>
public sealed record FailoverView
{
    public required string Environment { get; init; }

    public string? Primary { get; init; }

    public string? Standby { get; init; }

    public required long Epoch { get; init; }

    /// <summary>What was decided last, and why.</summary>
    public required string Decision { get; init; }

    public FailoverReason? Code { get; init; }

    /// <summary>What the three sources say now.</summary>
    public required IReadOnlyList<Vote> Votes { get; init; }

    /// <summary>What waits for approval or is carried out; null: nothing.</summary>
    public FailoverProposal? Proposal { get; init; }

    public Maintenance? Maintenance { get; init; }

    public OpenRecovery? Recovery { get; init; }

    public required IReadOnlyList<string> Alerts { get; init; }

    /// <summary>The report of the last change of places.</summary>
    public FailoverReport? Last { get; init; }
}
