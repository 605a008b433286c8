using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>
/// Brings a schedule's spec to one form: cron strings and textual calendars become structured calendars and intervals, which
/// is also how descriptions show them.
/// </summary>
internal static class CanonicalSpec
{
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT that says what cannot be understood.</exception>
    public static ScheduleSpec Of(ScheduleSpec? given)
    {
        try
        {
            var spec = given?.Clone() ?? new ScheduleSpec();
            foreach (var cron in spec.CronString)
                AddCron(spec, cron);
            spec.StructuredCalendar.AddRange(spec.Calendar.Select(Structured));
#pragma warning disable CS0612 // Deprecated, and still sent by older clients.
            spec.ExcludeStructuredCalendar.AddRange(spec.ExcludeCalendar.Select(Structured));
            spec.ExcludeCalendar.Clear();
#pragma warning restore CS0612
            spec.CronString.Clear();
            spec.Calendar.Clear();
            Check(spec);
            return spec;
        }
        catch (Exception e) when (e is FormatException or OverflowException or TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            throw ServiceError.InvalidArgument($"Invalid schedule spec: {e.Message}");
        }
    }

    private static void Check(ScheduleSpec spec)
    {
        if (!spec.TimezoneData.IsEmpty)
            throw new FormatException("timezone_data is not supported by this server: use timezone_name");
        if (spec.TimezoneName.Length > 0)
            _ = TimeZoneInfo.FindSystemTimeZoneById(spec.TimezoneName);
        foreach (var interval in spec.Interval)
        {
            var (every, phase) = (interval.Interval?.ToTimeSpan() ?? TimeSpan.Zero, interval.Phase?.ToTimeSpan() ?? TimeSpan.Zero);
            if (every < TimeSpan.FromSeconds(1))
                throw new FormatException("an interval is at least one second");
            if (phase < TimeSpan.Zero || phase >= every)
                throw new FormatException("a phase is not negative and less than its interval");
        }
        var problem = spec.StructuredCalendar.Concat(spec.ExcludeStructuredCalendar).SelectMany(Problems).FirstOrDefault();
        if (problem is not null)
            throw new FormatException(problem);
    }

    private static IEnumerable<string> Problems(StructuredCalendarSpec calendar) =>
        from field in CalendarTimes.Fields(calendar)
        from range in field.Ranges
        let problem = field.Field.Problem(range)
        where problem is not null
        select problem;

    private static StructuredCalendarSpec Structured(CalendarSpec calendar) => new()
    {
        Second = { CalendarField.Second.Parse(calendar.Second) },
        Minute = { CalendarField.Minute.Parse(calendar.Minute) },
        Hour = { CalendarField.Hour.Parse(calendar.Hour) },
        DayOfMonth = { CalendarField.DayOfMonth.Parse(calendar.DayOfMonth) },
        Month = { CalendarField.Month.Parse(calendar.Month) },
        Year = { calendar.Year is "" or "*" ? [] : CalendarField.Year.Parse(calendar.Year) },
        DayOfWeek = { CalendarField.DayOfWeek.Parse(calendar.DayOfWeek) },
        Comment = calendar.Comment,
    };

    private static void AddCron(ScheduleSpec spec, string cron)
    {
        var text = cron.Split('#', 2)[0].Trim();
        var comment = cron.Contains('#', StringComparison.Ordinal) ? cron.Split('#', 2)[1].Trim() : "";
        if (text.StartsWith("CRON_TZ=", StringComparison.Ordinal) || text.StartsWith("TZ=", StringComparison.Ordinal))
        {
            var parts = text.Split(' ', 2);
            var zone = parts[0].Split('=', 2)[1];
            if (spec.TimezoneName.Length > 0 && spec.TimezoneName != zone)
                throw new FormatException($"\"{cron}\" has another time zone than the spec ({spec.TimezoneName})");
            spec.TimezoneName = zone;
            text = parts.Length == 2 ? parts[1].Trim() : "";
        }
        if (text.StartsWith("@every ", StringComparison.Ordinal))
            spec.Interval.Add(Every(text["@every ".Length..]));
        else
            spec.StructuredCalendar.Add(Structured(CronCalendar(text, comment)));
    }

    private static CalendarSpec CronCalendar(string text, string comment)
    {
        text = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (second, rest) = fields.Length == 7 ? (fields[0], fields[1..]) : ("0", fields);
        if (rest.Length is not (5 or 6))
            throw new FormatException($"cron string \"{text}\" does not have 5 to 7 fields");
        return new CalendarSpec
        {
            Second = second,
            Minute = rest[0],
            Hour = rest[1],
            DayOfMonth = rest[2],
            Month = rest[3],
            DayOfWeek = rest[4],
            Year = rest.Length == 6 ? rest[5] : "",
            Comment = comment,
        };
    }

    private static IntervalSpec Every(string text)
    {
        var parts = text.Split('/');
        return new IntervalSpec { Interval = Span(parts[0]), Phase = parts.Length == 2 ? Span(parts[1]) : null };
    }

    /// <summary>A duration such as 1h30m, or a number of seconds.</summary>
    private static Duration Span(string text)
    {
        var (total, number) = (0.0, "");
        foreach (var letter in text.Trim())
        {
            if (char.IsAsciiDigit(letter) || letter == '.')
            {
                number += letter;
                continue;
            }
            total += double.Parse(number, CultureInfo.InvariantCulture) * letter switch
            {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86400,
                _ => throw new FormatException($"\"{text}\" is not a duration"),
            };
            number = "";
        }
        return Duration.FromTimeSpan(TimeSpan.FromSeconds(total + (number.Length > 0 ? double.Parse(number, CultureInfo.InvariantCulture) : 0)));
    }
}
