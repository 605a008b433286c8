using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Visibility;

/// <summary>Closed runs as lists see them: those in the store, slice by slice, and those on their way there, in one order.</summary>
internal static class ClosedRecordReader
{
    /// <summary>Read from the store in one go: enough for most pages, and never much memory.</summary>
    private const int Slice = 256;

    /// <param name="onTheirWay">Read before the store is asked, so that what leaves memory meanwhile is found in the store.</param>
    public static IEnumerable<ExecutionRecord> After(IStore store, string namespaceId, string? workflowId, ListKey? after, IEnumerable<ExecutionRecord> onTheirWay)
    {
        var waiting = new Queue<ExecutionRecord>(onTheirWay.Where(r => after is not { } place || r.Place().CompareTo(place) > 0));
        foreach (var stored in Stored(store, namespaceId, workflowId, after))
        {
            while (waiting.TryPeek(out var next) && next.Place().CompareTo(stored.Place) is var order and <= 0)
            {
                waiting.Dequeue();
                if (order < 0)
                    yield return next;
            }
            yield return ClosedRecords.Read(stored);
        }
        foreach (var next in waiting)
            yield return next;
    }

    private static IEnumerable<ClosedRun> Stored(IStore store, string namespaceId, string? workflowId, ListKey? after)
    {
        while (true)
        {
            var slice = store.ClosedRuns(namespaceId, workflowId, after, Slice);
            foreach (var run in slice)
                yield return run;
            if (slice.Count < Slice)
                yield break;
            after = slice[^1].Place;
        }
    }
}
