using System.Globalization;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>One field of a calendar: the values it may have, their names, and what an empty field means.</summary>
internal sealed record CalendarField(string Name, int Low, int High, bool AllWhenEmpty, string[] Names)
{
    public static readonly CalendarField Second = new("second", 0, 59, AllWhenEmpty: false, []);
    public static readonly CalendarField Minute = new("minute", 0, 59, AllWhenEmpty: false, []);
    public static readonly CalendarField Hour = new("hour", 0, 23, AllWhenEmpty: false, []);
    public static readonly CalendarField DayOfMonth = new("day of month", 1, 31, AllWhenEmpty: true, []);
    public static readonly CalendarField Month = new(
        "month", 1, 12, AllWhenEmpty: true, ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]);
    public static readonly CalendarField Year = new("year", 2000, 2100, AllWhenEmpty: true, []);
    public static readonly CalendarField DayOfWeek = new("day of week", 0, 7, AllWhenEmpty: true, ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]);

    /// <summary>Reads <c>*</c>, <c>5</c>, <c>mon-fri</c>, <c>*/15</c>, <c>1-10/3</c>, and lists of these.</summary>
    /// <exception cref="FormatException">It is malformed, or a value is outside of the field.</exception>
    public IEnumerable<Temporalio.Api.Schedule.V1.Range> Parse(string text)
    {
        if (text.Length == 0)
            text = AllWhenEmpty ? "*" : "0";
        return text.Split(',').Select(ParseRange).ToList();
    }

    /// <summary>What is wrong with a range, or null.</summary>
    public string? Problem(Temporalio.Api.Schedule.V1.Range range)
    {
        var end = End(range);
        return range.Start < Low || end > High || range.Start > end || range.Step < 0
            ? $"{Name} {range.Start}-{end}/{Math.Max(1, range.Step)} is outside {Low}-{High}"
            : null;
    }

    public bool Matches(IReadOnlyList<Temporalio.Api.Schedule.V1.Range> ranges, int value)
    {
        if (ranges.Count == 0)
            return AllWhenEmpty || value == 0;
        foreach (var range in ranges)
        {
            if (value >= range.Start && value <= End(range) && (value - range.Start) % Math.Max(1, range.Step) == 0)
                return true;
        }
        return false;
    }

    private static int End(Temporalio.Api.Schedule.V1.Range range) => Math.Max(range.Start, range.End);

    private Temporalio.Api.Schedule.V1.Range ParseRange(string text)
    {
        var stepped = text.Split('/');
        if (stepped.Length > 2)
            throw new FormatException($"{Name}: bad step in \"{text}\"");
        var step = stepped.Length == 2 ? Number(stepped[1]) : 1;
        var (start, end) = stepped[0] is "*" or "?" ? (Low, All) : Bounds(stepped[0], stepped.Length == 2);
        var range = new Temporalio.Api.Schedule.V1.Range { Start = start, End = end, Step = step };
        return Problem(range) is { } problem || step < 1 ? throw new FormatException($"\"{text}\": {Problem(range) ?? "the step is less than 1"}") : range;
    }

    /// <summary>The last value of "all": 7 is Sunday again, and not another day.</summary>
    private int All => ReferenceEquals(this, DayOfWeek) ? 6 : High;

    private (int Start, int End) Bounds(string text, bool stepped)
    {
        var ends = text.Split('-');
        if (ends.Length > 2)
            throw new FormatException($"{Name}: bad range in \"{text}\"");
        var start = Value(ends[0]);
        return (start, ends.Length == 2 ? Value(ends[1]) : stepped ? All : start);
    }

    private int Value(string text)
    {
        var named = text.Length < 3 ? -1 : Array.FindIndex(Names, n => n.StartsWith(text, StringComparison.OrdinalIgnoreCase));
        return named >= 0 ? named + Low : Number(text);
    }

    private int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"{Name}: \"{text}\" is not a number");
}
