using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What one run is doing, and taking it away.</summary>
internal sealed class DescribeCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<DescribeWorkflowExecutionResponse> DescribeWorkflowExecution(DescribeWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.Execution);
        var run = engine.Find(ns, request.Execution);
        DescribeWorkflowExecutionResponse response;
        lock (run.Gate)
            response = Describe(run);
        await engine.Store.Flushed();
        return response;
    }

    public async Task<DeleteWorkflowExecutionResponse> DeleteWorkflowExecution(DeleteWorkflowExecutionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        RequestChecks.Execution(request.WorkflowExecution);
        await engine.Deleter.DeleteAsync(engine.Find(ns, request.WorkflowExecution), "history-service");
        return new DeleteWorkflowExecutionResponse();
    }

    private DescribeWorkflowExecutionResponse Describe(WorkflowRun run)
    {
        var info = ExecutionInfo.Of(VisibilityFeed.Describe(run), engine.SearchAttributes);
        info.HistoryLength = run.State.NextEventId - 1;
        info.HistorySizeBytes = run.State.HistorySize;
        info.StateTransitionCount = run.State.Transitions;
        info.AutoResetPoints = run.State.ResetPoints ?? new ResetPoints();
        info.Priority = run.State.Priority;
        info.VersioningInfo = RunVersions.Describe(run);
        info.WorkerDeploymentName = run.State.Versioning?.WorkerDeployment ?? "";
        var response = new DescribeWorkflowExecutionResponse
        {
            ExecutionConfig = Config(run),
            WorkflowExecutionInfo = info,
            WorkflowExtendedInfo = new WorkflowExecutionExtendedInfo
            {
                CancelRequested = run.State.CancelRequested,
                OriginalStartTime = (run.State.OriginalStartTime ?? run.State.StartTime).ToTimestamp(),
                LastResetTime = run.State.BaseRunId is null ? null : run.State.StartTime.ToTimestamp(),
                PauseInfo = run.State.Pause is not { } pause ? null : new WorkflowExecutionPauseInfo { PausedTime = pause.Since.ToTimestamp(), Identity = pause.Identity, Reason = pause.Reason },
                ResetRunId = run.State.ResetRunId ?? "",
                RunExpirationTime = RunExpiration(run),
                ExecutionExpirationTime = run.Start.WorkflowExecutionExpirationTime,
            },
            PendingWorkflowTask = WorkflowTask(run),
        };
        response.Callbacks.AddRange(run.Callbacks.All.Select(CallbackInfos.Describe));
        foreach (var (requestId, caused) in RequestIdInfos(run))
            response.WorkflowExtendedInfo.RequestIdInfos[requestId] = caused;
        response.PendingActivities.AddRange(run.Activities.All.OrderBy(a => a.ScheduledEventId).Select(a => PendingActivities.Describe(a, run.Now)));
        response.PendingChildren.AddRange(run.Children.All.OrderBy(c => c.InitiatedEventId).Select(Child));
        return response;
    }

    /// <summary>The events that requests caused, by which links that name a request are followed.</summary>
    private static IEnumerable<(string RequestId, RequestIdInfo Info)> RequestIdInfos(WorkflowRun run)
    {
        if (run.State.StartRequestId.Length > 0)
            yield return (run.State.StartRequestId, new RequestIdInfo { EventType = EventType.WorkflowExecutionStarted, EventId = 1 });
        foreach (var (requestId, state) in run.Requests.All)
            yield return (requestId, new RequestIdInfo { EventType = state.Type, EventId = state.EventId, Buffered = state.EventId == 0 });
    }

    /// <summary>When the run times out: with the whole execution at the latest.</summary>
    private static Timestamp? RunExpiration(WorkflowRun run)
    {
        if (run.Start.WorkflowRunTimeout?.ToTimeSpan() is not { Ticks: > 0 } timeout)
            return null;
        var expires = (run.ExecutionTime + timeout).ToTimestamp();
        return run.Start.WorkflowExecutionExpirationTime is { } execution && execution < expires ? execution : expires;
    }

    private static WorkflowExecutionConfig Config(WorkflowRun run) => new()
    {
        TaskQueue = new TaskQueue { Name = run.TaskQueue, Kind = TaskQueueKind.Normal },
        WorkflowExecutionTimeout = run.Start.WorkflowExecutionTimeout,
        WorkflowRunTimeout = run.Start.WorkflowRunTimeout,
        DefaultWorkflowTaskTimeout = run.Start.WorkflowTaskTimeout,
        UserMetadata = run.State.UserMetadata,
    };

    private static PendingWorkflowTaskInfo? WorkflowTask(WorkflowRun run)
    {
        var task = run.WorkflowTasks.Current;
        if (!run.WorkflowTasks.IsPending || run.WorkflowTasks.IsSpeculative)
            return null;
        var original = task.OriginalScheduledTime == default ? task.ScheduledTime : task.OriginalScheduledTime;
        return new PendingWorkflowTaskInfo
        {
            State = run.WorkflowTasks.IsStarted ? PendingWorkflowTaskState.Started : PendingWorkflowTaskState.Scheduled,
            ScheduledTime = task.ScheduledTime.ToTimestamp(),
            OriginalScheduledTime = original.ToTimestamp(),
            StartedTime = run.WorkflowTasks.IsStarted ? task.StartedTime.ToTimestamp() : null,
            Attempt = task.Attempt,
        };
    }

    private static PendingChildExecutionInfo Child(ChildState child) => new()
    {
        WorkflowId = child.WorkflowId,
        RunId = child.RunId,
        WorkflowTypeName = child.Type,
        InitiatedId = child.InitiatedEventId,
        ParentClosePolicy = child.ParentClosePolicy,
    };
}
