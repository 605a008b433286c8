using PlatformOps.PlatformWorkflows.Tests.Hosting;
using Temporalio.Activities;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Holds an activity until a test lets it go on.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits until an activity stands before it.</summary>
    public Task ReachedAsync() => reached.Task.WaitAsync(Wait.Patience);

    public void Open() => opened.TrySetResult();

    /// <summary>Called by an activity that is cancelled already and takes its time.</summary>
    public Task LingerAsync()
    {
        reached.TrySetResult();
        return opened.Task;
    }

    /// <summary>Called by the activity. Heartbeats, so that a cancellation reaches it while it waits.</summary>
    public async Task PassAsync()
    {
        var activity = ActivityExecutionContext.Current;
        reached.TrySetResult();
        while (!opened.Task.IsCompleted)
        {
            activity.Heartbeat();
            await Task.WhenAny(opened.Task, Task.Delay(TimeSpan.FromMilliseconds(25), activity.CancellationToken));
            activity.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
