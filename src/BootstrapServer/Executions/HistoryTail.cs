using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The newest committed events of a run, in memory.</summary>
internal sealed class HistoryTail(long firstEventId)
{
    private readonly List<HistoryEvent> events = [];
    private long first = firstEventId;

    public void Add(List<HistoryEvent> batch) => events.AddRange(batch);

    /// <summary>The events of a range when all of them are here, otherwise null.</summary>
    public List<HistoryEvent>? Range(long fromEventId, long beforeEventId) =>
        fromEventId < first || beforeEventId - first > events.Count ? null : events.GetRange((int)(fromEventId - first), (int)(beforeEventId - fromEventId));

    public void DropUpTo(long eventId)
    {
        var drop = (int)Math.Min(events.Count, eventId + 1 - first);
        if (drop <= 0)
            return;
        events.RemoveRange(0, drop);
        first += drop;
    }
}
