using Temporalio.Activities;

namespace PlatformOps.Activities;

/// <summary>Says of a long activity that it goes on: when its worker is lost another one takes it up after the heartbeat timeout, rather than after all of its time.</summary>
internal static class Heartbeats
{
    /// <summary>Many times within any heartbeat timeout in use; the SDK sends only as many as the server needs. By the wall clock: the server waits by it, whatever clock the work goes by.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>Does the work, and says every few seconds that it goes on and how far it is.</summary>
    /// <param name="work">Is given what takes its progress.</param>
    public static async Task<T> WhileAsync<T>(Func<Action<string>, Task<T>> work)
    {
        var context = ActivityExecutionContext.Current;
        var progress = "Begun.";
        using var done = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var beating = BeatAsync();
        try
        {
            return await work(said => progress = said);
        }
        finally
        {
            await done.CancelAsync();
            await beating;
        }

        async Task BeatAsync()
        {
            while (!done.IsCancellationRequested)
            {
                context.Heartbeat(progress);
                await Task.Delay(Every, TimeProvider.System, done.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    /// <inheritdoc cref="WhileAsync{T}(Func{Action{string}, Task{T}})"/>
    public static Task<T> WhileAsync<T>(Func<Task<T>> work) => WhileAsync(_ => work());
}
