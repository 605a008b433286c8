using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// One queue and its waiting pollers. A task that finds a poller never enters the queue. Times here are the wall clock's,
/// since workers live in real time whatever the workflows' clock says.
/// </summary>
internal sealed class TaskQueue(string name, bool sticky)
{
    private const int Priorities = 5;

    /// <summary>How long after its last poll a poller still counts as there.</summary>
    private static readonly TimeSpan RecentPoll = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RememberPoller = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly LinkedList<TaskCompletionSource<QueuedTask?>> waiters = new();
    private readonly Queue<QueuedTask>?[] backlog = new Queue<QueuedTask>?[Priorities];
    private readonly Dictionary<string, PollerSighting> pollers = [];
    private readonly RateMeter added = new();
    private readonly RateMeter dispatched = new();
    private int backlogCount;
    private long lastPoll;
    private bool retired;

    public string Name => name;

    public bool IsSticky => sticky;

    public bool HasRecentPoller
    {
        get
        {
            lock (gate)
                return waiters.Count > 0 || (lastPoll != 0 && Stopwatch.GetElapsedTime(lastPoll) < RecentPoll);
        }
    }

    public int BacklogCount
    {
        get
        {
            lock (gate)
                return backlogCount;
        }
    }

    /// <summary>Hands the task to the poller that waits longest, or queues it. False when the queue is retired: ask for a new one.</summary>
    public bool Add(QueuedTask task)
    {
        lock (gate)
        {
            if (retired)
                return false;
            added.Count();
            while (waiters.First is { } first)
            {
                waiters.RemoveFirst();
                if (first.Value.TrySetResult(task))
                {
                    dispatched.Count();
                    return true;
                }
            }
            Enqueue(task);
            return true;
        }
    }

    /// <summary>The next task; null when none came in time. A caller that goes away hands a task that it was given back.</summary>
    public async Task<QueuedTask?> PollAsync(PollerSighting poller, TimeSpan patience, CancellationToken ct)
    {
        LinkedListNode<TaskCompletionSource<QueuedTask?>> node;
        lock (gate)
        {
            lastPoll = Stopwatch.GetTimestamp();
            pollers[poller.Identity] = poller;
            if (Dequeue() is { } waiting)
            {
                dispatched.Count();
                return waiting;
            }
            node = waiters.AddLast(new TaskCompletionSource<QueuedTask?>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        using var patienceEnds = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patienceEnds.CancelAfter(patience);
        await using var _ = patienceEnds.Token.Register(() => Withdraw(node));
        var task = await node.Value.Task;
        lock (gate)
            lastPoll = Stopwatch.GetTimestamp();
        if (task is null || !ct.IsCancellationRequested)
            return task;
        Add(task); // for another poller that may be waiting already
        return null;
    }

    /// <summary>Ends the waiting of all pollers: their worker shuts down.</summary>
    public void ReleasePollers()
    {
        lock (gate)
        {
            foreach (var waiter in waiters)
                waiter.TrySetResult(null);
            waiters.Clear();
            lastPoll = 0;
            pollers.Clear();
        }
    }

    /// <summary>Gives the queue up when nobody uses it.</summary>
    public bool TryRetire()
    {
        lock (gate)
        {
            retired = retired || (waiters.Count == 0 && backlogCount == 0 && (lastPoll == 0 || Stopwatch.GetElapsedTime(lastPoll) > RememberPoller));
            return retired;
        }
    }

    public QueueStatus Describe()
    {
        lock (gate)
        {
            foreach (var (identity, seen) in pollers)
            {
                if (Stopwatch.GetElapsedTime(seen.At) > RememberPoller)
                    pollers.Remove(identity);
            }
            var oldest = backlog.Where(q => q is { Count: > 0 }).Select(q => q!.Peek().QueuedAt).DefaultIfEmpty(0).Min();
            return new QueueStatus(
                [.. pollers.Values],
                backlogCount,
                oldest == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(oldest),
                added.PerSecond,
                dispatched.PerSecond);
        }
    }

    private void Withdraw(LinkedListNode<TaskCompletionSource<QueuedTask?>> node)
    {
        lock (gate)
        {
            if (node.List is not null)
                waiters.Remove(node);
        }
        node.Value.TrySetResult(null);
    }

    private void Enqueue(QueuedTask task)
    {
        task.QueuedAt = Stopwatch.GetTimestamp();
        (backlog[task.Priority - 1] ??= new Queue<QueuedTask>()).Enqueue(task);
        backlogCount++;
    }

    private QueuedTask? Dequeue()
    {
        if (backlogCount == 0)
            return null;
        foreach (var queue in backlog)
        {
            if (queue is { Count: > 0 })
            {
                backlogCount--;
                return queue.Dequeue();
            }
        }
        return null;
    }
}

/// <summary>When and as whom a worker polled; <see cref="At"/> is a wall-clock timestamp.</summary>
internal sealed record PollerSighting(string Identity, long At, DateTimeOffset Time, Temporalio.Api.Deployment.V1.WorkerDeploymentOptions? Deployment);

internal sealed record QueueStatus(IReadOnlyList<PollerSighting> Pollers, int Backlog, TimeSpan BacklogAge, double AddRate, double DispatchRate);
