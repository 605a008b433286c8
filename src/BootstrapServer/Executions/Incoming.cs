using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>What comes to a run from outside: signals and cancellations. Called within a step.</summary>
internal static class Incoming
{
    /// <param name="sender">The workflow that sends it, when a workflow does.</param>
    public static void Signal(
        WorkflowRun run, string name, Payloads? input, Header? header, string identity, string requestId, IEnumerable<Link>? links = null, WorkflowExecution? sender = null)
    {
        if (run.Requests.Seen(requestId))
            return;
        run.RequireOpen();
        if (run.State.SignalCount >= run.Engine.Limits.SignalsPerRun)
            throw ServiceError.InvalidArgument("exceeded workflow execution limit for signal events");
        AddSignal(run, name, input, header, identity, requestId, links, sender);
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>Puts a signal into history, and nothing more.</summary>
    public static void AddSignal(
        WorkflowRun run, string name, Payloads? input, Header? header, string identity, string requestId, IEnumerable<Link>? links, WorkflowExecution? sender)
    {
        run.Requests.Add(requestId, EventType.WorkflowExecutionSignaled);
        run.State.SignalCount++;
        var item = new HistoryEvent
        {
            WorkflowExecutionSignaledEventAttributes = new WorkflowExecutionSignaledEventAttributes
            {
                SignalName = name,
                Input = input,
                Identity = identity,
                Header = header,
                ExternalWorkflowExecution = sender,
                RequestId = requestId,
            },
        };
        item.Links.AddRange(links ?? []);
        run.Events.Add(EventType.WorkflowExecutionSignaled, item);
        run.Touch();
    }

    /// <summary>Changes options of a run: what callers attached to it, its priority, its version.</summary>
    public static void AddOptions(WorkflowRun run, WorkflowExecutionOptionsUpdatedEventAttributes options, IEnumerable<Link> links)
    {
        if (run.Requests.Seen(options.AttachedRequestId))
            return;
        var priorityBefore = run.State.Priority;
        var otherWorkers = NoteOptions(run, options);
        var item = new HistoryEvent { WorkerMayIgnore = true, WorkflowExecutionOptionsUpdatedEventAttributes = options };
        item.Links.AddRange(links);
        run.Events.Add(EventType.WorkflowExecutionOptionsUpdated, item);
        run.Touch();
        if (otherWorkers)
            RunVersions.MoveTasks(run);
        else if (!Equals(priorityBefore, run.State.Priority))
            run.WorkflowTasks.RescheduleWaiting();
    }

    /// <summary>What follows from changed options for the run's state.</summary>
    /// <returns>True when the run's tasks are for other workers now.</returns>
    public static bool NoteOptions(WorkflowRun run, WorkflowExecutionOptionsUpdatedEventAttributes options)
    {
        if (run.Requests.Add(options.AttachedRequestId, EventType.WorkflowExecutionOptionsUpdated))
            run.Callbacks.Attach(options.AttachedRequestId, options.AttachedCompletionCallbacks);
        if (options.Priority is { } priority)
            run.State.Priority = priority;
        return (options.VersioningOverride is not null || options.UnsetVersioningOverride) && RunVersions.Override(run, options.VersioningOverride);
    }

    /// <summary>Asks the run to cancel. One that ended, or was asked before, is fine as it is.</summary>
    public static void Cancel(
        WorkflowRun run, string reason, string identity, string requestId, IEnumerable<Link>? links = null, WorkflowExecution? sender = null, long senderEventId = 0)
    {
        if (!run.IsOpen || run.State.CancelRequested)
            return;
        run.State.CancelRequested = true;
        run.State.CancelRequestId = requestId;
        var item = new HistoryEvent
        {
            WorkflowExecutionCancelRequestedEventAttributes = new WorkflowExecutionCancelRequestedEventAttributes
            {
                Cause = reason,
                Identity = identity,
                ExternalInitiatedEventId = senderEventId,
                ExternalWorkflowExecution = sender,
            },
        };
        item.Links.AddRange(links ?? []);
        run.Events.Add(EventType.WorkflowExecutionCancelRequested, item);
        run.Touch();
        run.WorkflowTasks.EndFirstWait();
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>Refuses a request for a chain of runs that this run is not of.</summary>
    public static void RequireChain(WorkflowRun run, string firstRunId)
    {
        if (firstRunId.Length > 0 && run.Start.FirstExecutionRunId != firstRunId)
            throw ServiceError.NotFound("workflow execution not found");
    }

    /// <summary>Refuses a request that only a child of the sender may get.</summary>
    public static void RequireParent(WorkflowRun run, WorkflowRun parent)
    {
        // A parent that was reset has another run id than the one that its child knows.
        if (run.Start.ParentWorkflowExecution is not { } actual || actual.WorkflowId != parent.WorkflowId || (actual.RunId != parent.RunId && parent.State.BaseRunId is null))
            throw ServiceError.NotFound("workflow parent does not match");
    }
}
