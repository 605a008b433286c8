using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>The records of one namespace that are in memory: of open runs, and of those that closed and are on their way to the store.</summary>
internal sealed class NamespaceIndex
{
    /// <summary>Records looked at in one go, so that a long scan never holds up a run that changes.</summary>
    private const int Slice = 512;

    private readonly Lock gate = new();
    private readonly SortedSet<Entry> open = [];
    private readonly Dictionary<string, ExecutionRecord> closing = [];
    private readonly Dictionary<string, ExecutionRecord> openByRun = [];

    public void Put(ExecutionRecord record)
    {
        lock (gate)
        {
            Take(record.RunId);
            if (record.CloseTime is not null)
            {
                closing[record.RunId] = record;
                return;
            }
            openByRun[record.RunId] = record;
            open.Add(new Entry(record.Place(), record));
        }
    }

    public void Forget(string runId)
    {
        lock (gate)
            Take(runId);
    }

    /// <summary>Open runs in the order of lists, after a place or from the start.</summary>
    public IEnumerable<ExecutionRecord> Open(ListKey? after)
    {
        while (true)
        {
            var slice = SliceAfter(after);
            foreach (var record in slice)
                yield return record;
            if (slice.Count < Slice)
                yield break;
            after = slice[^1].Place();
        }
    }

    /// <summary>Runs that closed, and may not be in the store yet, in the order of lists.</summary>
    public List<ExecutionRecord> Closing()
    {
        lock (gate)
            return [.. closing.Values.OrderBy(r => r.Place())];
    }

    private List<ExecutionRecord> SliceAfter(ListKey? place)
    {
        lock (gate)
        {
            if (open.Count == 0)
                return [];
            if (place is not { } from)
                return [.. open.Take(Slice).Select(e => e.Record!)];
            if (from.CompareTo(open.Max.Key) >= 0)
                return [];
            return [.. open.GetViewBetween(new Entry(from, null), open.Max).SkipWhile(e => e.Key == from).Take(Slice).Select(e => e.Record!)];
        }
    }

    private void Take(string runId)
    {
        closing.Remove(runId);
        if (openByRun.Remove(runId, out var old))
            open.Remove(new Entry(old.Place(), null));
    }

    private readonly record struct Entry(ListKey Key, ExecutionRecord? Record) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => Key.CompareTo(other.Key);
    }
}
