namespace PlatformOps.Platform.Scaling;

/// <summary>A worker deployment of Temporal and what became of the runs on two of its versions (https://docs.temporal.io/worker-versioning).</summary>
/// <param name="Current">The build id that new runs go to; null: workers without a version.</param>
/// <param name="Ramping">The build id that a part of the new runs goes to; null: none.</param>
/// <param name="Percentage">How large that part is, 0 to 100.</param>
/// <param name="Versions">All that Temporal knows, in no order.</param>
/// <param name="MissingQueues">Task queues that the current version polls and the new one does not: what goes to it there would wait for ever.</param>
/// <param name="New">What became of runs on the version that is rolled out.</param>
/// <param name="Old">What became of runs on the version before, or without a version, in the same time.</param>
/// <param name="At">When it was seen.</param>
public sealed record RolloutSight(
    string Deployment, string? Current, string? Ramping, double Percentage, IReadOnlyList<ObservedVersion> Versions, IReadOnlyList<string> MissingQueues, RunCounts New, RunCounts Old, DateTimeOffset At);

/// <param name="CreatedAt">When a worker first polled with it.</param>
/// <param name="DrainedAt">When the last run that was pinned to it was seen to have ended; null: it is not drained.</param>
public sealed record ObservedVersion(string BuildId, VersionStanding Standing, DateTimeOffset CreatedAt, DateTimeOffset? DrainedAt = null);

/// <summary>What a version is to its deployment.</summary>
public enum VersionStanding
{
    /// <summary>It never got work.</summary>
    Inactive,
    Current,
    Ramping,

    /// <summary>It gets no new runs, and open ones are pinned to it.</summary>
    Draining,

    /// <summary>No open run is pinned to it.</summary>
    Drained,
}

/// <summary>What became of the runs that were started since a moment.</summary>
/// <param name="Closed">How many have ended, in whatever way.</param>
/// <param name="Failed">How many of them failed or timed out.</param>
/// <param name="Stuck">How many open ones have workflow tasks that fail again and again.</param>
public sealed record RunCounts(long Closed, long Failed, long Stuck)
{
    public static RunCounts None { get; } = new(0, 0, 0);

    /// <summary>In percent; 0 when none has ended.</summary>
    public double FailedPercent => Closed == 0 ? 0 : 100.0 * Failed / Closed;
}

/// <summary>How a version is rolled out.</summary>
/// <param name="Percentages">The parts of the new runs that it gets one after the other, rising, each above 0 and below 100; it gets all after the last.</param>
/// <param name="StepFor">How long each part is watched.</param>
/// <param name="AtLeast">How many runs on it must have ended in each part before the next.</param>
/// <param name="WorseBy">By how many percentage points more of its runs may fail than of the old version's.</param>
public sealed record RolloutPolicy(string BuildId, IReadOnlyList<double> Percentages, TimeSpan StepFor, int AtLeast, double WorseBy);

/// <summary>What a rollout has set last.</summary>
/// <param name="Percentage">100: the version is the current one.</param>
/// <param name="Since">Since when.</param>
public sealed record RolloutProgress(double Percentage, DateTimeOffset Since);
