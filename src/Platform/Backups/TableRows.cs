using System.Globalization;
using System.Text.RegularExpressions;

namespace PlatformOps.Platform.Backups;

/// <summary>A table of a server.</summary>
/// <param name="Name"><c>database.schema.table</c>.</param>
/// <param name="Rows">How many it has.</param>
/// <param name="Exact">Whether they were counted; false: the server estimates it.</param>
/// <param name="Columns">What tells whether its columns, with their types, are others.</param>
public sealed record TableRows(string Name, long Rows, bool Exact, string Columns);

/// <summary>By how much the rows of restored tables may differ from what they should be.</summary>
/// <param name="Percent">Of those that nothing else is said about.</param>
/// <param name="Tables">By <c>database.schema.table</c>, where <c>*</c> stands for anything; the first that fits decides. 100: not compared, as of queues, which fill and empty.</param>
public sealed record RowTolerance(int Percent, IReadOnlyDictionary<string, int> Tables)
{
    /// <summary>What a table may change by between a set and its verification besides what is seen of it at both ends.</summary>
    public const int DefaultPercent = 10;

    /// <summary>Where nothing is declared.</summary>
    public static RowTolerance Default { get; } = new(DefaultPercent, new Dictionary<string, int>());

    /// <summary>In percent.</summary>
    public int Of(string table)
    {
        foreach (var (pattern, percent) in Tables)
        {
            if (Regex.IsMatch(table, $"^{Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal)}$", RegexOptions.CultureInvariant))
                return percent;
        }

        return Percent;
    }
}

/// <summary>Compares the tables of restored data with what they were when a set was made, and are now: a table is as it has to be when it is between the two, give or take the tolerance.</summary>
public static class TableComparison
{
    /// <summary>Of an estimate, in percent, besides the tolerance: the server's statistics lag by a fifth of a table before autovacuum looks at it again (autovacuum_analyze_scale_factor is 0.1, autovacuum_vacuum_scale_factor 0.2).</summary>
    private const int EstimateSlack = 25;

    /// <summary>So few rows more or less say nothing: small tables double by a few.</summary>
    private const long FewRows = 20;

    /// <summary>How many tables are named.</summary>
    private const int Named = 20;

    /// <summary>What speaks against the copy and what does not, one sentence each.</summary>
    /// <param name="then">When a set was made.</param>
    /// <param name="now">Of the server; what is not there any more is not compared.</param>
    /// <param name="copy">What was restored.</param>
    public static (IReadOnlyList<string> Wrong, IReadOnlyList<string> Right) Of(IReadOnlyList<TableRows> then, IReadOnlyList<TableRows> now, IReadOnlyList<TableRows> copy, RowTolerance tolerance)
    {
        var (server, restored) = (now.ToDictionary(table => table.Name), copy.ToDictionary(table => table.Name));
        var compared = then.Where(table => server.ContainsKey(table.Name)).ToList();
        var wrong = compared.Select(table => Trouble(table, server[table.Name], restored.GetValueOrDefault(table.Name), tolerance.Of(table.Name))).OfType<string>().ToList();
        return (
            wrong.Count <= Named ? wrong : [.. wrong.Take(Named), string.Create(CultureInfo.InvariantCulture, $"{wrong.Count - Named} more tables are not as they have to be.")],
            wrong.Count > 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{compared.Count} tables have the columns and about the rows that they have to have.")]);
    }

    private static string? Trouble(TableRows then, TableRows now, TableRows? copy, int percent)
    {
        if (copy is null)
            return $"The table {then.Name} is missing in it.";
        if (then.Columns == now.Columns && copy.Columns != now.Columns)
            return $"The table {then.Name} has other columns in it than when the set was made and today.";
        if (percent >= 100)
            return null;
        var (low, high) = (Math.Min(then.Rows, now.Rows), Math.Max(then.Rows, now.Rows));
        var slack = FewRows + (high * (percent + (then.Exact && now.Exact && copy.Exact ? 0 : EstimateSlack)) / 100);
        return copy.Rows >= low - slack && copy.Rows <= high + slack ? null
            : string.Create(CultureInfo.InvariantCulture, $"The table {then.Name} has {copy.Rows} rows in it; when a set was made it had {then.Rows}, and has {now.Rows} today: that is more than {percent} % off.");
    }
}
