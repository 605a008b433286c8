using System.Collections.Concurrent;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Visibility.Filtering;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>Answers list and count: open runs from memory, closed ones from the store.</summary>
internal sealed class VisibilityIndex(IStore store)
{
    private readonly ConcurrentDictionary<string, NamespaceIndex> namespaces = new();

    /// <summary>Adds or replaces the record of a run. Called with the run's lock held: quick, and never back into the engine.</summary>
    public void Put(ExecutionRecord record) => Of(record.NamespaceId).Put(record);

    /// <summary>Memory lets go of a run: it closed and is in the store, or it is deleted.</summary>
    public void Forget(string namespaceId, string runId) => Of(namespaceId).Forget(runId);

    /// <summary>One page, and the token of the next; null when there is none.</summary>
    public (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) Page(string namespaceId, ListFilter filter, ListToken? after, int size) =>
        filter.OrderBy.Count > 0 ? SortedPage(namespaceId, filter, after?.Skip ?? 0, size) : UsualPage(namespaceId, filter, after, size);

    public IEnumerable<ExecutionRecord> Matches(string namespaceId, ListFilter filter) => After(namespaceId, filter, null);

    private IEnumerable<ExecutionRecord> After(string namespaceId, ListFilter filter, ListKey? place)
    {
        var (memory, scope) = (Of(namespaceId), FilterScope.Of(filter.Where));
        foreach (var record in memory.Open(place).Where(filter.Accepts))
            yield return record;
        if (scope.OnlyOpen)
            yield break;
        foreach (var record in ClosedRecordReader.After(store, namespaceId, scope.WorkflowId, place, memory.Closing()).Where(filter.Accepts))
            yield return record;
    }

    private (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) UsualPage(string namespaceId, ListFilter filter, ListToken? after, int size)
    {
        var page = After(namespaceId, filter, after?.Key).Take(size + 1).ToList();
        if (page.Count <= size)
            return (page, null);
        page.RemoveAt(size);
        return (page, ListToken.After(page[^1]));
    }

    private (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) SortedPage(string namespaceId, ListFilter filter, int skip, int size)
    {
        // The first so many of any number: what falls behind them is let go while reading.
        var order = new RecordOrder(filter.OrderBy);
        var (most, first) = (skip + size + 1, new List<ExecutionRecord>());
        foreach (var record in Matches(namespaceId, filter))
        {
            first.Add(record);
            if (first.Count >= 2 * most)
                KeepFirst(first, order, most);
        }
        KeepFirst(first, order, most);
        var page = first.Skip(skip).Take(size).ToList();
        return (page, first.Count == most ? ListToken.AfterMany(skip + page.Count) : null);
    }

    private static void KeepFirst(List<ExecutionRecord> records, RecordOrder order, int most)
    {
        records.Sort(order);
        if (records.Count > most)
            records.RemoveRange(most, records.Count - most);
    }

    private NamespaceIndex Of(string namespaceId) => namespaces.GetOrAdd(namespaceId, _ => new NamespaceIndex());

    /// <summary>By the fields asked for, missing values last; then as usual.</summary>
    private sealed class RecordOrder(IReadOnlyList<SortField> fields) : IComparer<ExecutionRecord>
    {
        public int Compare(ExecutionRecord? x, ExecutionRecord? y)
        {
            foreach (var (attribute, descending) in fields)
            {
                var (left, right) = (attribute.Read(x!), attribute.Read(y!));
                var order = left is null || right is null ? (left is null).CompareTo(right is null) : AttributeValues.Compare(left, right) * (descending ? -1 : 1);
                if (order != 0)
                    return order;
            }
            return x!.Place().CompareTo(y!.Place());
        }
    }
}
