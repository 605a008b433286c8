using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Timers;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// All task queues. Nothing of them is stored but what operators set: what waits in a queue follows from the runs' state, and
/// recovery queues it again.
/// </summary>
internal sealed class MatchingEngine(QueueConfigs configs)
{
    /// <summary>How long a poll waits when its caller has more patience than that.</summary>
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);

    /// <summary>What an answer needs to reach the caller before its deadline.</summary>
    private static readonly TimeSpan BeforeDeadline = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<QueueName, TaskQueue> queues = new();
    private readonly ShutWorkers shutWorkers = new();
    private TimerQueue timers = null!;
    private TimeProvider clock = null!;
    private Func<QueueName, QueueRoute?> routeOf = null!;

    /// <summary>What the engine brings; before that no queue exists.</summary>
    public void Connect(TimerQueue engineTimers, TimeProvider engineClock, Func<QueueName, QueueRoute?> routes) =>
        (timers, clock, routeOf) = (engineTimers, engineClock, routes);

    public void AddWorkflowTask(WorkflowRun run, int stamp, string queue, bool sticky, WorkerVersion? pinned = null, bool useRamping = false) =>
        Add(run.Namespace, queue, TaskQueueType.Workflow, sticky, new WorkflowTaskItem(run, stamp, sticky, run.State.Priority) { Pinned = pinned, UseRamping = useRamping });

    public void AddActivityTask(WorkflowRun run, long scheduledEventId, int stamp, string queue, WorkerVersion? pinned = null) =>
        Add(run.Namespace, queue, TaskQueueType.Activity, sticky: false, new ActivityTaskItem(run, scheduledEventId, stamp, run.Activities.Find(scheduledEventId)?.Priority) { Pinned = pinned });

    public void AddQuery(DirectQuery query, string queue, bool sticky, WorkerVersion? pinned = null) =>
        Add(query.Run.Namespace, queue, TaskQueueType.Workflow, sticky, new QueryItem(query, query.NextAttempt(), sticky) { Pinned = pinned });

    /// <summary>The next task of a queue; none when none came before the caller's patience, or a minute, ended.</summary>
    public async Task<Polled> PollAsync(Namespace ns, string queue, TaskQueueType type, bool sticky, PollerSighting poller, ServerCallContext call)
    {
        var patience = call.Deadline == DateTime.MaxValue ? LongestPoll : call.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime - BeforeDeadline;
        if (patience > LongestPoll)
            patience = LongestPoll;
        if (patience <= TimeSpan.Zero || shutWorkers.Contains(poller.WorkerKey))
            return default;
        return await Queue(new QueueName(ns.Id, queue, type), sticky).PollAsync(poller, patience, call.CancellationToken);
    }

    public static PollerSighting Poller(string identity, string workerKey, WorkerDeploymentOptions? deployment, double? tasksPerSecond = null) =>
        new(identity, Stopwatch.GetTimestamp(), TimeProvider.System.GetUtcNow(), deployment) { WorkerKey = workerKey, TasksPerSecond = tasksPerSecond };

    /// <summary>A task that was taken is not wanted any more: it does not count for the queue's limit.</summary>
    public void GiveBack(Namespace ns, string queue, TaskQueueType type) => Find(ns, queue, type)?.GiveBack();

    public bool HasRecentPoller(Namespace ns, string stickyQueue) => Find(ns, stickyQueue, TaskQueueType.Workflow) is { HasRecentPoller: true };

    public TaskQueue? Find(Namespace ns, string queue, TaskQueueType type) => queues.GetValueOrDefault(new QueueName(ns.Id, queue, type));

    public TaskQueue? Find(QueueName queue) => queues.GetValueOrDefault(queue);

    /// <summary>A worker shuts down: the polls of its own queue end.</summary>
    public void ReleaseSticky(Namespace ns, string queue)
    {
        if (Find(ns, queue, TaskQueueType.Workflow) is { IsSticky: true } sticky)
            sticky.ReleasePollers();
    }

    /// <summary>A worker shuts down: its waiting polls end, and those that are still on their way bring nothing.</summary>
    public void ReleaseWorker(Namespace ns, string workerKey, IEnumerable<QueueName> polled)
    {
        if (workerKey.Length == 0)
            return;
        shutWorkers.Add(workerKey);
        foreach (var name in polled.Where(n => n.NamespaceId == ns.Id))
        {
            if (queues.TryGetValue(name, out var queue))
                queue.ReleasePollsOf(workerKey);
        }
    }

    /// <summary>What operators set for a queue.</summary>
    public TaskQueueConfig? ConfigOf(QueueName queue) => configs.Find(queue);

    /// <summary>Changes what is set for a queue; it counts at once.</summary>
    public async Task<TaskQueueConfig> ConfigureAsync(QueueName queue, Action<TaskQueueConfig> change)
    {
        var changed = await configs.ChangeAsync(queue, change);
        if (queues.TryGetValue(queue, out var found))
            found.Configure(configs);
        return changed;
    }

    /// <summary>Routing of a queue changed: what waits in it goes where it belongs now.</summary>
    public void RouteChanged(QueueName queue)
    {
        if (queues.TryGetValue(queue, out var found))
            found.Reroute(routeOf);
    }

    /// <summary>Forgets the settings of a namespace that goes away.</summary>
    public Task DeleteConfigsAsync(Namespace ns) => configs.DeleteAllAsync(ns.Id);

    private void Add(Namespace ns, string queue, TaskQueueType type, bool sticky, QueuedTask task)
    {
        var name = new QueueName(ns.Id, queue, type);
        while (!Queue(name, sticky).Add(task))
            queues.TryRemove(name, out _);
    }

    private TaskQueue Queue(QueueName name, bool sticky)
    {
        if (queues.TryGetValue(name, out var found))
            return found;
        ForgetUnused();
        var queue = queues.GetOrAdd(name, _ => new TaskQueue(name, sticky, timers, clock));
        if (!sticky)
        {
            queue.Configure(configs);
            queue.Reroute(routeOf);
        }
        return queue;
    }

    /// <summary>Every worker brings a sticky queue with a name of its own; those of workers that left are dropped here.</summary>
    private void ForgetUnused()
    {
        if (queues.Count < 256)
            return;
        foreach (var (key, queue) in queues)
        {
            if (queue.TryRetire())
                queues.TryRemove(key, out _);
        }
    }
}
