using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Activity.V1;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using TaskQueue = Temporalio.Api.TaskQueue.V1.TaskQueue;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>The options of a pending activity, as callers see and change them.</summary>
internal static class ActivityOptionsChange
{
    private static readonly FieldMask.MergeOptions Replace = new() { ReplaceMessageFields = true, ReplacePrimitiveFields = true };

    public static ActivityOptions Of(ActivityState activity) => new()
    {
        TaskQueue = new TaskQueue { Name = activity.TaskQueue, NormalName = activity.TaskQueue },
        ScheduleToCloseTimeout = Duration.FromTimeSpan(activity.ScheduleToClose),
        ScheduleToStartTimeout = Duration.FromTimeSpan(activity.ScheduleToStart),
        StartToCloseTimeout = Duration.FromTimeSpan(activity.StartToClose),
        HeartbeatTimeout = Duration.FromTimeSpan(activity.Heartbeat),
        Priority = activity.Priority,
        RetryPolicy = new RetryPolicy
        {
            InitialInterval = activity.RetryPolicy.InitialInterval,
            BackoffCoefficient = activity.RetryPolicy.BackoffCoefficient,
            MaximumInterval = activity.RetryPolicy.MaximumInterval,
            MaximumAttempts = activity.RetryPolicy.MaximumAttempts,
        },
    };

    /// <summary>The options that the workflow asked for.</summary>
    public static ActivityOptions Original(WorkflowRun run, ActivityState activity)
    {
        var asked = run.Activities.ScheduledEvent(activity);
        return new ActivityOptions
        {
            TaskQueue = new TaskQueue { Name = asked.TaskQueue.Name },
            ScheduleToCloseTimeout = asked.ScheduleToCloseTimeout,
            ScheduleToStartTimeout = asked.ScheduleToStartTimeout,
            StartToCloseTimeout = asked.StartToCloseTimeout,
            HeartbeatTimeout = asked.HeartbeatTimeout,
            Priority = asked.Priority ?? run.State.Priority,
            RetryPolicy = asked.RetryPolicy,
        };
    }

    /// <summary>The activity's options with those that the mask names changed.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT for options that cannot be.</exception>
    public static ActivityOptions Merge(WorkflowRun run, ActivityState activity, ActivityOptions asked, FieldMask mask)
    {
        var merged = Of(activity).Clone();
        foreach (var path in mask.Paths.Select(Snake).Where(p => FieldMask.IsValid<ActivityOptions>(p) && p != "task_queue"))
        {
            Require(path, "task_queue", asked.TaskQueue, "TaskQueue");
            Require(path, "retry_policy", asked.RetryPolicy, "RetryPolicy");
            if (path != "priority")
                Require(path, "priority", asked.Priority, "Priority");
            FieldMask.FromString<ActivityOptions>(path).Merge(asked, merged, Replace);
        }
        if (RetryBackoff.Problem(merged.RetryPolicy) is { } retry)
            throw ServiceError.InvalidArgument(retry);
        var command = new ScheduleActivityTaskCommandAttributes
        {
            ScheduleToCloseTimeout = merged.ScheduleToCloseTimeout,
            ScheduleToStartTimeout = merged.ScheduleToStartTimeout,
            StartToCloseTimeout = merged.StartToCloseTimeout,
            HeartbeatTimeout = merged.HeartbeatTimeout,
        };
        if (ActivityTimeouts.Problem(command) is { } problem)
            throw ServiceError.InvalidArgument(problem);
        var (scheduleToClose, scheduleToStart, startToClose, heartbeat) = ActivityTimeouts.Resolve(command, run);
        merged.ScheduleToCloseTimeout = Duration.FromTimeSpan(scheduleToClose);
        merged.ScheduleToStartTimeout = Duration.FromTimeSpan(scheduleToStart);
        merged.StartToCloseTimeout = Duration.FromTimeSpan(startToClose);
        merged.HeartbeatTimeout = Duration.FromTimeSpan(heartbeat);
        if (merged.TaskQueue.Name.Length == 0)
            merged.TaskQueue.Name = run.TaskQueue;
        merged.TaskQueue.NormalName = "";
        return merged;
    }

    private static void Require(string path, string field, object? value, string name)
    {
        if (value is null && (path == field || path.StartsWith(field + ".", StringComparison.Ordinal)))
            throw ServiceError.InvalidArgument($"{name} is not provided");
    }

    /// <summary>Masks come in both of protobuf's spellings.</summary>
    private static string Snake(string path) => string.Concat(path.Select(c => char.IsAsciiLetterUpper(c) ? "_" + char.ToLowerInvariant(c) : c.ToString()));
}
