using System.Globalization;

namespace PlatformOps.Platform.Schedules;

/// <summary>Times that recur, written as five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday). Each is <c>*</c>, a number, a range <c>a-b</c>, a step <c>*/n</c> or
/// <c>a-b/n</c>, or several of these with commas; months and days of the week may be names (<c>jan</c>, <c>mon</c>). Equal times have one text.</summary>
public sealed record CronExpression
{
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private static readonly (string Name, int First, int Last, string[] Words)[] Fields =
    [
        ("minute", 0, 59, []), ("hour", 0, 23, []), ("day of month", 1, 31, []), ("month", 1, 12, Months), ("day of week", 0, 6, Days),
    ];

    private readonly IReadOnlyList<int>[] values;

    /// <summary>Times of which each field names the values that it may have, in any order.</summary>
    public CronExpression(IEnumerable<int> minutes, IEnumerable<int> hours, IEnumerable<int> daysOfMonth, IEnumerable<int> months, IEnumerable<int> daysOfWeek)
        : this(new[] { minutes, hours, daysOfMonth, months, daysOfWeek })
    {
    }

    private CronExpression(IEnumerable<IEnumerable<int>> given)
    {
        values = [.. given.Select(field => (IReadOnlyList<int>)[.. field.Distinct().Order()])];
        Text = string.Join(' ', values.Select((field, index) => Write(field, Fields[index].First, Fields[index].Last)));
    }

    /// <summary>The one text of these times.</summary>
    public string Text { get; }

    public IReadOnlyList<int> Minutes => values[0];

    public IReadOnlyList<int> Hours => values[1];

    public IReadOnlyList<int> DaysOfMonth => values[2];

    public IReadOnlyList<int> MonthsOfYear => values[3];

    public IReadOnlyList<int> DaysOfWeek => values[4];

    public bool Equals(CronExpression? other) => other?.Text == Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    /// <param name="problem">What is wrong and what would be right; empty when it could be read.</param>
    public static CronExpression? Read(string text, out string problem)
    {
        problem = "";
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != Fields.Length)
        {
            problem = $"'{text}' has {words.Length} fields; five are expected: minute, hour, day of month, month, day of week, for example 30 3 * * mon";
            return null;
        }

        var read = new List<IReadOnlyList<int>>();
        for (var i = 0; i < Fields.Length; i++)
        {
            if (ReadField(words[i], i) is not { } field)
            {
                problem = $"'{words[i]}' is not a {Fields[i].Name}; {Fields[i].First}..{(i == 4 ? 7 : Fields[i].Last)} is expected, with * , - and /";
                return null;
            }

            read.Add(field);
        }

        // Cron takes either of the two, Temporal's calendars take both: whoever writes them together would get other times than meant.
        if (words[2] != "*" && words[4] != "*")
        {
            problem = $"'{text}' names both days of the month and days of the week; leave one of them at *";
            return null;
        }

        return new(read);
    }

    private static IReadOnlyList<int>? ReadField(string word, int index)
    {
        var found = new List<int>();
        foreach (var part in word.ToLowerInvariant().Split(','))
        {
            if (ReadPart(part, index) is not { } some)
                return null;
            found.AddRange(some);
        }

        return found;
    }

    private static IEnumerable<int>? ReadPart(string part, int index)
    {
        var (_, first, last, _) = Fields[index];
        var halves = part.Split('/');
        var step = 1;
        if (halves.Length > 2 || (halves.Length == 2 && (!Number(halves[1], out step) || step < 1)))
            return null;
        var (from, to) = (first, last);
        if (halves[0] != "*")
        {
            var ends = halves[0].Split('-');
            if (ends.Length > 2 || Value(ends[0], index) is not { } start)
                return null;
            from = start;
            // 5/15 means from five on.
            var end = ends.Length == 2 ? Value(ends[1], index) : halves.Length == 2 ? last : start;
            if (end is not { } stop || stop < from)
                return null;
            to = stop;
        }

        return Enumerable.Range(from, to - from + 1).Where(value => (value - from) % step == 0).Select(value => index == 4 ? value % 7 : value);
    }

    private static int? Value(string word, int index)
    {
        var (_, first, last, words) = Fields[index];
        if (Array.IndexOf(words, word) is var named and >= 0)
            return first + named;
        return Number(word, out var number) && number >= first && number <= (index == 4 ? 7 : last) ? number : null;
    }

    private static bool Number(string word, out int number) => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Write(IReadOnlyList<int> field, int first, int last)
    {
        if (field.Count == last - first + 1)
            return "*";
        return string.Join(',', Ranges(field).Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));
    }

    /// <summary>A field's values as ranges without gaps.</summary>
    public static IEnumerable<(int First, int Last)> Ranges(IReadOnlyList<int> field)
    {
        for (var i = 0; i < field.Count;)
        {
            var first = i;
            while (i + 1 < field.Count && field[i + 1] == field[i] + 1)
                i++;
            yield return (field[first], field[i++]);
        }
    }
}
