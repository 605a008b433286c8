using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Deployments;

/// <summary>Runs a child on its own queue, once told to.</summary>
[Workflow]
public class FamilyWorkflow
{
    private bool go;

    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => go);
        return await Workflow.ExecuteChildWorkflowAsync((EchoWorkflow w) => w.RunAsync("child"), new() { Id = Workflow.Info.WorkflowId + "-child" });
    }

    [WorkflowSignal]
    public Task GoAsync()
    {
        go = true;
        return Task.CompletedTask;
    }
}

/// <summary>Continues as new, once told to; the second run ends.</summary>
[Workflow]
public class ContinuingWorkflow
{
    private bool go;

    [WorkflowRun]
    public async Task<string> RunAsync(int round)
    {
        if (round > 0)
            return "continued";
        await Workflow.WaitConditionAsync(() => go);
        throw Workflow.CreateContinueAsNewException((ContinuingWorkflow w) => w.RunAsync(round + 1));
    }

    [WorkflowSignal]
    public Task GoAsync()
    {
        go = true;
        return Task.CompletedTask;
    }
}

/// <summary>Runs an activity for each signal.</summary>
[Workflow]
public class StepwiseWorkflow
{
    private readonly Queue<string> asked = new();
    private bool done;

    [WorkflowRun]
    public async Task RunAsync()
    {
        while (true)
        {
            await Workflow.WaitConditionAsync(() => done || asked.Count > 0);
            if (done)
                return;
            await Workflow.ExecuteActivityAsync(() => StockActivities.Echo(asked.Dequeue()), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
        }
    }

    [WorkflowSignal]
    public Task StepAsync(string name)
    {
        asked.Enqueue(name);
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task EndAsync()
    {
        done = true;
        return Task.CompletedTask;
    }
}
