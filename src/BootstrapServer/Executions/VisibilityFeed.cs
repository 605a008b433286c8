using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Storage;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Tells visibility about a run when something that lists show has changed.</summary>
internal sealed class VisibilityFeed(VisibilityIndex index)
{
    /// <summary>Called with the run's lock held, for a change that is about to be committed.</summary>
    /// <returns>What the store has to keep of a run that closes; null for one that does not.</returns>
    public ClosedRun? Record(WorkflowRun run, bool always)
    {
        if (!always && !run.VisibleChange)
            return null;
        run.VisibleChange = false;
        var record = Describe(run);
        index.Put(record);
        return record.CloseTime is null ? null : ClosedRecords.Of(run.Key, record);
    }

    /// <summary>The closed run is durable: lists find it in the store.</summary>
    public void Stored(WorkflowRun run) => index.Forget(run.Name.NamespaceId, run.RunId);

    /// <summary>The run is deleted.</summary>
    public void Remove(WorkflowRun run) => index.Forget(run.Name.NamespaceId, run.RunId);

    public static ExecutionRecord Describe(WorkflowRun run) => Describe(run.Name, run.Start, run.State);

    public static ExecutionRecord Describe(RunName name, WorkflowExecutionStartedEventAttributes start, RunState state)
    {
        var closed = state.CloseTime is not null;
        return new ExecutionRecord
        {
            NamespaceId = name.NamespaceId,
            WorkflowId = name.WorkflowId,
            RunId = name.RunId,
            WorkflowType = start.WorkflowType.Name,
            TaskQueue = start.TaskQueue.Name,
            Status = state.Status,
            StartTime = state.StartTime,
            ExecutionTime = state.StartTime + (start.FirstWorkflowTaskBackoff?.ToTimeSpan() ?? TimeSpan.Zero),
            CloseTime = state.CloseTime,
            HistoryLength = closed ? state.NextEventId - 1 : 0,
            HistorySizeBytes = closed ? state.HistorySize : 0,
            StateTransitionCount = closed ? state.Transitions : 0,
            Memo = state.Memo,
            SearchAttributes = state.SearchAttributes,
            BuildIds = VersionAttributes.BuildIds(state),
            Version = VersionAttributes.Of(state.Versioning),
            ParentWorkflowId = start.ParentWorkflowExecution?.WorkflowId,
            ParentRunId = start.ParentWorkflowExecution?.RunId,
            RootWorkflowId = start.RootWorkflowExecution?.WorkflowId ?? name.WorkflowId,
            RootRunId = start.RootWorkflowExecution?.RunId ?? name.RunId,
            FirstRunId = start.FirstExecutionRunId,
        };
    }
}
