using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Activity.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What operators do to the pending activities of a workflow: one by id, all of a type, or all.</summary>
internal sealed class ActivityControlCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<PauseActivityResponse> PauseActivity(PauseActivityRequest request, ServerCallContext context)
    {
        var which = new Which(request.HasId ? request.Id : null, request.HasType ? request.Type : null, false);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != PauseActivityRequest.ActivityOneofCase.None);
        await run.StepAsync(() =>
        {
            var pause = new PauseState { Since = run.Now, Identity = request.Identity, Reason = request.Reason, RequestId = request.RequestId };
            foreach (var activity in Choose(run, which))
                run.Activities.Pause(activity, pause);
        });
        return new PauseActivityResponse();
    }

    public async Task<UnpauseActivityResponse> UnpauseActivity(UnpauseActivityRequest request, ServerCallContext context)
    {
        var which = new Which(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasUnpauseAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != UnpauseActivityRequest.ActivityOneofCase.None);
        await run.StepAsync(() =>
        {
            foreach (var activity in Choose(run, which))
                run.Activities.Unpause(activity, request.ResetAttempts, request.ResetHeartbeat, Delay(request.Jitter));
        });
        return new UnpauseActivityResponse();
    }

    public async Task<ResetActivityResponse> ResetActivity(ResetActivityRequest request, ServerCallContext context)
    {
        var which = new Which(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasMatchAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != ResetActivityRequest.ActivityOneofCase.None);
        await run.StepAsync(() =>
        {
            foreach (var activity in Choose(run, which))
            {
                if (request.RestoreOriginalOptions)
                    run.Activities.Change(activity, ActivityOptionsChange.Original(run, activity));
                run.Activities.Reset(activity, request.ResetHeartbeat, request.KeepPaused, Delay(request.Jitter));
            }
        });
        return new ResetActivityResponse();
    }

    public async Task<UpdateActivityOptionsResponse> UpdateActivityOptions(UpdateActivityOptionsRequest request, ServerCallContext context)
    {
        var which = new Which(request.HasId ? request.Id : null, request.HasType ? request.Type : null, request.HasMatchAll);
        var run = Find(request.Namespace, request.Execution, request.ActivityCase != UpdateActivityOptionsRequest.ActivityOneofCase.None);
        RequestChecks.Priority(request.ActivityOptions?.Priority);
        if (request.RestoreOriginal && request.UpdateMask is { Paths.Count: > 0 })
            throw ServiceError.InvalidArgument("Both UpdateMask and RestoreOriginal are provided");
        var shown = await run.StepAsync(() => request.RestoreOriginal ? Restore(run, which) : Update(run, which, request.ActivityOptions, request.UpdateMask));
        return new UpdateActivityOptionsResponse { ActivityOptions = shown };
    }

    private static ActivityOptions Restore(WorkflowRun run, Which which)
    {
        ActivityOptions shown = new();
        foreach (var activity in Choose(run, which))
            run.Activities.Change(activity, shown = ActivityOptionsChange.Original(run, activity));
        return shown;
    }

    /// <summary>All of them are checked before the first is changed.</summary>
    private static ActivityOptions Update(WorkflowRun run, Which which, ActivityOptions? options, FieldMask? mask)
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

    private static List<ActivityState> Choose(WorkflowRun run, Which which)
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

    private WorkflowRun Find(string namespaceName, WorkflowExecution? execution, bool activityGiven)
    {
        var ns = engine.Namespaces.Get(namespaceName);
        RequestChecks.Execution(execution);
        if (!activityGiven)
            throw ServiceError.InvalidArgument("Either activity id or activity type must be provided.");
        return engine.Find(ns, execution);
    }

    private sealed record Which(string? Id, string? Type, bool All);
}
