using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>
/// The times that one structured calendar names, to the second, in a time zone. All fields have to match. A local time that a
/// clock change leaves out never comes; one that it repeats comes twice.
/// </summary>
internal sealed class CalendarTimes(StructuredCalendarSpec calendar, TimeZoneInfo zone)
{
    public static IEnumerable<(CalendarField Field, IReadOnlyList<Temporalio.Api.Schedule.V1.Range> Ranges)> Fields(StructuredCalendarSpec calendar) =>
    [
        (CalendarField.Second, calendar.Second),
        (CalendarField.Minute, calendar.Minute),
        (CalendarField.Hour, calendar.Hour),
        (CalendarField.DayOfMonth, calendar.DayOfMonth),
        (CalendarField.Month, calendar.Month),
        (CalendarField.Year, calendar.Year),
        (CalendarField.DayOfWeek, calendar.DayOfWeek),
    ];

    /// <summary>True when this very second is named.</summary>
    public bool Names(DateTimeOffset time)
    {
        var local = Local(time);
        return Month(local) && Day(local) && CalendarField.Hour.Matches(calendar.Hour, local.Hour)
            && CalendarField.Minute.Matches(calendar.Minute, local.Minute) && CalendarField.Second.Matches(calendar.Second, local.Second);
    }

    /// <summary>The first time after another, or null when there is none before the year 2101.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset after)
    {
        if (Fields(calendar).Any(f => f.Field != CalendarField.Year && f.Ranges.Count == 0))
            return null;
        var at = new DateTimeOffset(after.UtcTicks - (after.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero).AddSeconds(1);
        // Each step passes over times that cannot match, in the time that really goes by.
        for (var local = Local(at); local.Year <= CalendarField.Year.High; local = Local(at))
        {
            if (!CalendarField.Year.Matches(calendar.Year, local.Year))
                at = Later(at, FirstInstant(new DateTime(local.Year, 1, 1).AddYears(1)));
            else if (!CalendarField.Month.Matches(calendar.Month, local.Month))
                at = Later(at, FirstInstant(new DateTime(local.Year, local.Month, 1).AddMonths(1)));
            else if (!Day(local))
                at = Later(at, FirstInstant(local.Date.AddDays(1)));
            else if (!CalendarField.Hour.Matches(calendar.Hour, local.Hour))
                at = at.AddSeconds(3600 - (local.Minute * 60) - local.Second);
            else if (!CalendarField.Minute.Matches(calendar.Minute, local.Minute))
                at = at.AddSeconds(60 - local.Second);
            else if (!CalendarField.Second.Matches(calendar.Second, local.Second))
                at = at.AddSeconds(1);
            else
                return at;
        }
        return null;
    }

    private bool Month(DateTime local) => CalendarField.Year.Matches(calendar.Year, local.Year) && CalendarField.Month.Matches(calendar.Month, local.Month);

    private bool Day(DateTime local) => CalendarField.DayOfMonth.Matches(calendar.DayOfMonth, local.Day)
        && (CalendarField.DayOfWeek.Matches(calendar.DayOfWeek, (int)local.DayOfWeek)
            // Schedules that an earlier version stored may say 7 for Sunday.
            || (local.DayOfWeek == DayOfWeek.Sunday && CalendarField.DayOfWeek.Matches(calendar.DayOfWeek, 7)));

    private DateTime Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, zone).DateTime;

    /// <summary>When a clock shows this for the first time, or passes it over.</summary>
    private DateTimeOffset FirstInstant(DateTime local)
    {
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max()
            : zone.IsInvalidTime(local) ? zone.GetUtcOffset(local.AddHours(-3))
            : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    private static DateTimeOffset Later(DateTimeOffset at, DateTimeOffset next) => next > at ? next : at.AddSeconds(1);
}
