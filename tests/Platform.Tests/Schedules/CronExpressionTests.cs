using PlatformOps.Platform.Schedules;

namespace PlatformOps.Platform.Tests.Schedules;

public class CronExpressionTests
{
    [Theory]
    [InlineData("30 3 * * *", "30 3 * * *")]
    [InlineData("*/15 0-6/2 * jan-mar mon,WED", "0,15,30,45 0,2,4,6 * 1-3 1,3")]
    [InlineData("5/20 * * * 7", "5,25,45 * * * 0")]
    [InlineData("0-59 0 1-7 * *", "* 0 1-7 * *")]
    [InlineData("0 0 * * 5-7", "0 0 * * 0,5-6")]
    public void Equal_times_have_one_text(string written, string text)
    {
        var cron = CronExpression.Read(written, out var problem)!;
        Assert.Equal(("", text), (problem, cron.Text));
        Assert.Equal(cron, CronExpression.Read(text, out _));
        Assert.Equal(cron, new CronExpression(cron.Minutes, cron.Hours, cron.DaysOfMonth, cron.MonthsOfYear, cron.DaysOfWeek.Reverse()));
    }

    [Theory]
    [InlineData("30 3 * *", "'30 3 * *' has 4 fields; five are expected")]
    [InlineData("@daily", "'@daily' has 1 fields")]
    [InlineData("60 3 * * *", "'60' is not a minute; 0..59 is expected")]
    [InlineData("0 24 * * *", "'24' is not a hour; 0..23 is expected")]
    [InlineData("0 0 0 * *", "'0' is not a day of month; 1..31")]
    [InlineData("0 0 * * tuesday", "'tuesday' is not a day of week; 0..7")]
    [InlineData("0 0 * 5-3 *", "'5-3' is not a month")]
    [InlineData("*/0 0 * * *", "'*/0' is not a minute")]
    [InlineData("-1 0 * * *", "'-1' is not a minute")]
    [InlineData("0 0 1 * mon", "'0 0 1 * mon' names both days of the month and days of the week; leave one of them at *")]
    public void Says_which_field_is_wrong_and_what_would_be_right(string written, string problem)
    {
        Assert.Null(CronExpression.Read(written, out var said));
        Assert.StartsWith(problem, said, StringComparison.Ordinal);
    }
}
