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
    // On 25 October it goes from 3:00 back to 2:00: half past two comes twice.
    [InlineData("CRON_TZ=Europe/Berlin 30 2 24-26 10 *", "2026-10-24T00:30:00Z 2026-10-25T00:30:00Z 2026-10-25T01:30:00Z 2026-10-26T01:30:00Z")]
    [InlineData("CRON_TZ=Asia/Kolkata 0 0 * * *", "2026-03-01T18:30:00Z 2026-03-02T18:30:00Z")]
    // In Beirut midnight of 29 March does not exist: that day begins at 1:00.
    [InlineData("CRON_TZ=Asia/Beirut 0 * 29 3 *", "2026-03-28T22:00:00Z 2026-03-28T23:00:00Z 2026-03-29T00:00:00Z")]
    [InlineData("CRON_TZ=America/New_York 0 9 * 3 *", "2026-03-01T14:00:00Z 2026-03-02T14:00:00Z")]
    public void Reads_cron_strings(string cron, string expected) => Assert.Equal(expected, First(new ScheduleSpec { CronString = { cron } }, expected));

    [Fact]
    public void Puts_calendars_and_intervals_together_less_what_is_excluded()
    {
        var spec = new ScheduleSpec
        {
            Calendar = { new CalendarSpec { Hour = "6,18" } },
            Interval = { new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromHours(8)) } },
            ExcludeStructuredCalendar = { CanonicalSpec.Of(new() { Calendar = { new CalendarSpec { Second = "*", Minute = "*", Hour = "16-20" } } }).StructuredCalendar },
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
    [InlineData("? * * * *")]
    [InlineData("5-1 * * * *")]
    [InlineData("1/2/3 * * * *")]
    [InlineData("CRON_TZ=Europe/Berlin")]
    [InlineData("* * * *")]
    [InlineData("0 0 * * noday")]
    [InlineData("*/0 * * * *")]
    [InlineData("CRON_TZ=Nowhere/Land 0 0 * * *")]
    [InlineData("@every 0s")]
    public void Refuses_what_it_cannot_understand(string cron) =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => CanonicalSpec.Of(new ScheduleSpec { CronString = { cron } })).StatusCode);

    [Theory]
    [InlineData("* * * * *", "s0 m0-59 h0-23 d1-31 M1-12 y w0-6")]
    [InlineData("5 */6 1,15 jan-mar fri 2030/10", "s0 m5 h0-23/6 d1,15 M1-3 y2030-2100/10 w5")]
    [InlineData("0 0 * * 5-7", "s0 m0 h0 d1-31 M1-12 y w0,5-6")]
    [InlineData("0 0 * * 7", "s0 m0 h0 d1-31 M1-12 y w0")]
    [InlineData("0 0 * * 1-7/2", "s0 m0 h0 d1-31 M1-12 y w0,1-6/2")]
    [InlineData("10-20/5 0 0 1 1 mo 2026", "s10-20/5 m0 h0 d1 M1 y2026 w1")]
    [InlineData("@weekly", "s0 m0 h0 d1-31 M1-12 y w0")]
    public void Shows_cron_strings_as_calendars(string cron, string expected)
    {
        var calendar = Assert.Single(CanonicalSpec.Of(new ScheduleSpec { CronString = { cron + " # why" } }).StructuredCalendar);
        Assert.Equal("why", calendar.Comment);
        Assert.Equal(expected, $"s{Show(calendar.Second)} m{Show(calendar.Minute)} h{Show(calendar.Hour)} d{Show(calendar.DayOfMonth)} M{Show(calendar.Month)} y{Show(calendar.Year)} w{Show(calendar.DayOfWeek)}");

        static string Show(IEnumerable<Temporalio.Api.Schedule.V1.Range> ranges) =>
            string.Join(',', ranges.Select(r => $"{r.Start}{(r.End > r.Start ? $"-{r.End}" : "")}{(r.Step > 1 ? $"/{r.Step}" : "")}"));
    }

    [Fact]
    public void A_field_without_a_range_matches_nothing()
    {
        var calendar = CanonicalSpec.Of(new() { CronString = { "0 12 * * *" } }).StructuredCalendar[0];
        Assert.NotEmpty(Times(new ScheduleSpec { StructuredCalendar = { calendar } }, "seed"));
        calendar.DayOfWeek.Clear();
        Assert.Empty(Times(new ScheduleSpec { StructuredCalendar = { calendar } }, "seed"));
    }

    [Theory]
    [InlineData("CRON_TZ=Europe/Berlin 0 0 * * *", "CRON_TZ=Asia/Tokyo 0 0 * * *", "")]
    [InlineData("CRON_TZ=Europe/Berlin 0 0 * * *", "0 0 * * *", "")]
    [InlineData("CRON_TZ=Europe/Berlin 0 0 * * *", "CRON_TZ=Europe/Berlin 1 0 * * *", "Asia/Tokyo")]
    public void Refuses_cron_strings_that_do_not_agree_on_a_time_zone(string one, string other, string zone)
    {
        var error = Assert.Throws<RpcException>(() => CanonicalSpec.Of(new ScheduleSpec { CronString = { one, other }, TimezoneName = zone }));
        Assert.Contains("conflicting timezone names", error.Status.Detail);
    }

    [Theory]
    [InlineData(0.5, 0, "interval is too small")]
    [InlineData(10, -1, "phase is negative")]
    [InlineData(10, 10, "phase cannot be greater than Interval")]
    public void Refuses_intervals_that_cannot_be(double every, double phase, string problem)
    {
        var interval = new IntervalSpec { Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(every)), Phase = Duration.FromTimeSpan(TimeSpan.FromSeconds(phase)) };
        Assert.Contains(problem, Assert.Throws<RpcException>(() => CanonicalSpec.Of(new ScheduleSpec { Interval = { interval } })).Status.Detail);
    }

    private static string First(ScheduleSpec spec, string expected) => string.Join(' ', Times(spec, "seed")
        .Take(expected.Split(' ').Length).Select(t => t.Nominal.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)));

    private static List<ActionTime> Times(ScheduleSpec spec, string seed) =>
        [.. new SpecTimes(CanonicalSpec.Of(spec), seed).Between(Time("2026-03-01T00:00:01Z"), Time("2040-01-01T00:00:00Z")).Take(50)];

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
