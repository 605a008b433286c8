using System.Security.Cryptography;
using System.Text;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>When a schedule acts.</summary>
/// <param name="Nominal">The time that the spec names.</param>
/// <param name="Actual">That time and its jitter: the same each time it is asked for.</param>
internal readonly record struct ActionTime(DateTimeOffset Nominal, DateTimeOffset Actual);

/// <summary>All times of a canonical spec: calendars and intervals, less what is excluded, between start and end.</summary>
internal sealed class SpecTimes
{
    /// <summary>Excluded times in a row after which a spec counts as one that never acts.</summary>
    private const int MostExcluded = 100_000;

    private readonly ScheduleSpec spec;
    private readonly string seed;
    private readonly List<CalendarTimes> calendars;
    private readonly List<CalendarTimes> excluded;
    private readonly List<(long Every, long Phase)> intervals;

    /// <param name="seed">Spreads the jitter of schedules with the same spec.</param>
    public SpecTimes(ScheduleSpec canonical, string seed)
    {
        spec = canonical;
        this.seed = seed;
        var zone = canonical.TimezoneName.Length > 0 ? TimeZoneInfo.FindSystemTimeZoneById(canonical.TimezoneName) : TimeZoneInfo.Utc;
        calendars = [.. canonical.StructuredCalendar.Select(c => new CalendarTimes(c, zone))];
        excluded = [.. canonical.ExcludeStructuredCalendar.Select(c => new CalendarTimes(c, zone))];
        intervals = [.. canonical.Interval.Select(i => (i.Interval.Seconds, i.Phase?.Seconds ?? 0))];
    }

    /// <summary>The first action whose nominal time is after another time, or null when there is none.</summary>
    public ActionTime? NextAfter(DateTimeOffset after)
    {
        if (NominalAfter(after) is not { } nominal)
            return null;
        var jitter = spec.Jitter?.ToTimeSpan() ?? TimeSpan.Zero;
        if (jitter <= TimeSpan.Zero)
            return new ActionTime(nominal, nominal);
        // Never into the next one's time.
        if (NominalAfter(nominal) is { } next && next - nominal < jitter)
            jitter = next - nominal;
        return new ActionTime(nominal, nominal + (jitter * Fraction(nominal)));
    }

    /// <summary>Actions after one time, up to and with another.</summary>
    public IEnumerable<ActionTime> Between(DateTimeOffset after, DateTimeOffset to)
    {
        for (var next = NextAfter(after); next is { } time && time.Actual <= to; next = NextAfter(time.Nominal))
            yield return time;
    }

    private DateTimeOffset? NominalAfter(DateTimeOffset after)
    {
        if (spec.StartTime is { } start && after < start.ToDateTimeOffset().AddSeconds(-1))
            after = start.ToDateTimeOffset().AddSeconds(-1);
        for (var tries = 0; tries < MostExcluded; tries++)
        {
            DateTimeOffset? first = null;
            foreach (var calendar in calendars)
                first = Earlier(first, calendar.NextAfter(after));
            foreach (var (every, phase) in intervals)
                first = Earlier(first, NextOfInterval(after, every, phase));
            if (first is not { } found || (spec.EndTime is { } end && found > end.ToDateTimeOffset()))
                return null;
            if (!excluded.Exists(e => e.Names(found)))
                return found;
            after = found;
        }
        return null;
    }

    private static DateTimeOffset NextOfInterval(DateTimeOffset after, long every, long phase) =>
        DateTimeOffset.FromUnixTimeSeconds(((long)Math.Floor((double)(after.ToUnixTimeSeconds() - phase) / every) + 1) * every + phase);

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;

    private double Fraction(DateTimeOffset nominal)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed} {nominal.UtcTicks}"));
        return BitConverter.ToUInt32(hash) / (double)uint.MaxValue;
    }
}
