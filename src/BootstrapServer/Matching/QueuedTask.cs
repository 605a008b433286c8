using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using Temporalio.Api.Common.V1;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>
/// Something for a worker. Queues do not know whether it is still wanted: who takes it out asks its run, with the stamp that
/// the task had when it was queued. That way nothing ever has to be taken out of the middle of a queue.
/// </summary>
internal abstract class QueuedTask(WorkflowRun run, Priority? priority)
{
    public const int Levels = 5;

    public const int DefaultLevel = 3;

    private const double LowestWeight = 0.001;

    public WorkflowRun Run => run;

    /// <summary>1 is first, 5 last.</summary>
    public int Level => priority is { PriorityKey: >= 1 and <= Levels } ? priority.PriorityKey : DefaultLevel;

    /// <summary>Whose task it is: within a level the keys take turns.</summary>
    public string FairnessKey => priority?.FairnessKey ?? "";

    /// <summary>How many turns the key gets, compared with others.</summary>
    public double FairnessWeight => priority is { FairnessWeight: > 0 } ? Math.Max(priority.FairnessWeight, LowestWeight) : 1;

    /// <summary>The version whose workers alone may have it; null when routing decides.</summary>
    public WorkerVersion? Pinned { get; init; }

    /// <summary>Goes to the ramping version, whatever its share.</summary>
    public bool UseRamping { get; init; }

    /// <summary>Wall clock: how long it waits is what backlog statistics say.</summary>
    public long QueuedAt { get; set; }
}

internal sealed class WorkflowTaskItem(WorkflowRun run, int stamp, bool sticky, Priority? priority) : QueuedTask(run, priority)
{
    public int Stamp => stamp;

    public bool Sticky => sticky;
}

internal sealed class ActivityTaskItem(WorkflowRun run, long scheduledEventId, int stamp, Priority? priority) : QueuedTask(run, priority)
{
    public long ScheduledEventId => scheduledEventId;

    public int Stamp => stamp;
}

/// <summary>A query on its way to a worker without a workflow task.</summary>
internal sealed class QueryItem(DirectQuery query, int attempt, bool sticky) : QueuedTask(query.Run, priority: null)
{
    public DirectQuery Query => query;

    public bool Sticky => sticky;

    /// <summary>False when the query went to another queue, or nobody waits for it any more.</summary>
    public bool TryTake() => query.TryTake(attempt);
}
