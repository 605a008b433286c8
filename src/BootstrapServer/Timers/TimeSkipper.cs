using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;

namespace PlatformOps.BootstrapServer.Timers;

/// <summary>
/// Moves the clock to the next deadline whenever nothing can run: no workflow task or activity with a worker or on its way to
/// one, nothing that a timer, call or step caused still under way, and nobody who locked time. It begins locked, as a Temporal
/// test server does.
/// </summary>
internal sealed class TimeSkipper : IDisposable
{
    private readonly VirtualClock clock;
    private readonly TimerQueue timers;
    private readonly WorkOnTheWay work;
    private readonly Action<Exception> onError;
    private readonly RunsAtWork runs;
    private readonly ITimer lookAgain;
    private readonly Lock gate = new();
    private int locks = 1;
    private int queued;

    public TimeSkipper(VirtualClock clock, TimerQueue timers, WorkOnTheWay work, MatchingEngine matching, Action<Exception> onError)
    {
        (this.clock, this.timers, this.work, this.onError) = (clock, timers, work, onError);
        runs = new RunsAtWork(matching);
        work.Arrived = TrySoon;
        // Workers live in real time: so does the patience with them.
        lookAgain = TimeProvider.System.CreateTimer(_ => TrySoon(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Called after each jump, once what became due with it has fired.</summary>
    public Action? Moved { get; set; }

    /// <summary>Time goes with the wall clock until <see cref="Release"/>. Calls nest.</summary>
    public void Hold()
    {
        lock (gate)
            locks++;
    }

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when nobody holds time.</exception>
    public void Release()
    {
        lock (gate)
            Unlock();
        TrySoon();
    }

    /// <summary>Looks at a run after each of its steps, with its lock held.</summary>
    public void Observe(WorkflowRun run) => runs.Observe(run);

    /// <summary>Completes when so much time has passed.</summary>
    public Task SleepAsync(TimeSpan duration, CancellationToken ct) => SleepUntilAsync(() => Now + duration, ct);

    /// <summary>Completes when the clock shows this time.</summary>
    public Task SleepUntilAsync(DateTimeOffset until, CancellationToken ct) => SleepUntilAsync(() => until, ct);

    /// <summary>
    /// Lets time go for so long, and not a moment further. When nobody holds time it is an activity that sleeps while a client
    /// waits for the result: what holds time then is the activity itself.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when neither holds time.</exception>
    public async Task ReleaseForAsync(TimeSpan duration, CancellationToken ct)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = 0;
        bool ofActivity;
        TimerEntry entry;
        using (work.Begin())
        {
            lock (gate)
            {
                ofActivity = locks == 0 && runs.LetOneSleep();
                if (!ofActivity)
                    Unlock();
            }
            // Held by the deadline itself: whoever waits for it wakes too late to stop the clock.
            entry = timers.Add(Now + duration, () =>
            {
                HoldAgain();
                over.TrySetResult();
            });
        }
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
            if (Interlocked.Exchange(ref held, 1) != 0)
                return;
            if (ofActivity)
                runs.OneIsAwake();
            else
                Hold();
        }
    }

    public void Dispose() => lookAgain.Dispose();

    private async Task SleepUntilAsync(Func<DateTimeOffset> until, CancellationToken ct)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TimerEntry entry;
        // The clock does not jump between a look at it and the deadline that follows from it.
        using (work.Begin())
            entry = timers.Add(until(), () => over.TrySetResult());
        await WaitAsync(over, entry, ct);
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

    private void Unlock()
    {
        if (locks == 0)
            throw ServiceError.InvalidArgument("Time skipping is not locked: an unlock needs a lock before it.");
        locks--;
    }

    /// <summary>Skips from another thread: whoever notices that nothing is on its way has work of its own.</summary>
    private void TrySoon()
    {
        if (Volatile.Read(ref locks) == 0 && Interlocked.Exchange(ref queued, 1) == 0)
            ThreadPool.QueueUserWorkItem(_ => Try());
    }

    private void Try()
    {
        try
        {
            Volatile.Write(ref queued, 0);
            while (work.WhenNone(Skip))
            {
                timers.FireDue();
                Moved?.Invoke();
            }
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
            if (locks > 0 || timers.Next is not { } next || runs.Busy(out var patience))
                return false;
            if (patience > TimeSpan.Zero)
            {
                lookAgain.Change(patience, Timeout.InfiniteTimeSpan);
                return false;
            }
            if (next - clock.GetUtcNow() is { Ticks: > 0 } ahead)
                clock.Skip(ahead);
            return true;
        }
    }
}
