using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Reads events back, from the run's memory where they are recent, otherwise from the store.</summary>
internal sealed class Histories(IStore store)
{
    /// <summary>One event. It must exist.</summary>
    public HistoryEvent ReadEvent(WorkflowRun run, long eventId)
    {
        if (run.RecentEvents(eventId, eventId + 1) is { } recent)
            return recent[0];
        foreach (var batch in store.History(run.Key, eventId, eventId + 1))
        {
            foreach (var item in History.Parser.ParseFrom(batch.Data).Events)
            {
                if (item.EventId == eventId)
                    return item;
            }
        }
        throw new InvalidDataException($"Event {eventId} of run {run.RunId} is not in the store.");
    }

    /// <summary>Up to so many events, and the id of the next one.</summary>
    public (List<HistoryEvent> Events, long Next) ReadPage(long runKey, long fromEventId, long beforeEventId, int size)
    {
        var events = new List<HistoryEvent>();
        // Batches are small; asking for a page's worth of ids never reads much more than a page.
        while (events.Count < size && fromEventId < beforeEventId)
        {
            var read = Read(runKey, fromEventId, Math.Min(beforeEventId, fromEventId + size - events.Count));
            if (read.Count == 0)
                break;
            events.AddRange(read);
            fromEventId = read[^1].EventId + 1;
        }
        return (events, fromEventId);
    }

    /// <summary>Events from one id up to, not including, another. What is asked for must be durable.</summary>
    public List<HistoryEvent> Read(long runKey, long fromEventId, long beforeEventId)
    {
        var events = new List<HistoryEvent>();
        foreach (var batch in store.History(runKey, fromEventId, beforeEventId))
        {
            foreach (var item in History.Parser.ParseFrom(batch.Data).Events)
            {
                if (item.EventId >= fromEventId && item.EventId < beforeEventId)
                    events.Add(item);
            }
        }
        return events;
    }
}
