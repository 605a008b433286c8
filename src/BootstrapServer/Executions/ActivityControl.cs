using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Activity.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Which pending activities of a run an operator means: one by id, all of a type, or all.</summary>
internal sealed record WhichActivities(string? Id, string? Type, bool All);

/// <summary>What operators do to the activities they mean. One step of the run; when none is meant, NOT_FOUND says so.</summary>
internal static class ActivityControl
{
    public static Task PauseAsync(WorkflowRun run, WhichActivities which, string identity, string reason, string requestId) => run.StepAsync(() =>
    {
        var pause = new PauseState { Since = run.Now, Identity = identity, Reason = reason, RequestId = requestId };
        foreach (var activity in Choose(run, which))
            run.Activities.Pause(activity, pause);
    });

    public static Task UnpauseAsync(WorkflowRun run, WhichActivities which, bool resetAttempts, bool resetHeartbeat, Duration? jitter) => run.StepAsync(() =>
    {
        foreach (var activity in Choose(run, which))
            run.Activities.Unpause(activity, resetAttempts, resetHeartbeat, Delay(jitter));
    });

    public static Task ResetAsync(WorkflowRun run, WhichActivities which, bool resetHeartbeat, bool keepPaused, bool restoreOptions, Duration? jitter) => run.StepAsync(() =>
    {
        foreach (var activity in Choose(run, which))
        {
            if (restoreOptions)
                run.Activities.Change(activity, ActivityOptionsChange.Original(run, activity));
            run.Activities.Reset(activity, resetHeartbeat, keepPaused, Delay(jitter));
        }
    });

    /// <returns>The options that the last of them has now.</returns>
    public static Task<ActivityOptions> ChangeAsync(WorkflowRun run, WhichActivities which, ActivityOptions? options, FieldMask? mask, bool restore)
    {
        if (restore && mask is { Paths.Count: > 0 })
            throw ServiceError.InvalidArgument("Both UpdateMask and RestoreOriginal are provided");
        return run.StepAsync(() => restore ? Restore(run, which) : Update(run, which, options, mask));
    }

    private static ActivityOptions Restore(WorkflowRun run, WhichActivities which)
    {
        ActivityOptions shown = new();
        foreach (var activity in Choose(run, which))
            run.Activities.Change(activity, shown = ActivityOptionsChange.Original(run, activity));
        return shown;
    }

    /// <summary>All of them are checked before the first is changed.</summary>
    private static ActivityOptions Update(WorkflowRun run, WhichActivities which, ActivityOptions? options, FieldMask? mask)
    {
        run.RequireOpen();
        if (options is null)
            throw ServiceError.InvalidArgument("ActivityOptions are not provided");
        var chosen = Choose(run, which);
        if (mask is null)
            throw ServiceError.InvalidArgument("UpdateMask is not provided");
        var merged = chosen.ConvertAll(activity => ActivityOptionsChange.Merge(run, activity, options, mask));
        foreach (var (activity, changed) in chosen.Zip(merged))
            run.Activities.Change(activity, changed);
        return merged[^1];
    }

    private static List<ActivityState> Choose(WorkflowRun run, WhichActivities which)
    {
        run.RequireOpen();
        List<ActivityState> chosen = which switch
        {
            { Id: { } id } => run.Activities.FindById(id) is { } activity ? [activity] : [],
            { Type: { } type } => [.. run.Activities.All.Where(a => a.Type == type)],
            { All: true } => [.. run.Activities.All],
            _ => [],
        };
        return chosen.Count > 0
            ? chosen
            : throw ServiceError.NotFound("Can't find pending activity with such ID. Invalid activityID or activity already completed");
    }

    /// <summary>Activities that are let go together start at different moments within the jitter.</summary>
    private static TimeSpan Delay(Duration? jitter) => jitter is null ? TimeSpan.Zero : jitter.ToTimeSpan() * Random.Shared.NextDouble();
}
