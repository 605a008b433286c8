using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Schedules;
using Temporalio.Api.Schedule.V1;

namespace PlatformOps.BootstrapServer.Tests.Schedules;

public class SpecTimesTests
{
    [Theory]
    [InlineData("0 12 * * *", "2026-03-01T12:00:00Z 2026-03-02T12:00:00Z")]
    [InlineData("*/20 1 * * *", "2026-03-01T01:00:00Z 2026-03-01T01:20:00Z 2026-03-01T01:40:00Z 2026-03-02T01:00:00Z")]
    [InlineData("0 0 * * mon", "2026-03-02T00:00:00Z 2026-03-09T00:00:00Z")]
    [InlineData("0 0 * * 7", "2026-03-08T00:00:00Z 2026-03-15T00:00:00Z")]
    [InlineData("30 0 0 1 1 * 2028", "2028-01-01T00:00:30Z")]
    [InlineData("0 0 29 2 *", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z")]
    [InlineData("@monthly # rent", "2026-04-01T00:00:00Z 2026-05-01T00:00:00Z")]
    [InlineData("@every 12h/1h", "2026-03-01T01:00:00Z 2026-03-01T13:00:00Z 2026-03-02T01:00:00Z")]
    // The clock of Berlin goes from 2:00 to 3:00 on 29 March: half past two does not exist that night.
    [InlineData("CRON_TZ=Europe/Berlin 30 2 28-30 3 *", "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z")]
    [InlineData("CRON_TZ=America/New_York 0 9 * 3 *", "2026-03-01T14:00:00Z 2026-03-02T14:00:00Z")]
    public void Reads_cron_strings(string cron, string expected) => Assert.Equal(expected, First(new ScheduleSpec { CronString = { cron } }, expected));

    [Fact]
    public void Puts_calendars_and_intervals_together_less_what_is_excluded()
    {
        var spec = new ScheduleSpec
        {
            Calendar = { new CalendarSpec { Hour = "6,18" } },
            Interval = { new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromHours(8)) } },
            ExcludeStructuredCalendar = { new StructuredCalendarSpec { Hour = { new Temporalio.Api.Schedule.V1.Range { Start = 16, End = 20 } } } },
            StartTime = Time("2026-03-01T06:00:00Z").ToTimestamp(),
            EndTime = Time("2026-03-02T06:30:00Z").ToTimestamp(),
        };
        Assert.Equal("2026-03-01T06:00:00Z 2026-03-01T08:00:00Z 2026-03-02T00:00:00Z 2026-03-02T06:00:00Z", First(spec, "a b c d e f"));
    }

    [Fact]
    public void Adds_the_same_jitter_each_time_and_never_reaches_the_next_action()
    {
        var spec = new ScheduleSpec
        {
            Interval = { new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) } },
            Jitter = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
        };
        var (one, same, other) = (Times(spec, "a"), Times(spec, "a"), Times(spec, "b"));
        Assert.Equal(one, same);
        Assert.NotEqual(one, other);
        Assert.All(one.Zip(one.Skip(1)), pair => Assert.InRange(pair.First.Actual, pair.First.Nominal, pair.Second.Nominal));
    }

    [Theory]
    [InlineData("61 * * * *")]
    [InlineData("* * * *")]
    [InlineData("0 0 * * noday")]
    [InlineData("*/0 * * * *")]
    [InlineData("CRON_TZ=Nowhere/Land 0 0 * * *")]
    [InlineData("@every 0s")]
    public void Refuses_what_it_cannot_understand(string cron) =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => CanonicalSpec.Of(new ScheduleSpec { CronString = { cron } })).StatusCode);

    private static string First(ScheduleSpec spec, string expected) => string.Join(' ', Times(spec, "seed")
        .Take(expected.Split(' ').Length).Select(t => t.Nominal.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)));

    private static List<ActionTime> Times(ScheduleSpec spec, string seed) =>
        [.. new SpecTimes(CanonicalSpec.Of(spec), seed).Between(Time("2026-03-01T00:00:01Z"), Time("2040-01-01T00:00:00Z")).Take(50)];

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
