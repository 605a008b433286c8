using System.Collections.Concurrent;
using PlatformOps.BootstrapServer.Visibility.Filtering;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>Answers list and count from records in memory.</summary>
internal sealed class VisibilityIndex : IVisibilityStore
{
    private readonly ConcurrentDictionary<string, NamespaceIndex> namespaces = new();

    public void Put(ExecutionRecord record) => Of(record.NamespaceId).Put(record);

    public void Remove(string namespaceId, string runId) => Of(namespaceId).Remove(runId);

    /// <summary>One page, and the token of the next; null when there is none.</summary>
    public (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) Page(string namespaceId, ListFilter filter, ListToken? after, int size) =>
        filter.OrderBy.Count > 0 ? SortedPage(namespaceId, filter, after?.Skip ?? 0, size) : UsualPage(namespaceId, filter, after, size);

    /// <summary>The run of a namespace that closed first, or null when all are open.</summary>
    public ExecutionRecord? OldestClosed(string namespaceId) => Of(namespaceId).OldestClosed();

    public IEnumerable<ExecutionRecord> Matches(string namespaceId, ListFilter filter) => Of(namespaceId).After(null).Where(filter.Accepts);

    private (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) UsualPage(string namespaceId, ListFilter filter, ListToken? after, int size)
    {
        var page = Of(namespaceId).After(after?.Key).Where(filter.Accepts).Take(size + 1).ToList();
        if (page.Count <= size)
            return (page, null);
        page.RemoveAt(size);
        return (page, ListToken.After(page[^1]));
    }

    private (IReadOnlyList<ExecutionRecord> Records, ListToken? Next) SortedPage(string namespaceId, ListFilter filter, int skip, int size)
    {
        var all = Matches(namespaceId, filter).Order(new RecordOrder(filter.OrderBy)).ToList();
        var page = all.Skip(skip).Take(size).ToList();
        return (page, skip + page.Count < all.Count ? ListToken.AfterMany(skip + page.Count) : null);
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
            return ListKey.Of(x!).CompareTo(ListKey.Of(y!));
        }
    }
}
