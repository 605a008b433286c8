using System.Globalization;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Cancellations of other workflows that this workflow asked for and whose delivery is not known yet.</summary>
internal sealed class ExternalCancels(WorkflowRun run, RowSet rows)
{
    private readonly Pending<long, ExternalRequestState> pending = new(rows, RowKind.ExternalCancel);

    public int Count => pending.Count;

    public void Initiate(Command command, long completedEventId, Namespace target)
    {
        var asked = command.RequestCancelExternalWorkflowExecutionCommandAttributes;
        var item = run.Events.Add(EventType.RequestCancelExternalWorkflowExecutionInitiated, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            RequestCancelExternalWorkflowExecutionInitiatedEventAttributes = new RequestCancelExternalWorkflowExecutionInitiatedEventAttributes
            {
                WorkflowTaskCompletedEventId = completedEventId,
                Namespace = target.Name,
                NamespaceId = target.Id,
                WorkflowExecution = new WorkflowExecution { WorkflowId = asked.WorkflowId, RunId = asked.RunId },
                ChildWorkflowOnly = asked.ChildWorkflowOnly,
                Reason = asked.Reason,
            },
        });
        var state = new ExternalRequestState { InitiatedEventId = item.EventId, RequestId = Guid.NewGuid().ToString() };
        pending.Put(item.EventId, state);
        run.After(() => run.Engine.Background(run.Engine.ExternalRequests.CancelAsync(run, state, item)));
    }

    /// <summary>The request arrived, or could not: <paramref name="failed"/> says why.</summary>
    public void Ended(HistoryEvent initiated, CancelExternalWorkflowExecutionFailedCause? failed)
    {
        if (!run.IsOpen || pending.Find(initiated.EventId) is null)
            return;
        pending.Remove(initiated.EventId);
        var asked = initiated.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes;
        if (failed is { } cause)
        {
            run.Events.Add(EventType.RequestCancelExternalWorkflowExecutionFailed, new HistoryEvent
            {
                RequestCancelExternalWorkflowExecutionFailedEventAttributes = new RequestCancelExternalWorkflowExecutionFailedEventAttributes
                {
                    Cause = cause,
                    WorkflowTaskCompletedEventId = asked.WorkflowTaskCompletedEventId,
                    Namespace = asked.Namespace,
                    NamespaceId = asked.NamespaceId,
                    WorkflowExecution = asked.WorkflowExecution,
                    InitiatedEventId = initiated.EventId,
                },
            });
        }
        else
        {
            run.Events.Add(EventType.ExternalWorkflowExecutionCancelRequested, new HistoryEvent
            {
                ExternalWorkflowExecutionCancelRequestedEventAttributes = new ExternalWorkflowExecutionCancelRequestedEventAttributes
                {
                    InitiatedEventId = initiated.EventId,
                    Namespace = asked.Namespace,
                    NamespaceId = asked.NamespaceId,
                    WorkflowExecution = asked.WorkflowExecution,
                },
            });
        }
        run.WorkflowTasks.ScheduleIfNone();
    }

    /// <summary>Follows history, for a run that is reset. What has no answer yet is sent again.</summary>
    public void Rebuild(HistoryEvent item)
    {
        if (item.EventType == EventType.RequestCancelExternalWorkflowExecutionInitiated)
            pending.Put(item.EventId, new ExternalRequestState { InitiatedEventId = item.EventId, RequestId = Guid.NewGuid().ToString() });
        else
            pending.Remove(item.RequestCancelExternalWorkflowExecutionFailedEventAttributes?.InitiatedEventId ?? item.ExternalWorkflowExecutionCancelRequestedEventAttributes.InitiatedEventId);
    }

    public void Restore(string id, byte[] data) => pending.Restore(long.Parse(id, CultureInfo.InvariantCulture), data);

    public void Resume()
    {
        foreach (var state in pending.All.ToList())
            run.After(() => run.Engine.Background(run.Engine.ExternalRequests.CancelAsync(run, state, run.Engine.Histories.ReadEvent(run, state.InitiatedEventId))));
    }
}
