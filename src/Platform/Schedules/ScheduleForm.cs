using System.Text.Json.Nodes;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Schedules;

/// <summary>What can be told apart of a schedule, declared or found: two with the same texts do the same.</summary>
public sealed record ScheduleForm
{
    /// <summary>How long a backup may take when nothing is said.</summary>
    private static readonly TimeSpan UsualWithin = TimeSpan.FromHours(6);

    public required string WorkflowType { get; init; }

    /// <summary>What the ids of its runs begin with.</summary>
    public required string RunId { get; init; }

    public required string TaskQueue { get; init; }

    /// <summary>When, in words; see <see cref="ScheduleSpecification.When"/>.</summary>
    public required string When { get; init; }

    /// <summary>Durations as <c>1h30m</c>.</summary>
    public required string Jitter { get; init; }

    /// <summary>As specifications write it; another word where somebody else has made it.</summary>
    public required string Overlap { get; init; }

    public required string CatchUpWindow { get; init; }

    public required bool PauseOnFailure { get; init; }

    /// <summary>What runs get, as canonical JSON.</summary>
    public required string Input { get; init; }

    /// <summary>What a schedule of the specification has to look like.</summary>
    /// <param name="taskQueue">Where the workers of its runbook poll.</param>
    public static ScheduleForm Of(string environment, ScheduleSpecification schedule, string taskQueue) => new()
    {
        WorkflowType = schedule.Runbook.WorkflowType,
        RunId = schedule.Runbook.RunId(environment, schedule.Input),
        TaskQueue = taskQueue,
        When = schedule.When,
        Jitter = Units.Format(schedule.Jitter),
        Overlap = Words.Of(schedule.Overlap),
        CatchUpWindow = Units.Format(schedule.CatchUpWindow),
        PauseOnFailure = schedule.PauseOnFailure,
        Input = CanonicalJson.Of(InputOf(environment, schedule)),
    };

    /// <summary>What runs get. A backup that is due often is given up in time for the next one, and is entered as failed then.</summary>
    public static JsonObject InputOf(string environment, ScheduleSpecification schedule)
    {
        var input = new JsonObject { ["environment"] = environment };
        foreach (var (key, value) in schedule.Runbook.Fixed.Concat(schedule.Input))
            input[key] = value?.DeepClone();
        if (schedule is { Runbook.BacksUp: not null, Every: { } every } && every < UsualWithin && input["within"] is null)
            input["within"] = Units.Format(every - (every / 10));
        return input;
    }

    /// <summary>What is another in <paramref name="wanted"/>, field by field.</summary>
    public IReadOnlyList<ScheduleFieldChange> To(ScheduleForm wanted)
    {
        (string Name, string From, string To)[] fields =
        [
            ("workflowType", WorkflowType, wanted.WorkflowType), ("runId", RunId, wanted.RunId), ("taskQueue", TaskQueue, wanted.TaskQueue), ("when", When, wanted.When),
            ("jitter", Jitter, wanted.Jitter), ("overlap", Overlap, wanted.Overlap), ("catchUpWindow", CatchUpWindow, wanted.CatchUpWindow),
            ("pauseOnFailure", Word(PauseOnFailure), Word(wanted.PauseOnFailure)), ("input", Input, wanted.Input),
        ];
        return [.. fields.Where(field => field.From != field.To).Select(field => new ScheduleFieldChange(field.Name, field.From, field.To))];
    }

    private static string Word(bool value) => value ? "true" : "false";
}

/// <summary>One field that becomes another.</summary>
public sealed record ScheduleFieldChange(string Field, string From, string To);

/// <summary>A schedule that was found in Temporal.</summary>
/// <param name="Id">Its id there.</param>
/// <param name="DeclaredBy">Which environment's specification it was made from, as its mark says; null: it was not made from one.</param>
public sealed record FoundSchedule(string Id, ScheduleForm Form, string? DeclaredBy);
