using System.Globalization;
using System.Text.RegularExpressions;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard.Changes;

/// <summary>Counts what the lines of <c>pg_waldump</c> say: the transactions that committed after a place, and the rows of users' tables that they inserted, changed or deleted.</summary>
/// <param name="from">Where the timelines part: commits before it are on both nodes.</param>
/// <param name="ignored">Tables that do not count, as <c>database/file</c>.</param>
internal sealed partial class WalRecords(long from, IReadOnlyCollection<string> ignored)
{
    /// <summary>Objects below it are the server's own catalogs.</summary>
    private const long FirstOfUsers = 16384;

    private readonly Dictionary<long, int> open = [];

    public int Transactions { get; private set; }

    public int Rows { get; private set; }

    /// <summary>Where the last record begins.</summary>
    public long End { get; private set; }

    /// <summary>True: the record is one of those that only this node has.</summary>
    public bool Read(string line)
    {
        if (Record().Match(line) is not { Success: true } record || Lsn.Parse(record.Groups["lsn"].Value) is not { } at)
            return false;
        End = at;
        var transaction = Number(record.Groups["tx"].Value);
        var (manager, what) = (record.Groups["rmgr"].Value, record.Groups["desc"].Value);
        if (manager is "Heap" or "Heap2" && Changes(manager, what, line) is > 0 and var rows)
            open[transaction] = open.GetValueOrDefault(transaction) + rows;
        else if (manager == "Transaction")
            Finished(transaction, what, at);
        return at >= from;
    }

    private void Finished(long transaction, string what, long at)
    {
        var (commits, aborts) = (what.StartsWith("COMMIT", StringComparison.Ordinal), what.StartsWith("ABORT", StringComparison.Ordinal));
        if (!commits && !aborts)
            return;
        // Of a prepared transaction the record names whom it finishes.
        var whole = Prepared().Match(what) is { Success: true } prepared ? Number(prepared.Groups[1].Value) : transaction;
        var parts = Parts().Match(what) is { Success: true } list ? list.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number) : [];
        var rows = parts.Append(whole).Distinct().Sum(part => open.Remove(part, out var changes) ? changes : 0);
        if (!commits || at < from || rows == 0)
            return;
        Transactions++;
        Rows += rows;
    }

    /// <summary>How many rows of users a record inserts, changes or deletes.</summary>
    private int Changes(string manager, string what, string line)
    {
        if (Relation().Match(line) is not { Success: true } relation || Number(relation.Groups[2].Value) < FirstOfUsers || ignored.Contains(relation.Groups[1].Value))
            return 0;
        var operation = what.Split(' ', 2)[0].Split('+')[0];
        return (manager, operation) switch
        {
            ("Heap", "INSERT" or "UPDATE" or "HOT_UPDATE" or "DELETE") => 1,
            ("Heap2", "MULTI_INSERT") => Tuples().Match(what) is { Success: true } tuples ? (int)Number(tuples.Groups[1].Value) : 1,
            _ => 0,
        };
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^rmgr: (?<rmgr>\S+)\s+len .*?tx:\s+(?<tx>\d+), lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+), prev \S+ desc: (?<desc>.*)$")]
    private static partial Regex Record();

    [GeneratedRegex(@"rel \d+/(\d+/(\d+))")]
    private static partial Regex Relation();

    [GeneratedRegex(@"(?:ntuples: )?(\d+)(?: tuples)?")]
    private static partial Regex Tuples();

    [GeneratedRegex(@"^(?:COMMIT|ABORT)_PREPARED (\d+)")]
    private static partial Regex Prepared();

    [GeneratedRegex(@"subxacts: ([\d ]+)")]
    private static partial Regex Parts();
}
