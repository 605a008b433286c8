using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.Platform.Schedules;
using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Yaml;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Schedule.V1;
using Temporalio.Api.Workflow.V1;
using Range = Temporalio.Api.Schedule.V1.Range;

namespace PlatformOps.Adapters.Schedules;

/// <summary>Schedules between Temporal's words and ours.</summary>
internal static class ScheduleMessages
{
    /// <summary>In the memo of what a schedule starts: the environment whose specification declares it. Unlike the note of a schedule nobody overwrites it by pausing.</summary>
    public const string Mark = "platformopsDeclaredBy";

    /// <summary>The server's, where a schedule has none of its own.</summary>
    private static readonly TimeSpan DefaultCatchUp = TimeSpan.FromDays(365);

    /// <summary>A schedule without its state.</summary>
    public static Schedule Of(ScheduleSpecification wanted, NewWorkflowExecutionInfo start) => new()
    {
        Spec = SpecOf(wanted),
        Action = new() { StartWorkflow = start },
        Policies = new()
        {
            OverlapPolicy = wanted.Overlap switch
            {
                ScheduleOverlap.Skip => ScheduleOverlapPolicy.Skip,
                ScheduleOverlap.BufferOne => ScheduleOverlapPolicy.BufferOne,
                _ => throw new InvalidOperationException($"No policy for {wanted.Overlap}."),
            },
            CatchupWindow = wanted.CatchUpWindow.ToDuration(),
            PauseOnFailure = wanted.PauseOnFailure,
        },
    };

    /// <param name="input">Null: none, or none that can be read as one JSON value.</param>
    public static ScheduleForm FormOf(Schedule live, JsonElement? input)
    {
        var start = live.Action.StartWorkflow;
        return new()
        {
            WorkflowType = start.WorkflowType.Name,
            RunId = start.WorkflowId,
            TaskQueue = start.TaskQueue.Name,
            When = When(live.Spec),
            Jitter = Units.Format(live.Spec.Jitter?.ToTimeSpan() ?? TimeSpan.Zero),
            Overlap = JsonNamingPolicy.KebabCaseLower.ConvertName(
                $"{(live.Policies?.OverlapPolicy is null or ScheduleOverlapPolicy.Unspecified ? ScheduleOverlapPolicy.Skip : live.Policies.OverlapPolicy)}"),
            CatchUpWindow = Units.Format(live.Policies?.CatchupWindow?.ToTimeSpan() ?? DefaultCatchUp),
            PauseOnFailure = live.Policies?.PauseOnFailure ?? false,
            Input = input is { } json ? CanonicalJson.Of(JsonNode.Parse(json.GetRawText())) : "unreadable",
        };
    }

    private static ScheduleSpec SpecOf(ScheduleSpecification wanted)
    {
        var spec = new ScheduleSpec { Jitter = wanted.Jitter.ToDuration() };
        if (wanted.Every is { } every)
            spec.Interval.Add(new IntervalSpec { Interval = every.ToDuration() });
        if (wanted.Cron is { } cron)
        {
            spec.TimezoneName = wanted.TimeZone;
            spec.StructuredCalendar.Add(new StructuredCalendarSpec
            {
                Second = { new Range { Start = 0, End = 0, Step = 1 } },
                Minute = { Ranges(cron.Minutes) },
                Hour = { Ranges(cron.Hours) },
                DayOfMonth = { Ranges(cron.DaysOfMonth) },
                Month = { Ranges(cron.MonthsOfYear) },
                DayOfWeek = { Ranges(cron.DaysOfWeek) },
            });
        }

        return spec;
    }

    /// <summary>In the words of a specification where one could say it, else as the server keeps it.</summary>
    private static string When(ScheduleSpec spec)
    {
        var unusual = spec.ExcludeStructuredCalendar.Count > 0 || spec.StartTime is not null || spec.EndTime is not null || spec.CronString.Count > 0 || spec.Calendar.Count > 0;
        return (unusual, spec.Interval, spec.StructuredCalendar) switch
        {
            (false, [{ Phase: null or { Seconds: 0, Nanos: 0 } } interval], []) => $"every {Units.Format(interval.Interval.ToTimeSpan())}",
            (false, [], [var calendar]) when CronOf(calendar) is { } cron => $"at {cron} ({(spec.TimezoneName.Length > 0 ? spec.TimezoneName : "UTC")})",
            _ => spec.ToString(),
        };
    }

    private static CronExpression? CronOf(StructuredCalendarSpec calendar) => calendar.Year.Count == 0 && (calendar.Second.Count == 0 || Values(calendar.Second, 0, 0, 0) is [0])
        ? new(Values(calendar.Minute, 0, 0, 59), Values(calendar.Hour, 0, 0, 23), Values(calendar.DayOfMonth, null, 1, 31), Values(calendar.Month, null, 1, 12), Values(calendar.DayOfWeek, null, 0, 6))
        : null;

    /// <param name="missing">What an empty field means; null: all.</param>
    private static List<int> Values(IReadOnlyList<Range> ranges, int? missing, int first, int last) => ranges.Count == 0
        ? missing is { } only ? [only] : [.. Enumerable.Range(first, last - first + 1)]
        : [.. ranges.SelectMany(range => Steps(range.Start, Math.Max(range.Start, range.End), Math.Max(1, range.Step)))];

    private static IEnumerable<int> Steps(int from, int to, int step)
    {
        for (var value = from; value <= to; value += step)
            yield return value;
    }

    private static IEnumerable<Range> Ranges(IReadOnlyList<int> values) => CronExpression.Ranges(values).Select(range => new Range { Start = range.First, End = range.Last, Step = 1 });
}
