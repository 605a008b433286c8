using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Timers;

/// <summary>
/// Moves the clock to the next deadline whenever nothing can run: no workflow task, no activity with a worker, nothing on its
/// way between workflows, and nobody who holds time. It begins held, as a Temporal test server does.
/// </summary>
internal sealed class TimeSkipper(VirtualClock clock, TimerQueue timers, Action<Exception> onError)
{
    private readonly Lock gate = new();
    private int holders = 1;
    private long busyRuns;
    private int queued;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Time goes with the wall clock until <see cref="Release"/>. Calls nest.</summary>
    public void Hold()
    {
        lock (gate)
            holders++;
    }

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when nobody holds time.</exception>
    public void Release()
    {
        lock (gate)
        {
            if (holders == 0)
                throw ServiceError.InvalidArgument("Time skipping is not locked: an unlock needs a lock before it.");
            holders--;
        }
        TrySoon();
    }

    /// <summary>Looks at a run after each of its steps, with its lock held.</summary>
    public void Observe(WorkflowRun run)
    {
        var busy = run.IsBusy;
        if (busy != run.CountsAsBusy)
        {
            run.CountsAsBusy = busy;
            Interlocked.Add(ref busyRuns, busy ? 1 : -1);
        }
        if (Interlocked.Read(ref busyRuns) == 0)
            TrySoon();
    }

    /// <summary>Completes when the clock shows this time.</summary>
    public async Task SleepUntilAsync(DateTimeOffset until, CancellationToken ct)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entry = timers.Add(until, () => over.TrySetResult());
        TrySoon();
        await WaitAsync(over, entry, ct);
    }

    /// <summary>Lets time go until the clock shows this, and not a moment further.</summary>
    public async Task ReleaseUntilAsync(DateTimeOffset until, CancellationToken ct)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = 0;
        // Held by the deadline itself: whoever waits for it wakes too late to stop the clock.
        var entry = timers.Add(until, () =>
        {
            HoldAgain();
            over.TrySetResult();
        });
        Release();
        try
        {
            await WaitAsync(over, entry, ct);
        }
        finally
        {
            HoldAgain();
        }

        void HoldAgain()
        {
            if (Interlocked.Exchange(ref held, 1) == 0)
                Hold();
        }
    }

    private async Task WaitAsync(TaskCompletionSource over, TimerEntry entry, CancellationToken ct)
    {
        try
        {
            await over.Task.WaitAsync(ct);
        }
        finally
        {
            timers.Cancel(entry);
        }
    }

    /// <summary>Skips from another thread: runs call this with their lock held.</summary>
    private void TrySoon()
    {
        if (Interlocked.Exchange(ref queued, 1) == 0)
            ThreadPool.QueueUserWorkItem(_ => Try());
    }

    private void Try()
    {
        try
        {
            Volatile.Write(ref queued, 0);
            while (Skip())
                timers.FireDue();
        }
        catch (Exception e)
        {
            onError(e);
        }
    }

    private bool Skip()
    {
        lock (gate)
        {
            if (holders > 0 || Interlocked.Read(ref busyRuns) > 0 || timers.Next is not { } next)
                return false;
            if (next - clock.GetUtcNow() is { Ticks: > 0 } ahead)
                clock.Skip(ahead);
            return true;
        }
    }
}
