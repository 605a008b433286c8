using System.Diagnostics;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// One queue and its waiting pollers, in a lane per version of its workers. A task that finds a poller never enters the
/// backlog, unless a rate limit makes it wait. Times of polls are the wall clock's, since workers live in real time whatever
/// the workflows' clock says; limits go by the server's clock.
/// </summary>
internal sealed class TaskQueue(QueueName name, bool sticky, TimerQueue timers, TimeProvider clock)
{
    /// <summary>How long after its last poll a poller still counts as there.</summary>
    private static readonly TimeSpan RecentPoll = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RememberPoller = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly LaneSet lanes = new(sticky);
    private QueueRates? rates;
    private TimerEntry? wake;
    private bool retired;

    public string Name => name.Name;

    public bool IsSticky => sticky;

    public bool HasRecentPoller
    {
        get
        {
            lock (gate)
                return lanes.AnyPolledWithin(RecentPoll);
        }
    }

    /// <summary>True when a worker of this version polled lately.</summary>
    public bool HasPollerOf(WorkerVersion? version)
    {
        lock (gate)
            return lanes.Find(version)?.PolledWithin(RememberPoller) == true;
    }

    /// <summary>Hands the task to the poller that waits longest, or queues it. False when the queue is retired: ask for a new one.</summary>
    public bool Add(QueuedTask task)
    {
        lock (gate)
        {
            if (retired)
                return false;
            var lane = lanes.Of(task);
            lane.CountAdded(task);
            if (lane.Backlog.Count > 0 || rates is not null || !HandOver(lane, task))
            {
                Enqueue(lane, task);
                if (rates is not null)
                    Dispatch(lane);
            }
            return true;
        }
    }

    /// <summary>The next task; none when none came in time. A caller that goes away hands a task that it was given back.</summary>
    public async Task<Polled> PollAsync(PollerSighting poller, TimeSpan patience, CancellationToken ct)
    {
        Lane lane;
        LinkedListNode<Waiter> node;
        lock (gate)
        {
            lane = lanes.Of(poller);
            lane.Seen(poller);
            LimitFromWorker(poller);
            if (TakeAllowed(lane) is { } waiting)
            {
                lane.CountDispatched(waiting);
                return new Polled(waiting, lane.ScalingDecision(TimeSpan.Zero, limited: rates is not null));
            }
            node = lane.Waiters.AddLast(new Waiter(poller.WorkerKey));
        }
        using var patienceEnds = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patienceEnds.CancelAfter(patience);
        await using var _ = patienceEnds.Token.Register(() => Withdraw(lane, node));
        var task = await node.Value.Task.Task;
        int scaling;
        lock (gate)
        {
            if (lane.LastPoll != 0)
                lane.PollEnded();
            scaling = task is null ? 0 : lane.ScalingDecision(Stopwatch.GetElapsedTime(poller.At), limited: rates is not null);
        }
        if (task is null || !ct.IsCancellationRequested)
            return new Polled(task, scaling);
        Add(task); // for another poller that may be waiting already
        return default;
    }

    /// <summary>A task that was taken is not wanted any more: it does not count for the limit.</summary>
    public void GiveBack()
    {
        if (rates is null)
            return;
        lock (gate)
            rates?.GiveBack();
    }

    /// <summary>Ends the waiting of all pollers: their worker shuts down.</summary>
    public void ReleasePollers()
    {
        lock (gate)
        {
            foreach (var lane in lanes.All)
                lane.ReleaseAll();
        }
    }

    /// <summary>Ends the waiting polls of one worker, which shuts down.</summary>
    public void ReleasePollsOf(string workerKey)
    {
        lock (gate)
        {
            foreach (var lane in lanes.All)
                lane.Release(workerKey);
        }
    }

    /// <summary>Gives the queue up when nobody uses it.</summary>
    public bool TryRetire()
    {
        lock (gate)
        {
            retired = retired || !lanes.All.Any(IsActive);
            return retired;
        }
    }

    /// <summary>Routing changed: what waits and is not pinned goes where it belongs now.</summary>
    public void Reroute(Func<QueueName, QueueRoute?> routeOf)
    {
        lock (gate)
        {
            lanes.Route = routeOf(name);
            var waiting = lanes.All.SelectMany(l => l.Backlog.Drain()).OrderBy(t => t.QueuedAt).ToList();
            foreach (var task in waiting)
            {
                var lane = lanes.Of(task);
                lane.Backlog.Add(task, rates?.Weights);
            }
            foreach (var lane in lanes.All)
                Dispatch(lane);
        }
    }

    /// <summary>Takes an operator's settings for the queue.</summary>
    public void Configure(QueueConfigs configs)
    {
        lock (gate)
        {
            var config = configs.Find(name);
            if (config is null && rates is null)
                return;
            (rates ??= new QueueRates()).Configure(config, clock.GetUtcNow());
            RatesChanged();
        }
    }

