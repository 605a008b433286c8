using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>Finds the workflow task that "the first", "the last" or "the first of a build" means, for those who reset many workflows at once.</summary>
internal static class ResetPointFinder
{
    private const int PageSize = 1000;

    /// <summary>The run to reset, which may be an earlier one, and the event id for <c>workflow_task_finish_event_id</c>.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when the workflow has no such point.</exception>
    public static async Task<(WorkflowRun Run, long EventId)> FindAsync(WorkflowRun run, ResetOptions options) => options.TargetCase switch
    {
        ResetOptions.TargetOneofCase.FirstWorkflowTask => (run, await FirstAsync(run)),
        ResetOptions.TargetOneofCase.LastWorkflowTask => (run, await LastAsync(run)),
        ResetOptions.TargetOneofCase.WorkflowTaskId => (run, options.WorkflowTaskId),
        ResetOptions.TargetOneofCase.BuildId => FirstOfBuild(run, options.BuildId, options.CurrentRunOnly),
        _ => throw ServiceError.InvalidArgument("A reset needs a target: first or last workflow task, event id, or build id."),
    };

    /// <summary>As above, for the older way to ask.</summary>
    public static async Task<(WorkflowRun Run, long EventId)> FindAsync(WorkflowRun run, ResetType type) => type switch
    {
        ResetType.FirstWorkflowTask => (run, await FirstAsync(run)),
        ResetType.LastWorkflowTask => (run, await LastAsync(run)),
        _ => throw ServiceError.InvalidArgument($"Reset type {type} is not supported."),
    };

    private static async Task<long> FirstAsync(WorkflowRun run)
    {
        var end = await EndAsync(run);
        var scheduled = 0L;
        for (var from = 1L; from < end; from += PageSize)
        {
            foreach (var item in run.Engine.Histories.Read(run.Key, from, Math.Min(end, from + PageSize)))
            {
                if (item.EventType == EventType.WorkflowTaskCompleted)
                    return item.EventId;
                if (scheduled == 0 && item.EventType == EventType.WorkflowTaskScheduled)
                    scheduled = item.EventId;
            }
        }
        return AfterScheduled(scheduled);
    }

    private static async Task<long> LastAsync(WorkflowRun run)
    {
        var end = await EndAsync(run);
        var scheduled = 0L;
        for (var before = end; before > 1; before -= PageSize)
        {
            foreach (var item in run.Engine.Histories.Read(run.Key, Math.Max(1, before - PageSize), before).AsEnumerable().Reverse())
            {
                if (item.EventType == EventType.WorkflowTaskCompleted)
                    return item.EventId;
                if (item.EventType == EventType.WorkflowTaskScheduled)
                    scheduled = item.EventId;
            }
        }
        return AfterScheduled(scheduled);
    }

    private static (WorkflowRun Run, long EventId) FirstOfBuild(WorkflowRun run, string buildId, bool currentRunOnly)
    {
        var points = run.State.ResetPoints;
        if (points?.Points.FirstOrDefault(p => p.BuildId == buildId) is not { } point)
            throw ServiceError.InvalidArgument($"Can't find reset point for {buildId}");
        if (!point.Resettable)
            throw ServiceError.InvalidArgument($"Reset point for {buildId} is not resettable");
        if (point.ExpireTime is { } expires && expires.ToDateTimeOffset() < run.Now)
            throw ServiceError.InvalidArgument($"Reset point for {buildId} is expired");
        if (point.RunId == run.RunId)
            return (run, point.FirstWorkflowTaskCompletedId);
        if (currentRunOnly)
            throw ServiceError.InvalidArgument($"Reset point for {buildId} points to previous run and CurrentRunOnly is set");
        var earlier = run.Engine.Find(run.Namespace, new WorkflowExecution { WorkflowId = run.WorkflowId, RunId = point.RunId });
        return (earlier, point.FirstWorkflowTaskCompletedId);
    }

    /// <summary>A workflow of which no task was completed can go back to where its first one began.</summary>
    private static long AfterScheduled(long scheduled) => scheduled != 0
        ? scheduled + 1
        : throw ServiceError.InvalidArgument("unable to find any scheduled or completed task");

    /// <summary>Where the history ends that can be read from the store.</summary>
    private static async Task<long> EndAsync(WorkflowRun run)
    {
        long end;
        lock (run.Gate)
            end = run.Events.NextEventId;
        await run.Engine.Store.Flushed();
        return end;
    }
}
