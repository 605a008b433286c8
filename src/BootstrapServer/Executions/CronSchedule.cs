using System.Globalization;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The cron schedule of a workflow: five fields (minute, hour, day of month, month, day of week) with lists, ranges, steps
/// and names, <c>@hourly</c> and its like, <c>@every 90s</c>, and a leading <c>CRON_TZ=Zone</c>. Times are UTC otherwise.
/// </summary>
internal sealed class CronSchedule
{
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private TimeSpan? every;
    private TimeZoneInfo zone = TimeZoneInfo.Utc;
    private ulong minutes, hours, daysOfMonth, months, daysOfWeek;
    private bool anyDayOfMonth, anyDayOfWeek;

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT that names the schedule.</exception>
    public static CronSchedule Parse(string text)
    {
        try
        {
            return ParseOrThrow(text);
        }
        catch (Exception e) when (e is FormatException or TimeZoneNotFoundException or OverflowException)
        {
            throw ServiceError.InvalidArgument($"Invalid CronSchedule \"{text}\": {e.Message}");
        }
    }

    /// <summary>The first time after <paramref name="now"/>; an interval counts from <paramref name="started"/>.</summary>
    public DateTimeOffset NextAfter(DateTimeOffset started, DateTimeOffset now)
    {
        if (every is { } interval)
        {
            var periods = Math.Max(0, (now - started).Ticks / interval.Ticks) + 1;
            return started + (interval * periods);
        }
        var local = TimeZoneInfo.ConvertTime(now, zone).DateTime;
        var candidate = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0).AddMinutes(1);
        for (var end = candidate.AddYears(5); candidate < end;)
        {
            if (!Has(months, candidate.Month))
                candidate = new DateTime(candidate.Year, candidate.Month, 1).AddMonths(1);
            else if (!DayMatches(candidate))
                candidate = candidate.Date.AddDays(1);
            else if (!Has(hours, candidate.Hour))
                candidate = candidate.Date.AddHours(candidate.Hour + 1);
            else if (!Has(minutes, candidate.Minute) || zone.IsInvalidTime(candidate))
                candidate = candidate.AddMinutes(1);
            else
                return new DateTimeOffset(candidate, zone.GetUtcOffset(candidate)).ToUniversalTime();
        }
        return now.AddYears(100); // a day that no calendar has, such as 30 February
    }

    private static CronSchedule ParseOrThrow(string text)
    {
        var schedule = new CronSchedule();
        text = text.Trim();
        if (text.StartsWith("CRON_TZ=", StringComparison.Ordinal) || text.StartsWith("TZ=", StringComparison.Ordinal))
        {
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            schedule.zone = TimeZoneInfo.FindSystemTimeZoneById(text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..(space < 0 ? text.Length : space)]);
            text = space < 0 ? "" : text[space..].Trim();
        }
        if (text.StartsWith("@every ", StringComparison.Ordinal))
        {
            schedule.every = ParseInterval(text["@every ".Length..]);
            return schedule;
        }
        text = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length != 5)
            throw new FormatException($"expected 5 fields, found {fields.Length}");
        schedule.minutes = Field(fields[0], 0, 59, []);
        schedule.hours = Field(fields[1], 0, 23, []);
        schedule.daysOfMonth = Field(fields[2], 1, 31, []);
        schedule.months = Field(fields[3], 1, 12, Months);
        schedule.daysOfWeek = Field(fields[4], 0, 7, Days);
        if (Has(schedule.daysOfWeek, 7))
            schedule.daysOfWeek |= 1;
        schedule.anyDayOfMonth = fields[2] is "*" or "?";
        schedule.anyDayOfWeek = fields[4] is "*" or "?";
        return schedule;
    }

    private static ulong Field(string text, int low, int high, string[] names)
    {
        ulong bits = 0;
        foreach (var part in text.Split(','))
        {
            var stepped = part.Split('/');
            var step = stepped.Length == 2 ? int.Parse(stepped[1], CultureInfo.InvariantCulture) : 1;
            if (stepped.Length > 2 || step < 1)
                throw new FormatException($"bad step in \"{part}\"");
            int from, to;
            if (stepped[0] is "*" or "?")
            {
                (from, to) = (low, high);
            }
            else
            {
                var range = stepped[0].Split('-');
                from = Value(range[0], low, names);
                to = range.Length == 2 ? Value(range[1], low, names) : stepped.Length == 2 ? high : from;
                if (range.Length > 2)
                    throw new FormatException($"bad range in \"{part}\"");
            }
            if (from < low || to > high || from > to)
                throw new FormatException($"\"{part}\" is outside {low}-{high}");
            for (var value = from; value <= to; value += step)
                bits |= 1UL << value;
        }
        return bits;
    }

    private static int Value(string text, int low, string[] names)
    {
        var named = Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        return named >= 0 ? named + low : int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static TimeSpan ParseInterval(string text)
    {
        var total = TimeSpan.Zero;
        var number = "";
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]) || text[i] == '.')
            {
                number += text[i];
                continue;
            }
            var unit = text[i] == 'm' && i + 1 < text.Length && text[i + 1] == 's' ? "ms" : text[i].ToString();
            i += unit.Length - 1;
            var value = double.Parse(number, CultureInfo.InvariantCulture);
            number = "";
            total += unit switch
            {
                "h" => TimeSpan.FromHours(value),
                "m" => TimeSpan.FromMinutes(value),
                "s" => TimeSpan.FromSeconds(value),
                "ms" => TimeSpan.FromMilliseconds(value),
                _ => throw new FormatException($"unknown unit \"{unit}\""),
            };
        }
        if (number.Length > 0 || total < TimeSpan.FromSeconds(1))
            throw new FormatException($"\"{text}\" is not an interval of at least 1s");
        return total;
    }

    private bool DayMatches(DateTime day)
    {
        var ofMonth = Has(daysOfMonth, day.Day);
        var ofWeek = Has(daysOfWeek, (int)day.DayOfWeek);
        // When both are restricted, either will do: cron's old rule.
        return anyDayOfMonth || anyDayOfWeek ? ofMonth && ofWeek : ofMonth || ofWeek;
    }

    private static bool Has(ulong bits, int value) => (bits & (1UL << value)) != 0;
}
