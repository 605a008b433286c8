using Temporalio.Activities;
using Temporalio.Workflows;

namespace PlatformOps.Bench.Server;

/// <summary>One activity that does nothing: what is measured is everything around it.</summary>
[Workflow]
public class OneActivityWorkflow
{
    [WorkflowRun]
    public async Task RunAsync() => await Workflow.ExecuteActivityAsync(() => LoadActivities.Nothing(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(5) });
}

/// <summary>Many activities at once, of one workflow.</summary>
[Workflow]
public class WideWorkflow
{
    [WorkflowRun]
    public Task RunAsync(int activities) => Workflow.WhenAllAsync(Enumerable.Range(0, activities).Select(
        _ => Workflow.ExecuteActivityAsync(() => LoadActivities.Nothing(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(5), DisableEagerActivityExecution = true })));
}

/// <summary>Answers updates until it is told to end.</summary>
[Workflow]
public class UpdatedWorkflow
{
    private bool over;

    [WorkflowRun]
    public Task RunAsync() => Workflow.WaitConditionAsync(() => over);

    [WorkflowUpdate]
    public Task<int> AddAsync(int number) => Task.FromResult(number + 1);

    [WorkflowSignal]
    public Task EndAsync()
    {
        over = true;
        return Task.CompletedTask;
    }
}

/// <summary>Waits to be measured.</summary>
[Workflow]
public class IdleWorkflow
{
    [WorkflowRun]
    public Task RunAsync() => Workflow.WaitConditionAsync(() => false);
}

/// <summary>The activities of the load.</summary>
public static class LoadActivities
{
    [Activity]
    public static void Nothing()
    {
    }
}
