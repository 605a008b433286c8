using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Workflows.Failover;

/// <summary>Input of <see cref="IFailoverActivities.ReadFailoverSettingsAsync"/>.</summary>
/// <param name="Drill">Whether the environment is one's isolated copy.</param>
public sealed record ReadFailoverSettingsInput(string Environment, bool Drill = false);

/// <summary>How an environment fails over.</summary>
public sealed record FailoverSettings
{
    /// <summary>The two regions whose database changes places, the one that the specification calls primary first.</summary>
    public required IReadOnlyList<string> Regions { get; init; }

    public required FailoverPolicy Policy { get; init; }

    public required FailoverTiming Timing { get; init; }

    /// <summary>For how long whoever operates the database may take to close a node or to hand over; null: guards do, within seconds, and a lease ends in any case.</summary>
    public TimeSpan? ClosesWithin { get; init; }

    /// <summary>Nobody can tell whether a planned change hands everything over. Default false: it does, or does not happen.</summary>
    public bool PlannedMayLose { get; init; }

    /// <summary>How many people have to approve what needs approval.</summary>
    public required int Approvals { get; init; }

    /// <summary>The task queue whose workers stand in a region.</summary>
    public required IReadOnlyDictionary<string, string> RegionQueues { get; init; }

    /// <summary>What the witness keeps; null when it keeps nothing yet or does not answer.</summary>
    public LeaseReport? Witness { get; init; }

    /// <summary>The operation that claimed the witness's epoch.</summary>
    public string? WitnessOperation { get; init; }
}

/// <summary>Input of <see cref="IFailoverActivities.ObserveRegionAsync"/>.</summary>
/// <param name="Region">Where the observer stands.</param>
/// <param name="WorkflowId">Whom to signal.</param>
public sealed record ObserveRegionInput(string Environment, string Region, IReadOnlyList<string> Regions, string WorkflowId, bool Drill = false);

/// <summary>What every activity that changes something is told.</summary>
/// <param name="Epoch">The fencing token. An actuator that has seen a higher one refuses.</param>
/// <param name="From">The old primary.</param>
/// <param name="To">The new primary.</param>
public record FailoverOrder(string Environment, string OperationId, long Epoch, string From, string To, FailoverKind Kind, bool Drill = false)
{
    /// <summary>People have asked for it by force: where no lease ends by itself, the old primary is not waited for when nobody can tell how it is.</summary>
    public bool Forced { get; init; }
}

/// <summary>Input of <see cref="IFailoverActivities.ClaimEpochAsync"/>. Its epoch is the one that was decided in; the claim is of the next.</summary>
/// <param name="StalledSequence">The lease's sequence that had not been renewed. Another one by now makes the decision void.</param>
public sealed record ClaimOrder(string Environment, string OperationId, long Epoch, string From, string To, FailoverKind Kind, long? StalledSequence, bool Drill = false)
    : FailoverOrder(Environment, OperationId, Epoch, From, To, Kind, Drill);

/// <summary>Input of <see cref="IFailoverActivities.FenceAsync"/>.</summary>
/// <param name="Drain">How long the standby may take to get everything; zero: it is not waited for.</param>
public sealed record FenceOrder(string Environment, string OperationId, long Epoch, string From, string To, FailoverKind Kind, TimeSpan Drain, bool Drill = false)
    : FailoverOrder(Environment, OperationId, Epoch, From, To, Kind, Drill);

/// <summary>What a step did.</summary>
/// <param name="Detail">As a sentence.</param>
public sealed record FailoverStepResult(string Detail)
{
    /// <summary>The Temporal namespaces that it moved; null: the step moves none.</summary>
    public IReadOnlyList<MovedNamespace>? Namespaces { get; init; }
}

/// <summary>A Temporal namespace that went with the database.</summary>
/// <param name="Cluster">Where it is active now.</param>
/// <param name="FailoverVersion">Since which failover of it: both clusters name the same one.</param>
/// <param name="ClosedSeconds">For how long nobody served it, as it was seen ten times a second; null: it was moved by force, which closes nothing.</param>
public sealed record MovedNamespace(string Name, string Cluster, long FailoverVersion, double? ClosedSeconds);

/// <summary>Input of <see cref="IFailoverActivities.GuardHandoverAsync"/>.</summary>
/// <param name="Quiet">For how long nothing may have been under way for it to end.</param>
public sealed record GuardHandoverOrder(string Environment, string OperationId, long Epoch, string From, string To, FailoverKind Kind, TimeSpan Quiet, bool Drill = false)
    : FailoverOrder(Environment, OperationId, Epoch, From, To, Kind, Drill);

/// <summary>What a watch over a handover saw.</summary>
/// <param name="Detail">As sentences, one for each namespace.</param>
public sealed record WatchedHandover(string Detail);

/// <summary>What became of a claim.</summary>
/// <param name="Epoch">The epoch that was claimed; the witness's when it was not.</param>
/// <param name="Void">Why nothing was claimed, as a sentence; null: it was.</param>
public sealed record ClaimedEpoch(long Epoch, string? Void = null);

/// <summary>What the old primary said to being fenced.</summary>
/// <param name="Fenced">It is stopped and lets nobody through; otherwise it did not answer, and its lease is waited out.</param>
/// <param name="EndLsn">The end of its write-ahead log.</param>
public sealed record FencedNode(bool Fenced, string Detail, long? EndLsn = null);

/// <summary>The old primary as a standby.</summary>
/// <param name="Divergence">What only it had; null when there was nothing.</param>
public sealed record RebuiltNode(string Detail, DivergenceSummary? Divergence = null);

/// <summary>What existed on the old primary only.</summary>
/// <param name="Location">Where it was put.</param>
public sealed record DivergenceSummary(long FromLsn, long ToLsn, int Transactions, int Rows, string? Location);

/// <summary>Input of <see cref="IFailoverActivities.ReadUnfinishedAsync"/>.</summary>
public sealed record ReadUnfinishedInput(string Environment);

/// <summary>What is left of a change of places.</summary>
/// <param name="Epoch">The witness's; 0: it does not say.</param>
public sealed record UnfinishedFailover(long Epoch, IReadOnlyList<NextStep> Steps);

/// <summary>Input of <see cref="IFailoverActivities.CheckReadinessAsync"/>.</summary>
/// <param name="LastDrill">Whether the age of the last drill is looked at. A failover that ends does not ask for it: no step could change it.</param>
public sealed record CheckReadinessInput(string Environment, bool Drill = false, bool LastDrill = false);

/// <param name="Region">The one that would take over.</param>
public sealed record ReadCapacityInput(string Environment, string Region);

/// <summary>Whether the next failover would succeed.</summary>
public sealed record ReadinessReport(IReadOnlyList<ReadinessItem> Items)
{
    public bool Ready => Items.All(item => item.Ok != false);
}

/// <param name="Name">For example <c>lag</c>, <c>witness</c>, <c>lastDrill</c>.</param>
/// <param name="Ok">Null: it could not be found out, or nothing is configured.</param>
/// <param name="Detail">What was found and what to do, as a sentence.</param>
public sealed record ReadinessItem(string Name, bool? Ok, string Detail);
