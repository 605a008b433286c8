using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What the four timeouts of an activity are once those that were left out are filled in.</summary>
internal static class ActivityTimeouts
{
    public static (TimeSpan ScheduleToClose, TimeSpan ScheduleToStart, TimeSpan StartToClose, TimeSpan Heartbeat) Resolve(
        ScheduleActivityTaskCommandAttributes asked, WorkflowRun run)
    {
        var scheduleToClose = Span(asked.ScheduleToCloseTimeout);
        var scheduleToStart = Span(asked.ScheduleToStartTimeout);
        var startToClose = Span(asked.StartToCloseTimeout);
        var heartbeat = Span(asked.HeartbeatTimeout);
        var runTimeout = Span(run.Start.WorkflowRunTimeout);
        if (scheduleToClose > TimeSpan.Zero)
        {
            scheduleToStart = scheduleToStart > TimeSpan.Zero ? Min(scheduleToStart, scheduleToClose) : scheduleToClose;
            startToClose = startToClose > TimeSpan.Zero ? Min(startToClose, scheduleToClose) : scheduleToClose;
        }
        else
        {
            // Only start-to-close was given: the whole may take as long as the run.
            scheduleToClose = runTimeout;
            if (scheduleToStart == TimeSpan.Zero)
                scheduleToStart = runTimeout;
        }
        if (runTimeout > TimeSpan.Zero)
        {
            scheduleToClose = Min(scheduleToClose, runTimeout);
            scheduleToStart = Min(scheduleToStart, runTimeout);
            startToClose = Min(startToClose, runTimeout);
            heartbeat = Min(heartbeat, runTimeout);
        }
        return (scheduleToClose, scheduleToStart, startToClose, Min(heartbeat, startToClose));
    }

    /// <summary>What is wrong with the timeouts asked for, or null.</summary>
    public static string? Problem(ScheduleActivityTaskCommandAttributes asked)
    {
        if (Span(asked.ScheduleToCloseTimeout) < TimeSpan.Zero || Span(asked.ScheduleToStartTimeout) < TimeSpan.Zero
            || Span(asked.StartToCloseTimeout) < TimeSpan.Zero || Span(asked.HeartbeatTimeout) < TimeSpan.Zero)
            return "A valid timeout may not be negative.";
        return Span(asked.ScheduleToCloseTimeout) == TimeSpan.Zero && Span(asked.StartToCloseTimeout) == TimeSpan.Zero
            ? "A valid StartToClose or ScheduleToCloseTimeout is not set on command."
            : null;
    }

    private static TimeSpan Span(Duration? duration) => duration?.ToTimeSpan() ?? TimeSpan.Zero;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
