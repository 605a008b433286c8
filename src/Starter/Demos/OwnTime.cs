using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Common;

namespace PlatformOps.Starter.Demos;

/// <summary>What deciding and ordering the steps took of a failover's time: everything from when there was reason to decide until the first verified write in which no step was being carried out.</summary>
internal static class OwnTime
{
    /// <summary>A planned change of places begins with the first; the other kinds with the second.</summary>
    private const string Prepare = "Prepare", Claim = "ClaimEpoch";

    private const string Last = "Verify";

    /// <returns>Null: the run has not come to a verified write.</returns>
    public static TimeSpan? Of(WorkflowHistory history)
    {
        var events = history.Events.ToDictionary(entry => entry.EventId);
        var scheduled = events.Values.Where(entry => entry.EventType == EventType.ActivityTaskScheduled).OrderBy(entry => entry.EventId).ToList();
        var ended = events.Values.Where(entry => entry.EventType == EventType.ActivityTaskCompleted).ToDictionary(entry => entry.ActivityTaskCompletedEventAttributes.ScheduledEventId);
        if (scheduled.FirstOrDefault(entry => Type(entry) == Last && ended.ContainsKey(entry.EventId)) is not { } verify
            || scheduled.LastOrDefault(entry => Type(entry) == Claim && entry.EventId < verify.EventId) is not { } claim)
            return null;
        var first = scheduled.LastOrDefault(entry => Type(entry) == Prepare && entry.EventId < claim.EventId) ?? claim;
        var task = events[first.ActivityTaskScheduledEventAttributes.WorkflowTaskCompletedEventId].WorkflowTaskCompletedEventAttributes;
        var (from, to) = (Time(events[task.ScheduledEventId]), Time(ended[verify.EventId]));
        var carriedOut = scheduled.Where(entry => entry.EventId >= first.EventId && entry.EventId <= verify.EventId && ended.ContainsKey(entry.EventId))
            .Select(entry => (From: Time(events[ended[entry.EventId].ActivityTaskCompletedEventAttributes.StartedEventId]), To: Time(ended[entry.EventId])));
        var (own, at) = (TimeSpan.Zero, from);
        foreach (var step in carriedOut.OrderBy(step => step.From))
        {
            if (step.From > at)
                own += step.From - at;
            at = step.To > at ? step.To : at;
        }

        return own + (to > at ? to - at : TimeSpan.Zero);
    }

    private static string Type(HistoryEvent scheduled) => scheduled.ActivityTaskScheduledEventAttributes.ActivityType.Name;

    private static DateTime Time(HistoryEvent entry) => entry.EventTime.ToDateTime();
}
