using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>What holds for each history, whatever happened to its server: no gap, and nothing twice.</summary>
internal static class HistoryChecks
{
    public static void Sound(IReadOnlyList<HistoryEvent> events)
    {
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e.EventId));
        Once(events, e => e.WorkflowExecutionSignaledEventAttributes?.RequestId);
        Once(events, e => e.WorkflowExecutionUpdateAcceptedEventAttributes?.ProtocolInstanceId);
        Once(events, e => e.WorkflowExecutionUpdateCompletedEventAttributes?.Meta.UpdateId);
        Once(events, e => e.WorkflowTaskCompletedEventAttributes?.ScheduledEventId);
        Once(events, e => e.ActivityTaskCompletedEventAttributes?.ScheduledEventId ?? e.ActivityTaskFailedEventAttributes?.ScheduledEventId ?? e.ActivityTaskTimedOutEventAttributes?.ScheduledEventId);
        Once(events, e => e.TimerFiredEventAttributes?.StartedEventId);
        Once(events, e => e.ChildWorkflowExecutionStartedEventAttributes?.InitiatedEventId);
        Once(events, e => e.ChildWorkflowExecutionCompletedEventAttributes?.InitiatedEventId);
        Once(events, e => e.ExternalWorkflowExecutionSignaledEventAttributes?.InitiatedEventId);
        Assert.InRange(events.Count(e => e.EventType == EventType.WorkflowExecutionCancelRequested), 0, 1);
    }

    private static void Once(IEnumerable<HistoryEvent> events, Func<HistoryEvent, object?> what)
    {
        var all = events.Select(what).Where(w => w is not null and not "").ToList();
        Assert.Equal(all.Distinct(), all);
    }
}
