using System.Diagnostics;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// The part of a task queue that workers of one version serve, or workers without one: who waits for tasks, and which
/// tasks wait. Used under the queue's lock.
/// </summary>
internal sealed class Lane
{
    private static readonly TimeSpan RememberPoller = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, PollerSighting> pollers = [];
    private readonly RateMeter?[] added = new RateMeter?[QueuedTask.Levels];
    private readonly RateMeter?[] dispatched = new RateMeter?[QueuedTask.Levels];
    private long nextDecision;

    public LinkedList<Waiter> Waiters { get; } = new();

    public Backlog Backlog { get; } = new();

    public long LastPoll { get; private set; }

    public void Seen(PollerSighting poller)
    {
        LastPoll = Stopwatch.GetTimestamp();
        pollers[poller.Identity] = poller;
    }

    public void PollEnded() => LastPoll = Stopwatch.GetTimestamp();

    /// <summary>Ends all waiting polls, and forgets whose they were.</summary>
    public void ReleaseAll()
    {
        foreach (var waiter in Waiters)
            waiter.Task.TrySetResult(null);
        Waiters.Clear();
        pollers.Clear();
        LastPoll = 0;
    }

    /// <summary>A worker said goodbye: its polls end, and it does not count as one that polls any more.</summary>
    public void Release(string workerKey)
    {
        for (var node = Waiters.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.WorkerKey == workerKey)
            {
                Waiters.Remove(node);
                node.Value.Task.TrySetResult(null);
            }
            node = next;
        }
        foreach (var (identity, seen) in pollers)
        {
            if (seen.WorkerKey == workerKey)
                pollers.Remove(identity);
        }
        if (pollers.Count == 0)
            LastPoll = 0;
    }

    public bool PolledWithin(TimeSpan time) => Waiters.Count > 0 || (LastPoll != 0 && Stopwatch.GetElapsedTime(LastPoll) < time);

    public void CountAdded(QueuedTask task) => (added[task.Level - 1] ??= new RateMeter()).Count();

    public void CountDispatched(QueuedTask task) => (dispatched[task.Level - 1] ??= new RateMeter()).Count();

    /// <summary>Whether the worker would better poll more, or less: +1, -1, or 0 when it is well as it is.</summary>
    /// <param name="waited">How long the poll waited for its task.</param>
    /// <param name="limited">The queue has a rate limit: waiting says nothing then, and more polls would not help.</param>
    public int ScalingDecision(TimeSpan waited, bool limited)
    {
        if (limited)
            return 0;
        if (waited >= PollerScaling.Idle)
            return -1;
        if (Backlog.Count == 0)
            return 0;
        var now = Stopwatch.GetTimestamp();
        if (now < nextDecision)
            return 0;
        nextDecision = now + PollerScaling.Pause(pollers.Count);
        return PollerScaling.NeedsMore(Describe()) ? 1 : 0;
    }

    public LaneStatus Describe()
    {
        foreach (var (identity, seen) in pollers)
        {
            if (Stopwatch.GetElapsedTime(seen.At) > RememberPoller)
                pollers.Remove(identity);
        }
        var levels = Enumerable.Range(1, QueuedTask.Levels).Select(level => new LevelStatus(
            level,
            Backlog.CountOf(level),
            Backlog.OldestOf(level) is var oldest && oldest == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(oldest),
            added[level - 1]?.PerSecond ?? 0,
            dispatched[level - 1]?.PerSecond ?? 0));
        return new LaneStatus([.. pollers.Values], [.. levels], Backlog.Count);
    }
}

/// <summary>A poll that waits, and whose it is: a worker's key while it shuts down ends all of its polls.</summary>
internal sealed class Waiter(string workerKey)
{
    public string WorkerKey => workerKey;

    public TaskCompletionSource<QueuedTask?> Task { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>When and as whom a worker polled; <see cref="At"/> is a wall-clock timestamp.</summary>
internal sealed record PollerSighting(string Identity, long At, DateTimeOffset Time, Temporalio.Api.Deployment.V1.WorkerDeploymentOptions? Deployment)
{
    public string WorkerKey { get; init; } = "";

    /// <summary>The limit for its task queue that the worker sends; null when it sends none.</summary>
    public double? TasksPerSecond { get; init; }
}

/// <summary>What waits in one priority, and how fast tasks come and go.</summary>
internal sealed record LevelStatus(int Level, int Backlog, TimeSpan Age, double AddRate, double DispatchRate);

/// <param name="Backlog">With the tasks that their fairness key's limit holds back.</param>
internal sealed record LaneStatus(IReadOnlyList<PollerSighting> Pollers, IReadOnlyList<LevelStatus> Levels, int Backlog)
{
    public TimeSpan Age => Levels.Max(l => l.Age);

    public double AddRate => Levels.Sum(l => l.AddRate);

    public double DispatchRate => Levels.Sum(l => l.DispatchRate);

    /// <summary>Several lanes seen as one queue.</summary>
    public static LaneStatus Sum(IReadOnlyList<LaneStatus> lanes) => new(
        [.. lanes.SelectMany(l => l.Pollers)],
        [.. Enumerable.Range(1, QueuedTask.Levels).Select(level => SumOf(level, [.. lanes.Select(l => l.Levels[level - 1])]))],
        lanes.Sum(l => l.Backlog));

    private static LevelStatus SumOf(int level, LevelStatus[] all) => new(
        level,
        all.Sum(l => l.Backlog),
        all.Select(l => l.Age).DefaultIfEmpty(TimeSpan.Zero).Max(),
        all.Sum(l => l.AddRate),
        all.Sum(l => l.DispatchRate));
}
