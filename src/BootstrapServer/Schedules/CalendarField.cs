using System.Globalization;
using Range = Temporalio.Api.Schedule.V1.Range;

namespace PlatformOps.BootstrapServer.Schedules;

/// <summary>One field of a calendar: the values it may have, their names, and what an empty text means.</summary>
/// <param name="TextHigh">The highest value in a text: a day of the week may be 7 there, which is Sunday again.</param>
/// <param name="Shortest">So many letters of a name are enough.</param>
internal sealed record CalendarField(string Name, int Low, int High, int TextHigh, string WhenEmpty, string[] Names, int Shortest = 3)
{
    public static readonly CalendarField Second = new("Second", 0, 59, 59, "0", []);
    public static readonly CalendarField Minute = new("Minute", 0, 59, 59, "0", []);
    public static readonly CalendarField Hour = new("Hour", 0, 23, 23, "0", []);
    public static readonly CalendarField DayOfMonth = new("DayOfMonth", 1, 31, 31, "*", []);
    public static readonly CalendarField Month = new(
        "Month", 1, 12, 12, "*", ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]);
    public static readonly CalendarField Year = new("Year", 2000, 2100, 2100, "*", []);
    public static readonly CalendarField DayOfWeek = new(
        "DayOfWeek", 0, 6, 7, "*", ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"], Shortest: 2);

    private string Bounds => $"[{Low}-{TextHigh}]";

    /// <summary>Reads <c>*</c>, <c>5</c>, <c>mon-fri</c>, <c>*/15</c>, <c>1-10/3</c>, and lists of these. Every year is no range at all.</summary>
    /// <exception cref="FormatException">It is malformed, or a value is outside of the field.</exception>
    public IEnumerable<Range> Parse(string text)
    {
        text = text.Trim();
        if (text.Length == 0)
            text = WhenEmpty;
        return text == "*" && this == Year ? [] : [.. text.Split(',').SelectMany(ParsePart)];
    }

    /// <summary>What is wrong with a range, or null.</summary>
    public string? Problem(Range range) =>
        range.Start < Low || range.Start > High ? $"{Name} Start is not in range [{Low}-{High}]"
        : range.End != 0 && (range.End < range.Start || range.End > High) ? $"{Name} End is before Start or not in range [{Low}-{High}]"
        : range.Step < 0 ? $"{Name} has invalid Step"
        : null;

    /// <summary>A field without a range matches nothing; only a year is then any year.</summary>
    public bool Matches(IReadOnlyList<Range> ranges, int value)
    {
        if (ranges.Count == 0)
            return this == Year;
        foreach (var range in ranges)
        {
            if (value >= range.Start && value <= Math.Max(range.Start, range.End) && (value - range.Start) % Math.Max(1, range.Step) == 0)
                return true;
        }
        return false;
    }

    private IEnumerable<Range> ParsePart(string text)
    {
        var stepped = text.Split('/');
        if (stepped.Length > 2)
            throw new FormatException($"{Name} has too many slashes");
        var step = 1;
        if (stepped.Length == 2 && (!int.TryParse(stepped[1], NumberStyles.None, CultureInfo.InvariantCulture, out step) || step < 1))
            throw new FormatException($"{Name} has invalid Step");
        var (start, end) = stepped[0] == "*" ? (Low, TextHigh) : Ends(stepped[0], toTheEnd: stepped.Length == 2);
        if (end > High)
        {
            // The 7 is Sunday: a range of its own, unless the rest begins with Sunday, or goes over it.
            if ((end - start) % step == 0 && (step > 1 || start > 1))
                yield return new Range { Start = 0, End = 0, Step = 1 };
            if (start > High)
                yield break;
            end = High;
        }
        yield return new Range { Start = start, End = end, Step = step };
    }

    private (int Start, int End) Ends(string text, bool toTheEnd)
    {
        var ends = text.Split('-');
        if (ends.Length > 2)
            throw new FormatException($"{Name} has too many dashes");
        if (Value(ends[0]) is not { } start || start < Low || start > TextHigh)
            throw new FormatException(ends.Length == 2 ? $"{Name} Start is not in range {Bounds}" : $"{Name} is not in range {Bounds}");
        if (ends.Length == 1)
            return (start, toTheEnd ? TextHigh : start);
        return Value(ends[1]) is { } end && end >= start && end <= TextHigh
            ? (start, end)
            : throw new FormatException($"{Name} End is before Start or not in range [{start}-{TextHigh}]");
    }

    private int? Value(string text)
    {
        var named = text.Length < Shortest ? -1 : Array.FindIndex(Names, n => n.StartsWith(text, StringComparison.OrdinalIgnoreCase));
        if (named >= 0)
            return named + Low;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
