using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Makes the message that hands an activity to a worker.</summary>
internal static class ActivityTaskMessage
{
    /// <summary>The activity must be started, the run's lock held.</summary>
    public static PollActivityTaskQueueResponse Describe(WorkflowRun run, ActivityState activity)
    {
        var scheduled = run.Activities.ScheduledEvent(activity);
        return new PollActivityTaskQueueResponse
        {
            TaskToken = new TaskToken(run.Name.NamespaceId, run.WorkflowId, run.RunId, activity.ScheduledEventId, 0, activity.Attempt, activity.ActivityId).Encode(),
            WorkflowNamespace = run.Namespace.Name,
            WorkflowType = run.Start.WorkflowType,
            WorkflowExecution = new WorkflowExecution { WorkflowId = run.WorkflowId, RunId = run.RunId },
            ActivityType = new ActivityType { Name = activity.Type },
            ActivityId = activity.ActivityId,
            Header = scheduled.Header,
            Input = scheduled.Input,
            HeartbeatDetails = activity.HeartbeatDetails,
            ScheduledTime = Timestamp.FromDateTimeOffset(activity.FirstScheduledTime),
            CurrentAttemptScheduledTime = Timestamp.FromDateTimeOffset(activity.ScheduledTime),
            StartedTime = Timestamp.FromDateTimeOffset(activity.StartedTime!.Value),
            Attempt = activity.Attempt,
            ScheduleToCloseTimeout = Duration.FromTimeSpan(activity.ScheduleToClose),
            StartToCloseTimeout = Duration.FromTimeSpan(activity.StartToClose),
            HeartbeatTimeout = Duration.FromTimeSpan(activity.Heartbeat),
            RetryPolicy = activity.RetryPolicy,
            Priority = activity.Priority,
        };
    }
}
