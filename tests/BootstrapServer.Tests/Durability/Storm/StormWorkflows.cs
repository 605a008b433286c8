using PlatformOps.BootstrapServer.Tests.Hosting;
using Temporalio.Activities;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.BootstrapServer.Tests.Durability.Storm;

/// <summary>Activities with retries and heartbeats, a local one, timers, a child, signals and an update.</summary>
[Workflow]
public class StormWorkflow
{
    private readonly List<string> notes = [];
    private string? heard;

    [WorkflowRun]
    public async Task<string> RunAsync(int wanted)
    {
        var attempts = await Workflow.ExecuteActivityAsync(() => StormActivities.FailFirst(), StormActivities.Options);
        await Workflow.DelayAsync(TimeSpan.FromMilliseconds(50));
        await Workflow.ExecuteActivityAsync(() => StormActivities.BeatAsync(), StormActivities.Options);
        await Workflow.ExecuteLocalActivityAsync(() => StockActivities.Echo("local"), new() { StartToCloseTimeout = TimeSpan.FromSeconds(5) });
        await Workflow.ExecuteChildWorkflowAsync((EchoWorkflow w) => w.RunAsync("child"), new() { Id = Workflow.Info.WorkflowId + "-child" });
        await Workflow.WaitConditionAsync(() => notes.Count >= wanted && heard is not null);
        return $"{string.Join(",", notes)} {heard} {(attempts > 1 ? "retried" : "not retried")}";
    }

    [WorkflowSignal]
    public Task NoteAsync(string note)
    {
        notes.Add(note);
        return Task.CompletedTask;
    }

    [WorkflowUpdate]
    public Task<string> HearAsync(string what)
    {
        heard = what;
        return Task.FromResult("heard " + what);
    }
}

/// <summary>Ends in its own way when it is asked to cancel.</summary>
[Workflow]
public class CarefulWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        try
        {
            await Workflow.WaitConditionAsync(() => false);
        }
        catch (OperationCanceledException)
        {
            return "careful";
        }
        return "never";
    }
}

/// <summary>Continues as new, hop by hop.</summary>
[Workflow]
public class HoppingWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync(int left)
    {
        await Workflow.DelayAsync(TimeSpan.FromMilliseconds(20));
        return left == 0 ? "arrived" : throw Workflow.CreateContinueAsNewException((HoppingWorkflow w) => w.RunAsync(left - 1));
    }
}

/// <summary>Waits for an activity that somebody else completes.</summary>
[Workflow]
public class AskingWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync() => Workflow.ExecuteActivityAsync(
        () => StormActivities.AskElsewhere(), new() { ActivityId = "asked", StartToCloseTimeout = TimeSpan.FromMinutes(2) });
}

/// <summary>Signals another workflow twice.</summary>
[Workflow]
public class SendingWorkflow
{
    [WorkflowRun]
    public async Task RunAsync(string target)
    {
        await Workflow.GetExternalWorkflowHandle<WaitingWorkflow>(target).SignalAsync(w => w.NoteAsync("sent"));
        await Workflow.GetExternalWorkflowHandle<WaitingWorkflow>(target).SignalAsync(w => w.FinishAsync("done"));
    }
}

public static class StormActivities
{
    /// <summary>Short timeouts: what a killed server forgot that a worker had is soon tried again.</summary>
    public static ActivityOptions Options { get; } = new()
    {
        StartToCloseTimeout = TimeSpan.FromSeconds(3),
        HeartbeatTimeout = TimeSpan.FromSeconds(2),
        RetryPolicy = new RetryPolicy { InitialInterval = TimeSpan.FromMilliseconds(50), MaximumInterval = TimeSpan.FromMilliseconds(500) },
    };

    [Activity]
    public static int FailFirst() => ActivityExecutionContext.Current.Info.Attempt is var attempt && attempt > 1 ? attempt : throw new ApplicationFailureException("once more");

    [Activity]
    public static async Task BeatAsync()
    {
        for (var beat = 0; beat < 3; beat++)
        {
            ActivityExecutionContext.Current.Heartbeat(beat);
            await Task.Delay(20, ActivityExecutionContext.Current.CancellationToken);
        }
    }

    [Activity]
    public static string AskElsewhere() => throw new CompleteAsyncException();
}
