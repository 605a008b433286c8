using PlatformOps.BootstrapServer.Executions;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// Something for a worker. Queues do not know whether it is still wanted: who takes it out asks its run, with the stamp that
/// the task had when it was queued. That way nothing ever has to be taken out of the middle of a queue.
/// </summary>
internal abstract class QueuedTask(int priority)
{
    /// <summary>1 is first, 5 last.</summary>
    public int Priority => priority;

    /// <summary>Wall clock: how long it waits is what backlog statistics say.</summary>
    public long QueuedAt { get; set; }
}

internal sealed class WorkflowTaskItem(WorkflowRun run, int stamp, bool sticky, int priority) : QueuedTask(priority)
{
    public WorkflowRun Run => run;

    public int Stamp => stamp;

    public bool Sticky => sticky;
}

internal sealed class ActivityTaskItem(WorkflowRun run, long scheduledEventId, int stamp, int priority) : QueuedTask(priority)
{
    public WorkflowRun Run => run;

    public long ScheduledEventId => scheduledEventId;

    public int Stamp => stamp;
}

/// <summary>A query on its way to a worker without a workflow task.</summary>
internal sealed class QueryItem(DirectQuery query, int attempt, bool sticky) : QueuedTask(priority: 3)
{
    public DirectQuery Query => query;

    public bool Sticky => sticky;

    /// <summary>False when the query went to another queue, or nobody waits for it any more.</summary>
    public bool TryTake() => query.TryTake(attempt);
}
