using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions.Starting;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Talking;

/// <summary>
/// Starts a child: creates its run, lets the parent's history know, then gives the child its first workflow task. Done again
/// after a crash it finds the run that it created before, by request id.
/// </summary>
internal sealed class ChildStarter(Engine engine)
{
    public async Task StartAsync(WorkflowRun parent, ChildState child, HistoryEvent initiated)
    {
        var asked = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        lock (parent.Gate)
        {
            if (!parent.IsOpen)
                return; // it closed in the workflow task that asked for the child: nobody would know of it
        }
        if (engine.Namespaces.FindById(asked.NamespaceId) is not { } ns)
        {
            await parent.StepAsync(() => parent.Children.CouldNotStart(child, StartChildWorkflowExecutionFailedCause.NamespaceNotFound, asked.WorkflowTaskCompletedEventId));
            return;
        }
        WorkflowRun run;
        try
        {
            run = Reconnected(ns, parent, child) ?? (await engine.Starter.StartAsync(ns, Inheriting(ns, parent, child, initiated))).Run;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            await parent.StepAsync(() => parent.Children.CouldNotStart(child, StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists, asked.WorkflowTaskCompletedEventId));
            return;
        }
        await parent.StepAsync(() => parent.Children.Started(child, run.Start.FirstExecutionRunId, asked.Header));
        await BeginAsync(run);
    }

    /// <summary>Gives a child that has none its first workflow task.</summary>
    public static Task BeginAsync(WorkflowRun child) => child.StepAsync(() =>
    {
        if (child.IsOpen && child.State.LastCompletedEventId == 0 && !child.WorkflowTasks.IsPending)
            child.WorkflowTasks.ScheduleFirst();
    });

    /// <summary>The child that the run started from which the parent is reset, when it asked for it before the reset point.</summary>
    private WorkflowRun? Reconnected(Namespace ns, WorkflowRun parent, ChildState child)
    {
        if (parent.State.BaseRunId is null || parent.State.BaseEventId < child.InitiatedEventId
            || engine.FindLatest(ns, child.WorkflowId) is not { Start.ParentWorkflowExecution: { } asked } found || asked.WorkflowId != parent.WorkflowId)
            return null;
        var original = parent.Start.OriginalExecutionRunId;
        return asked.RunId == original || engine.TryFind(parent.Namespace, asked.WorkflowId, asked.RunId)?.Start.OriginalExecutionRunId == original ? found : null;
    }

    /// <summary>The start of the child, with what the parent hands on of its version.</summary>
    private StartRequest Inheriting(Namespace ns, WorkflowRun parent, ChildState child, HistoryEvent initiated)
    {
        var asked = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        var request = Request(parent, child, initiated);
        var sameNamespace = ns == parent.Namespace;
        lock (parent.Gate)
        {
            VersionInheritance.IntoChild(
                parent.State.Versioning, request.Start, sameNamespace && asked.TaskQueue.Name == parent.TaskQueue,
                version => sameNamespace && engine.Deployments.Serves(ns, asked.TaskQueue.Name, version));
        }
        return request;
    }

    private static StartRequest Request(WorkflowRun parent, ChildState child, HistoryEvent initiated)
    {
        var asked = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        var start = new WorkflowExecutionStartedEventAttributes
        {
            WorkflowType = asked.WorkflowType,
            ParentWorkflowNamespace = parent.Namespace.Name,
            ParentWorkflowNamespaceId = parent.Namespace.Id,
            ParentWorkflowExecution = new WorkflowExecution { WorkflowId = parent.WorkflowId, RunId = parent.RunId },
            ParentInitiatedEventId = child.InitiatedEventId,
            // A workflow without parents is its own root, and history leaves that unsaid.
            RootWorkflowExecution = parent.Start.RootWorkflowExecution ?? new WorkflowExecution { WorkflowId = parent.WorkflowId, RunId = parent.RunId },
            TaskQueue = asked.TaskQueue,
            Input = asked.Input,
            WorkflowExecutionTimeout = asked.WorkflowExecutionTimeout,
            WorkflowRunTimeout = asked.WorkflowRunTimeout,
            WorkflowTaskTimeout = asked.WorkflowTaskTimeout,
            RetryPolicy = asked.RetryPolicy is null ? null : RetryBackoff.WithDefaults(asked.RetryPolicy),
            CronSchedule = asked.CronSchedule,
            Memo = asked.Memo,
            SearchAttributes = asked.SearchAttributes,
            Header = asked.Header,
            FirstWorkflowTaskBackoff = new Google.Protobuf.WellKnownTypes.Duration(),
            Priority = Priorities.Merge(parent.State.Priority, asked.Priority),
            VersioningOverride = asked.VersioningOverride,
            WorkflowId = asked.WorkflowId,
        };
        StartRequest.Complete(start);
#pragma warning disable CS0612 // Deprecated, and still sent by SDKs.
        var terminateIfRunning = asked.WorkflowIdReusePolicy == WorkflowIdReusePolicy.TerminateIfRunning;
#pragma warning restore CS0612
        return new StartRequest
        {
            WorkflowId = asked.WorkflowId,
            RequestId = child.RequestId,
            Identity = "history-service",
            Start = start,
            Reuse = terminateIfRunning ? WorkflowIdReusePolicy.AllowDuplicate : asked.WorkflowIdReusePolicy,
            Conflict = terminateIfRunning ? WorkflowIdConflictPolicy.TerminateExisting : WorkflowIdConflictPolicy.Fail,
            UserMetadata = initiated.UserMetadata,
            ScheduleFirstTask = false,
        };
    }
}
