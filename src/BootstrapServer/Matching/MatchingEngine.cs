using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// All task queues. Nothing of them is stored: what waits in a queue follows from the runs' state, and recovery queues it again.
/// </summary>
internal sealed class MatchingEngine
{
    /// <summary>How long a poll waits when its caller has more patience than that.</summary>
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);

    /// <summary>What an answer needs to reach the caller before its deadline.</summary>
    private static readonly TimeSpan BeforeDeadline = TimeSpan.FromMilliseconds(500);

    private const int DefaultPriority = 3;

    private readonly ConcurrentDictionary<(string NamespaceId, string Name, TaskQueueType Type), TaskQueue> queues = new();

    public void AddWorkflowTask(WorkflowRun run, int stamp, string queue, bool sticky) =>
        Add(run.Namespace, queue, TaskQueueType.Workflow, sticky, new WorkflowTaskItem(run, stamp, sticky, PriorityOf(run.State.Priority)));

    public void AddActivityTask(WorkflowRun run, long scheduledEventId, int stamp, string queue) =>
        Add(run.Namespace, queue, TaskQueueType.Activity, sticky: false, new ActivityTaskItem(run, scheduledEventId, stamp, PriorityOf(run.Activities.Find(scheduledEventId)?.Priority)));

    public void AddQuery(DirectQuery query, string queue, bool sticky) =>
        Add(query.Run.Namespace, queue, TaskQueueType.Workflow, sticky, new QueryItem(query, query.NextAttempt(), sticky));

    /// <summary>The next task of a queue; null when none came before the caller's patience, or a minute, ended.</summary>
    public async Task<QueuedTask?> PollAsync(Namespace ns, string queue, TaskQueueType type, bool sticky, string identity, WorkerDeploymentOptions? deployment, ServerCallContext call)
    {
        var patience = call.Deadline == DateTime.MaxValue ? LongestPoll : call.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime - BeforeDeadline;
        if (patience > LongestPoll)
            patience = LongestPoll;
        if (patience <= TimeSpan.Zero)
            return null;
        var poller = new PollerSighting(identity, Stopwatch.GetTimestamp(), TimeProvider.System.GetUtcNow(), deployment);
        return await Queue(ns, queue, type, sticky).PollAsync(poller, patience, call.CancellationToken);
    }

    public bool HasRecentPoller(Namespace ns, string stickyQueue) =>
        queues.TryGetValue((ns.Id, stickyQueue, TaskQueueType.Workflow), out var queue) && queue.HasRecentPoller;

    public TaskQueue? Find(Namespace ns, string queue, TaskQueueType type) => queues.GetValueOrDefault((ns.Id, queue, type));

    /// <summary>A worker shuts down: the polls of its own queue end.</summary>
    public void ReleaseSticky(Namespace ns, string queue)
    {
        if (Find(ns, queue, TaskQueueType.Workflow) is { IsSticky: true } sticky)
            sticky.ReleasePollers();
    }

    private static int PriorityOf(Priority? priority) => priority is { PriorityKey: >= 1 and <= 5 } ? priority.PriorityKey : DefaultPriority;

    private void Add(Namespace ns, string queue, TaskQueueType type, bool sticky, QueuedTask task)
    {
        while (!Queue(ns, queue, type, sticky).Add(task))
            queues.TryRemove((ns.Id, queue, type), out _);
    }

    private TaskQueue Queue(Namespace ns, string name, TaskQueueType type, bool sticky)
    {
        if (queues.TryGetValue((ns.Id, name, type), out var found))
            return found;
        ForgetUnused();
        return queues.GetOrAdd((ns.Id, name, type), _ => new TaskQueue(name, sticky));
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
