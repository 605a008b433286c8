namespace PlatformOps.BootstrapServer.Tests.TimeSkipping;

/// <summary>How often the first of a month comes in a span: 12 times in most years, 13 times in some spans of 366 days.</summary>
internal static class Months
{
    public static int Between(DateTimeOffset from, DateTimeOffset to, int hour, int minute = 0)
    {
        var count = 0;
        for (var first = new DateTimeOffset(from.Year, from.Month, 1, hour, minute, 0, TimeSpan.Zero); first <= to; first = first.AddMonths(1))
            count += first > from ? 1 : 0;
        return count;
    }
}
