using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Hosting;

/// <summary>Waits until it is told to finish, fail or stop.</summary>
[Workflow]
public class WaitingWorkflow
{
    private readonly List<string> received = [];
    private string? end;

    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => end is not null);
        return end == "fail" ? throw new ApplicationFailureException("told to", "Told") : $"{end}: {string.Join(",", received)}";
    }

    [WorkflowSignal]
    public Task FinishAsync(string how)
    {
        end = how;
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task NoteAsync(string what)
    {
        received.Add(what);
        return Task.CompletedTask;
    }

    [WorkflowQuery]
    public IReadOnlyList<string> Notes() => received;
}

/// <summary>Ends at once with what it was given.</summary>
[Workflow]
public class EchoWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync(string word) => Task.FromResult(word);
}

public static class StockActivities
{
    [Activity]
    public static string Echo(string word) => word;
}