    /// <param name="version">Of which workers; all when left out.</param>
    public QueueStatus Describe(Func<WorkerVersion?, bool>? version = null)
    {
        lock (gate)
        {
            var shown = lanes.ByVersion.Where(l => version is null || version(l.Version)).Select(l => l.Lane.Describe()).ToList();
            return new QueueStatus(LaneStatus.Sum(shown), rates?.PerSecond ?? QueueRates.Unlimited, rates?.Source ?? RateLimitSource.System, IsHeldBack);
        }
    }

    /// <summary>The versions whose workers polled lately, or that have tasks waiting.</summary>
    public IReadOnlyList<WorkerVersion?> ActiveVersions
    {
        get
        {
            lock (gate)
            {
                return [.. lanes.ByVersion.Where(l => IsActive(l.Lane)).Select(l => l.Version)];
            }
        }
    }

    private static bool IsActive(Lane lane) => lane.Backlog.Count > 0 || lane.PolledWithin(RememberPoller);

    /// <summary>Tasks wait although they could go, if it were not for a limit.</summary>
    private bool IsHeldBack => rates is not null && rates.Ready > clock.GetUtcNow() && lanes.All.Any(l => l.Backlog.Count > 0);

    private static bool HandOver(Lane lane, QueuedTask task)
    {
        while (lane.Waiters.First is { } first)
        {
            lane.Waiters.RemoveFirst();
            if (!first.Value.Task.TrySetResult(task))
                continue;
            lane.CountDispatched(task);
            return true;
        }
        return false;
    }

    private void Enqueue(Lane lane, QueuedTask task)
    {
        task.QueuedAt = Stopwatch.GetTimestamp();
        lane.Backlog.Add(task, rates?.Weights);
    }

    /// <summary>Hands out what waits, as far as pollers wait and limits let it.</summary>
    private void Dispatch(Lane lane)
    {
        while (lane.Waiters.Count > 0 && TakeAllowed(lane) is { } task)
        {
            if (!HandOver(lane, task))
                lane.Backlog.Add(task, rates?.Weights);
        }
    }

    /// <summary>The next task of a lane that no limit holds back; when one does, the queue wakes once it does not any more.</summary>
    private QueuedTask? TakeAllowed(Lane lane)
    {
        if (lane.Backlog.Count == 0)
            return null;
        if (rates is null)
            return lane.Backlog.TakeNext();
        var now = clock.GetUtcNow();
        if (rates.Ready > now)
        {
            WakeAt(rates.Ready);
            return null;
        }
        lane.Backlog.Unpark(now, rates.Weights);
        while (lane.Backlog.TakeNext() is { } task)
        {
            var ready = rates.ReadyOf(task);
            if (ready <= now)
            {
                rates.Take(task, now);
                return task;
            }
            lane.Backlog.Park(task, ready);
        }
        if (lane.Backlog.NextParked is { } next)
            WakeAt(next);
        return null;
    }

    private void LimitFromWorker(PollerSighting poller)
    {
        if (name.Type != TaskQueueType.Activity || (rates is null && poller.TasksPerSecond is null))
            return;
        if ((rates ??= new QueueRates()).SetByWorker(poller.TasksPerSecond, clock.GetUtcNow()))
            RatesChanged();
    }

    private void RatesChanged()
    {
        timers.Cancel(wake);
        wake = null;
        if (!rates!.IsLimited && rates.Weights is null && rates.Source == RateLimitSource.System)
            rates = null;
        foreach (var lane in lanes.All)
            Dispatch(lane);
    }

    private void WakeAt(DateTimeOffset at)
    {
        if (at == DateTimeOffset.MaxValue || (wake is { Taken: false } && wake.Due <= at))
            return;
        timers.Cancel(wake);
        wake = timers.Add(at, OnWake);
    }

    private void OnWake()
    {
        lock (gate)
        {
            wake = null;
            foreach (var lane in lanes.All)
                Dispatch(lane);
        }
    }

    private void Withdraw(Lane lane, LinkedListNode<Waiter> node)
    {
        lock (gate)
        {
            if (node.List is not null)
                lane.Waiters.Remove(node);
        }
        node.Value.Task.TrySetResult(null);
    }
}

/// <summary>What a poll brought.</summary>
/// <param name="Scaling">What the worker should change about its number of polls.</param>
internal readonly record struct Polled(QueuedTask? Task, int Scaling);

/// <param name="HeldBack">Tasks wait only because of the limit.</param>
internal sealed record QueueStatus(LaneStatus Lanes, double TasksPerSecond, RateLimitSource LimitSource, bool HeldBack);
