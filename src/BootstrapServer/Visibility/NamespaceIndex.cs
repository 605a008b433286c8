namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>The records of one namespace, in the order of lists.</summary>
internal sealed class NamespaceIndex
{
    /// <summary>Records looked at in one go, so that a long scan never holds up a run that changes.</summary>
    private const int Slice = 512;

    private readonly Lock gate = new();
    private readonly SortedSet<Entry> ordered = [];
    private readonly Dictionary<string, ExecutionRecord> byRun = [];

    public void Put(ExecutionRecord record)
    {
        lock (gate)
        {
            Take(record.RunId);
            byRun[record.RunId] = record;
            ordered.Add(new Entry(ListKey.Of(record), record));
        }
    }

    public void Remove(string runId)
    {
        lock (gate)
            Take(runId);
    }

    /// <summary>The last in order, unless it is open.</summary>
    public ExecutionRecord? OldestClosed()
    {
        lock (gate)
            return ordered.Count > 0 && ordered.Max.Record is { CloseTime: not null } record ? record : null;
    }

    /// <summary>All records after a place, or from the start.</summary>
    public IEnumerable<ExecutionRecord> After(ListKey? place)
    {
        while (true)
        {
            var slice = SliceAfter(place);
            foreach (var record in slice)
                yield return record;
            if (slice.Count < Slice)
                yield break;
            place = ListKey.Of(slice[^1]);
        }
    }

    private List<ExecutionRecord> SliceAfter(ListKey? place)
    {
        lock (gate)
        {
            if (ordered.Count == 0)
                return [];
            if (place is not { } from)
                return [.. ordered.Take(Slice).Select(e => e.Record!)];
            if (from.CompareTo(ordered.Max.Key) >= 0)
                return [];
            return [.. ordered.GetViewBetween(new Entry(from, null), ordered.Max).SkipWhile(e => e.Key == from).Take(Slice).Select(e => e.Record!)];
        }
    }

    private void Take(string runId)
    {
        if (byRun.Remove(runId, out var old))
            ordered.Remove(new Entry(ListKey.Of(old), null));
    }

    private readonly record struct Entry(ListKey Key, ExecutionRecord? Record) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => Key.CompareTo(other.Key);
    }
}
