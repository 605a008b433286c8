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
    private const int LongestComment = 200;

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT that says what cannot be understood.</exception>
    public static ScheduleSpec Of(ScheduleSpec? given)
    {
        try
        {
            var spec = given?.Clone() ?? new ScheduleSpec();
            spec.StructuredCalendar.AddRange(spec.Calendar.Select(Structured));
#pragma warning disable CS0612 // Deprecated, and still sent by older clients.
            spec.ExcludeStructuredCalendar.AddRange(spec.ExcludeCalendar.Select(Structured));
            spec.ExcludeCalendar.Clear();
#pragma warning restore CS0612
            AddCron(spec);
            spec.CronString.Clear();
            spec.Calendar.Clear();
            Check(spec);
            foreach (var range in spec.StructuredCalendar.Concat(spec.ExcludeStructuredCalendar).SelectMany(CalendarTimes.Fields).SelectMany(f => f.Ranges))
                (range.End, range.Step) = (Math.Max(range.Start, range.End), Math.Max(1, range.Step));
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
                throw new FormatException("interval is too small: it is at least one second");
            if (phase < TimeSpan.Zero)
                throw new FormatException("phase is negative");
            if (phase >= every)
                throw new FormatException("phase cannot be greater than Interval, or as long");
        }
        if (spec.Jitter?.ToTimeSpan() < TimeSpan.Zero)
            throw new FormatException("jitter is negative");
        var problems = spec.StructuredCalendar.Concat(spec.ExcludeStructuredCalendar).SelectMany(Problems).ToList();
        if (problems.Count > 0)
            throw new FormatException("invalid calendar spec: " + string.Join(", ", problems));
    }

    private static IEnumerable<string> Problems(StructuredCalendarSpec calendar)
    {
        foreach (var (field, ranges) in CalendarTimes.Fields(calendar))
        {
            foreach (var problem in ranges.Select(field.Problem).OfType<string>())
                yield return problem;
        }
        if (calendar.Comment.Length > LongestComment)
            yield return "comment is too long";
    }

    private static StructuredCalendarSpec Structured(CalendarSpec calendar) => new()
    {
        Second = { CalendarField.Second.Parse(calendar.Second) },
        Minute = { CalendarField.Minute.Parse(calendar.Minute) },
        Hour = { CalendarField.Hour.Parse(calendar.Hour) },
        DayOfMonth = { CalendarField.DayOfMonth.Parse(calendar.DayOfMonth) },
        Month = { CalendarField.Month.Parse(calendar.Month) },
        Year = { CalendarField.Year.Parse(calendar.Year) },
        DayOfWeek = { CalendarField.DayOfWeek.Parse(calendar.DayOfWeek) },
        Comment = calendar.Comment,
    };

    /// <summary>Cron strings agree on a time zone, all with the same or all without one, and with the spec.</summary>
    private static void AddCron(ScheduleSpec spec)
    {
        var zones = spec.CronString.Select(cron => AddCron(spec, cron.Trim())).Distinct().ToList();
        if (zones.Count > 1 || zones.Exists(z => z.Length > 0 && ((spec.TimezoneName.Length > 0 && spec.TimezoneName != z) || !spec.TimezoneData.IsEmpty)))
            throw new FormatException("conflicting timezone names");
        if (zones is [{ Length: > 0 } zone])
            spec.TimezoneName = zone;
    }

    /// <summary>Adds what one cron string names, and returns its time zone.</summary>
    private static string AddCron(ScheduleSpec spec, string cron)
    {
        var (text, zone) = (cron, "");
        if (text.StartsWith("CRON_TZ=", StringComparison.Ordinal) || text.StartsWith("TZ=", StringComparison.Ordinal))
        {
            var parts = text.Split(' ', 2);
            if (parts.Length < 2)
                throw new FormatException("CronString has time zone but missing fields");
            (zone, text) = (parts[0].Split('=', 2)[1], parts[1]);
        }
        var commented = text.Split('#', 2);
        text = commented[0].Trim();
        if (text.StartsWith("@every", StringComparison.Ordinal))
        {
            spec.Interval.Add(Every(text["@every".Length..]));
            return "";
        }
        spec.StructuredCalendar.Add(Structured(CronCalendar(text, commented.Length == 2 ? commented[1].Trim() : "")));
        return zone;
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
            throw new FormatException($"CronString \"{text}\" does not have 5-7 fields");
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
