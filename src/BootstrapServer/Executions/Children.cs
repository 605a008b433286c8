using System.Globalization;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The children of a workflow. A child is started in three steps, each its own transaction, so that it runs only once its
/// parent's history knows its run: initiated here, created, and then, started here, it gets its first workflow task.
/// </summary>
internal sealed partial class Children
{
    private readonly WorkflowRun run;
    private readonly Pending<long, ChildState> pending;

    public Children(WorkflowRun run, EventLog events, RowSet rows)
    {
        this.run = run;
        pending = new Pending<long, ChildState>(rows, RowKind.Child);
        events.ChildStarted = (initiatedEventId, startedEventId) =>
        {
            if (pending.Find(initiatedEventId) is not { } child)
                return;
            child.StartedEventId = startedEventId;
            pending.Put(initiatedEventId, child);
        };
    }

    public int Count => pending.Count;

    /// <summary>A child was asked for and is not known to run yet.</summary>
    public bool AnyStarting => pending.All.Any(c => c.StartedEventId == 0);

    public IEnumerable<ChildState> All => pending.All;

    public void Initiate(Command command, long completedEventId, Namespace target)
    {
        var asked = command.StartChildWorkflowExecutionCommandAttributes;
        var queue = asked.TaskQueue is { Name.Length: > 0 } named ? named.Name : run.TaskQueue;
        var item = run.Events.Add(EventType.StartChildWorkflowExecutionInitiated, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            StartChildWorkflowExecutionInitiatedEventAttributes = new StartChildWorkflowExecutionInitiatedEventAttributes
            {
                Namespace = target.Name,
                NamespaceId = target.Id,
                WorkflowId = asked.WorkflowId,
                WorkflowType = asked.WorkflowType,
                TaskQueue = new Temporalio.Api.TaskQueue.V1.TaskQueue { Name = queue, Kind = TaskQueueKind.Normal },
                Input = asked.Input,
                WorkflowExecutionTimeout = asked.WorkflowExecutionTimeout,
                WorkflowRunTimeout = asked.WorkflowRunTimeout,
                WorkflowTaskTimeout = asked.WorkflowTaskTimeout is { } given && given.ToTimeSpan() > TimeSpan.Zero ? given : run.Start.WorkflowTaskTimeout,
                ParentClosePolicy = asked.ParentClosePolicy == ParentClosePolicy.Unspecified ? ParentClosePolicy.Terminate : asked.ParentClosePolicy,
                WorkflowTaskCompletedEventId = completedEventId,
                WorkflowIdReusePolicy = asked.WorkflowIdReusePolicy == WorkflowIdReusePolicy.Unspecified ? WorkflowIdReusePolicy.AllowDuplicate : asked.WorkflowIdReusePolicy,
                RetryPolicy = asked.RetryPolicy,
                CronSchedule = asked.CronSchedule,
                Header = asked.Header,
                Memo = asked.Memo,
                SearchAttributes = asked.SearchAttributes,
                Priority = asked.Priority,
                VersioningOverride = asked.VersioningOverride,
            },
        });
        var child = Pend(item);
        run.After(() => run.Engine.Background(run.Engine.ChildStarter.StartAsync(run, child, item)));
    }

    public ChildState? Find(long initiatedEventId) => pending.Find(initiatedEventId);

    public bool IsChild(string workflowId, string runId) =>
        pending.All.Any(c => c.WorkflowId == workflowId && (runId.Length == 0 || c.RunId == runId));

    public void Started(ChildState child, string runId, Header? header)
    {
        if (!run.IsOpen || pending.Find(child.InitiatedEventId) is not { StartedEventId: 0 } waiting)
            return;
        waiting.RunId = runId;
        waiting.StartedEventId = EventLog.Waiting;
        pending.Put(waiting.InitiatedEventId, waiting);
        run.Events.Add(EventType.ChildWorkflowExecutionStarted, new HistoryEvent
        {
            ChildWorkflowExecutionStartedEventAttributes = new ChildWorkflowExecutionStartedEventAttributes
            {
                Namespace = waiting.NamespaceName,
                NamespaceId = waiting.NamespaceId,
                InitiatedEventId = waiting.InitiatedEventId,
                WorkflowExecution = new WorkflowExecution { WorkflowId = waiting.WorkflowId, RunId = runId },
                WorkflowType = new WorkflowType { Name = waiting.Type },
                Header = header,
            },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    public void CouldNotStart(ChildState child, StartChildWorkflowExecutionFailedCause cause, long completedEventId)
    {
        if (!run.IsOpen || pending.Find(child.InitiatedEventId) is not { StartedEventId: 0 })
            return;
        pending.Remove(child.InitiatedEventId);
        run.Events.Add(EventType.StartChildWorkflowExecutionFailed, new HistoryEvent
        {
            StartChildWorkflowExecutionFailedEventAttributes = new StartChildWorkflowExecutionFailedEventAttributes
            {
                Namespace = child.NamespaceName,
                NamespaceId = child.NamespaceId,
                WorkflowId = child.WorkflowId,
                WorkflowType = new WorkflowType { Name = child.Type },
                Cause = cause,
                InitiatedEventId = child.InitiatedEventId,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>The child ended; <paramref name="close"/> is its closing event.</summary>
    public void Closed(long initiatedEventId, string workflowId, string firstRunId, string runId, HistoryEvent close)
    {
        // After a reset the same event may have started another child.
        if (!run.IsOpen || pending.Find(initiatedEventId) is not { } child || child.WorkflowId != workflowId || (child.RunId.Length > 0 && child.RunId != firstRunId))
            return;
        if (child.StartedEventId == 0)
            Started(child, firstRunId, null);
        pending.Remove(initiatedEventId);
        var (type, item) = ChildClose.Describe(child, runId, close);
        run.Events.Add(type, item);
        run.WorkflowTasks.ScheduleIfNone();
    }

    public void Restore(string id, byte[] data) => pending.Restore(long.Parse(id, CultureInfo.InvariantCulture), data);

    /// <summary>After recovery: children that were initiated but perhaps not started are started, with the same request id.</summary>
    public void Resume()
    {
        foreach (var child in pending.All.Where(c => c.StartedEventId == 0).ToList())
        {
            var initiated = run.Engine.Histories.ReadEvent(run, child.InitiatedEventId);
            run.After(() => run.Engine.Background(run.Engine.ChildStarter.StartAsync(run, child, initiated)));
        }
    }
}
