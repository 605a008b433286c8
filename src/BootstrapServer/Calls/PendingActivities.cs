using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Executions;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Activities that have not ended, as a description shows them.</summary>
internal static class PendingActivities
{
    public static PendingActivityInfo Describe(ActivityState activity, DateTimeOffset now)
    {
        var started = activity.StartedTime is not null;
        var waits = !started && activity.Pause is null && activity.ScheduledTime > now;
        return new PendingActivityInfo
        {
            ActivityId = activity.ActivityId,
            ActivityType = new ActivityType { Name = activity.Type },
            State = State(activity),
            HeartbeatDetails = activity.HeartbeatDetails,
            LastHeartbeatTime = activity.LastHeartbeat?.ToTimestamp(),
            LastStartedTime = activity.StartedTime?.ToTimestamp(),
            Attempt = activity.Attempt,
            MaximumAttempts = activity.RetryPolicy.MaximumAttempts,
            ScheduledTime = activity.ScheduledTime.ToTimestamp(),
            ExpirationTime = activity.ScheduleToClose > TimeSpan.Zero ? (activity.FirstScheduledTime + activity.ScheduleToClose).ToTimestamp() : null,
            LastFailure = activity.LastFailure,
            LastWorkerIdentity = started ? activity.StartedIdentity : activity.LastIdentity,
            LastAttemptCompleteTime = activity.LastAttemptEnded?.ToTimestamp(),
            NextAttemptScheduleTime = waits ? activity.ScheduledTime.ToTimestamp() : null,
            CurrentRetryInterval = waits && activity.LastAttemptEnded is { } ended ? Duration.FromTimeSpan(activity.ScheduledTime - ended) : null,
            Paused = activity.Pause is not null,
            PauseInfo = Pause(activity.Pause),
            Priority = activity.Priority,
            LastDeploymentVersion = activity.LastVersion?.ToMessage(),
#pragma warning disable CS0612 // Deprecated, and what older clients read.
            LastWorkerDeploymentVersion = activity.LastVersion?.ToOldString() ?? "",
#pragma warning restore CS0612
            ActivityOptions = ActivityOptionsChange.Of(activity),
        };
    }

    private static PendingActivityState State(ActivityState activity) => activity switch
    {
        { StartedTime: not null, CancelRequestedEventId: not 0 } => PendingActivityState.CancelRequested,
        { StartedTime: not null, Pause: not null } => PendingActivityState.PauseRequested,
        { StartedTime: not null } => PendingActivityState.Started,
        { Pause: not null } => PendingActivityState.Paused,
        _ => PendingActivityState.Scheduled,
    };

    private static PendingActivityInfo.Types.PauseInfo? Pause(PauseState? pause) => pause is null
        ? null
        : new PendingActivityInfo.Types.PauseInfo
        {
            PauseTime = pause.Since.ToTimestamp(),
            Manual = new PendingActivityInfo.Types.PauseInfo.Types.Manual { Identity = pause.Identity, Reason = pause.Reason },
        };
}
