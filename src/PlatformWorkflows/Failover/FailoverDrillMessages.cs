namespace PlatformOps.Workflows.Failover;

/// <summary>What a drill practises.</summary>
public enum DrillScenario
{
    /// <summary>The machine of the copy's primary is lost at once, and comes back later.</summary>
    NodeLost,

    /// <summary>A planned handover.</summary>
    Switchover,
}

/// <summary>Input of the activities that make, use and remove a drill's copy.</summary>
/// <param name="DrillId">Of the run; a copy is one run's.</param>
public sealed record DrillOrder(string Environment, string DrillId);

/// <summary>The copy on which a drill acts.</summary>
/// <param name="Source">The node that it was cloned from.</param>
/// <param name="Bytes">The size of the cloned data.</param>
/// <param name="Detail">As a sentence.</param>
public sealed record DrillCopy(string Source, long Bytes, string Detail);

/// <summary>The account of the clients of a drill.</summary>
/// <param name="Acknowledged">Rows that clients were told are written.</param>
/// <param name="Lost">How many of them the new primary does not have.</param>
/// <param name="InDoubt">Rows whose connection broke before the answer.</param>
/// <param name="MaxWritable">How many nodes were writable at once.</param>
/// <param name="LongestGapSeconds">The longest time without an acknowledgement.</param>
public sealed record DrillAccount(int Acknowledged, int Lost, int InDoubt, int MaxWritable, double LongestGapSeconds);

/// <summary>What is left of a drill's copy: nothing, when it was removed.</summary>
/// <param name="Looked">What was looked for, as a sentence.</param>
/// <param name="Left">Processes, folders, listeners that are still there.</param>
public sealed record RemovedDrill(string Looked, IReadOnlyList<string> Left);

/// <summary>What a drill is worth.</summary>
public sealed record DrillScore
{
    public required DrillScenario Scenario { get; init; }

    /// <summary>All objectives were met, one node at most was writable, and nothing is left.</summary>
    public required bool Passed { get; init; }

    /// <summary>Why not, a sentence each; empty when it passed.</summary>
    public required IReadOnlyList<string> Missed { get; init; }

    /// <summary>Null: it could not be made.</summary>
    public DrillCopy? Copy { get; init; }

    /// <summary>Null: nobody could tell.</summary>
    public DrillAccount? Account { get; init; }

    /// <summary>The proof of the removal.</summary>
    public RemovedDrill? Removed { get; init; }

    /// <summary>The objectives, for comparison: how long nobody may be able to write, and how much may be lost.</summary>
    public required double RtoSeconds { get; init; }

    public required double RpoSeconds { get; init; }
}
