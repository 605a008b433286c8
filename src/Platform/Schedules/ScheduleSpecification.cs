using System.Text.Json.Nodes;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Schedules;

/// <summary>A schedule that an environment declares.</summary>
public sealed record ScheduleSpecification
{
    /// <summary>Unique in the environment, for example <c>drift</c>.</summary>
    public required string Name { get; init; }

    public required ScheduledRunbook Runbook { get; init; }

    /// <summary>The time between two runs, counted from 1970 in UTC; null: <see cref="Cron"/> says when.</summary>
    public TimeSpan? Every { get; init; }

    public CronExpression? Cron { get; init; }

    /// <summary>The zone of <see cref="Cron"/> by its name in the time zone database. Default <c>UTC</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>By how much a run may be late, differently each time.</summary>
    public required TimeSpan Jitter { get; init; }

    /// <summary>What happens when a run is due while the one before goes on.</summary>
    public ScheduleOverlap Overlap { get; init; } = ScheduleOverlap.Skip;

    /// <summary>How late a run that was missed, because the Temporal server was away, is still started; at least 10 s.</summary>
    public required TimeSpan CatchUpWindow { get; init; }

    /// <summary>Whether a run that fails pauses the schedule.</summary>
    public required bool PauseOnFailure { get; init; }

    /// <summary>What runs get, beside the environment.</summary>
    public JsonObject Input { get; init; } = [];

    /// <summary>When, for people: <c>every 1h</c>, <c>at 0 3 * * * (Europe/Berlin)</c>.</summary>
    public string When => Every is { } every ? $"every {Units.Format(every)}" : $"at {Cron} ({TimeZone})";

    /// <summary>A schedule with its runbook's defaults where nothing is said.</summary>
    public static ScheduleSpecification Of(
        string name, ScheduledRunbook runbook, TimeSpan? every, CronExpression? cron = null, string? timeZone = null, TimeSpan? jitter = null, ScheduleOverlap overlap = ScheduleOverlap.Skip,
        TimeSpan? catchUpWindow = null, bool? pauseOnFailure = null, JsonObject? input = null) => new()
        {
            Name = name,
            Runbook = runbook,
            Every = every,
            Cron = cron,
            TimeZone = timeZone ?? "UTC",
            Jitter = jitter ?? Least(runbook.Jitter, every / 10),
            Overlap = overlap,
            CatchUpWindow = catchUpWindow ?? Least(runbook.CatchUpWindow, every),
            PauseOnFailure = pauseOnFailure ?? runbook.PauseOnFailure,
            Input = input ?? [],
        };

    private static TimeSpan Least(TimeSpan usual, TimeSpan? limit) => limit < usual ? TimeSpan.FromSeconds(Math.Floor(limit.Value.TotalSeconds)) : usual;
}

/// <summary>What happens when a run is due while the one before goes on. Nothing here lets two runs work on the same thing, or ends one in the middle.</summary>
public enum ScheduleOverlap
{
    /// <summary>Nothing; it is counted.</summary>
    Skip,

    /// <summary>One starts when the one before has ended, however many were due.</summary>
    BufferOne,
}
