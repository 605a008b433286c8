using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>The times that one structured calendar names, to the second, in a time zone. All fields have to match.</summary>
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
        var local = TimeZoneInfo.ConvertTime(time, zone).DateTime;
        return Month(local) && Day(local) && CalendarField.Hour.Matches(calendar.Hour, local.Hour)
            && CalendarField.Minute.Matches(calendar.Minute, local.Minute) && CalendarField.Second.Matches(calendar.Second, local.Second);
    }

    /// <summary>The first time after another, or null when there is none before the year 2101. A local time that does not exist is left out.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset after)
    {
        var local = TimeZoneInfo.ConvertTime(after, zone).DateTime;
        var at = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, local.Second).AddSeconds(1);
        while (at.Year <= CalendarField.Year.High)
        {
            if (!CalendarField.Year.Matches(calendar.Year, at.Year))
                at = new DateTime(at.Year, 1, 1).AddYears(1);
            else if (!Month(at))
                at = new DateTime(at.Year, at.Month, 1).AddMonths(1);
            else if (!Day(at))
                at = at.Date.AddDays(1);
            else if (!CalendarField.Hour.Matches(calendar.Hour, at.Hour))
                at = at.Date.AddHours(at.Hour + 1);
            else if (!CalendarField.Minute.Matches(calendar.Minute, at.Minute))
                at = at.Date.AddMinutes((at.Hour * 60) + at.Minute + 1);
            else if (!CalendarField.Second.Matches(calendar.Second, at.Second) || zone.IsInvalidTime(at) || Utc(at) <= after)
                at = at.AddSeconds(1);
            else
                return Utc(at);
        }
        return null;
    }

    private bool Month(DateTime local) => CalendarField.Year.Matches(calendar.Year, local.Year) && CalendarField.Month.Matches(calendar.Month, local.Month);

    private bool Day(DateTime local)
    {
        var day = (int)local.DayOfWeek;
        return CalendarField.DayOfMonth.Matches(calendar.DayOfMonth, local.Day)
            && (CalendarField.DayOfWeek.Matches(calendar.DayOfWeek, day) || (day == 0 && calendar.DayOfWeek.Count > 0 && CalendarField.DayOfWeek.Matches(calendar.DayOfWeek, 7)));
    }

    private DateTimeOffset Utc(DateTime local) => new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
}
