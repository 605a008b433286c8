using PlatformOps.BootstrapServer.Visibility;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Tells visibility about a run when something that lists show has changed.</summary>
internal sealed class VisibilityFeed(IEnumerable<IVisibilityStore> stores)
{
    private readonly IVisibilityStore[] stores = [.. stores];

    public void Record(WorkflowRun run, bool always)
    {
        if (stores.Length == 0 || !(always || run.VisibleChange))
            return;
        run.VisibleChange = false;
        var record = Describe(run);
        foreach (var store in stores)
            store.Put(record);
    }

    public void Remove(WorkflowRun run)
    {
        foreach (var store in stores)
            store.Remove(run.Name.NamespaceId, run.RunId);
    }

    public static ExecutionRecord Describe(WorkflowRun run) => new()
    {
        NamespaceId = run.Name.NamespaceId,
        WorkflowId = run.WorkflowId,
        RunId = run.RunId,
        WorkflowType = run.Start.WorkflowType.Name,
        TaskQueue = run.TaskQueue,
        Status = run.State.Status,
        StartTime = run.State.StartTime,
        ExecutionTime = run.ExecutionTime,
        CloseTime = run.State.CloseTime,
        HistoryLength = run.IsOpen ? 0 : run.State.NextEventId - 1,
        HistorySizeBytes = run.IsOpen ? 0 : run.State.HistorySize,
        StateTransitionCount = run.IsOpen ? 0 : run.State.Transitions,
        Memo = run.State.Memo,
        SearchAttributes = run.State.SearchAttributes,
        ParentWorkflowId = run.Start.ParentWorkflowExecution?.WorkflowId,
        ParentRunId = run.Start.ParentWorkflowExecution?.RunId,
        RootWorkflowId = run.Start.RootWorkflowExecution?.WorkflowId,
        RootRunId = run.Start.RootWorkflowExecution?.RunId,
        FirstRunId = run.Start.FirstExecutionRunId,
    };
}
