using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>How pending activities follow from history, for a run that is reset.</summary>
internal sealed partial class Activities
{
    public void Rebuild(HistoryEvent item)
    {
        switch (item.EventType)
        {
            case EventType.ActivityTaskScheduled:
                Pend(item, run.State.StartTime); // its timeouts begin with the new run
                break;
            case EventType.ActivityTaskStarted when pending.Find(item.ActivityTaskStartedEventAttributes.ScheduledEventId) is { } activity:
                activity.StartedTime = item.EventTime.ToDateTimeOffset();
                activity.StartedIdentity = item.ActivityTaskStartedEventAttributes.Identity;
                activity.StartedEventId = item.EventId;
                break;
            case EventType.ActivityTaskCancelRequested when pending.Find(item.ActivityTaskCancelRequestedEventAttributes.ScheduledEventId) is { } activity:
                activity.CancelRequestedEventId = item.EventId;
                break;
            default:
                if (pending.Find(EventLog.EndedActivity(item)) is { } ended)
                    End(ended);
                break;
        }
    }

    /// <summary>What a worker had when history stops has nobody any more: it failed. What waited goes on.</summary>
    public void FailForReset(string reason)
    {
        foreach (var activity in pending.All.Where(a => a.StartedEventId != 0).ToList())
        {
            End(activity);
            run.Events.Add(EventType.ActivityTaskFailed, new HistoryEvent
            {
                ActivityTaskFailedEventAttributes = new ActivityTaskFailedEventAttributes
                {
                    Failure = WorkflowTasks.ResetFailure(reason, activity.HeartbeatDetails),
                    ScheduledEventId = activity.ScheduledEventId,
                    StartedEventId = activity.StartedEventId,
                    Identity = activity.StartedIdentity,
                    RetryState = RetryState.NonRetryableFailure,
                },
            });
        }
    }
}
