using System.Globalization;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Signals from this workflow to others whose delivery is not known yet.</summary>
internal sealed class ExternalSignals(WorkflowRun run, RowSet rows)
{
    private readonly Pending<long, ExternalRequestState> pending = new(rows, RowKind.ExternalSignal);

    public int Count => pending.Count;

    public void Initiate(Command command, long completedEventId, Namespace target)
    {
        var asked = command.SignalExternalWorkflowExecutionCommandAttributes;
        var item = run.Events.Add(EventType.SignalExternalWorkflowExecutionInitiated, new HistoryEvent
        {
            UserMetadata = command.UserMetadata,
            SignalExternalWorkflowExecutionInitiatedEventAttributes = new SignalExternalWorkflowExecutionInitiatedEventAttributes
            {
                WorkflowTaskCompletedEventId = completedEventId,
                Namespace = target.Name,
                NamespaceId = target.Id,
                WorkflowExecution = asked.Execution,
                SignalName = asked.SignalName,
                Input = asked.Input,
                ChildWorkflowOnly = asked.ChildWorkflowOnly,
                Header = asked.Header,
            },
        });
        var state = new ExternalRequestState { InitiatedEventId = item.EventId, RequestId = Guid.NewGuid().ToString() };
        pending.Put(item.EventId, state);
        run.After(() => run.Engine.Background(run.Engine.ExternalRequests.SignalAsync(run, state, item)));
    }

    /// <summary>The signal arrived, or could not: <paramref name="failed"/> says why.</summary>
    public void Ended(HistoryEvent initiated, SignalExternalWorkflowExecutionFailedCause? failed)
    {
        if (!run.IsOpen || pending.Find(initiated.EventId) is null)
            return;
        pending.Remove(initiated.EventId);
        var asked = initiated.SignalExternalWorkflowExecutionInitiatedEventAttributes;
        if (failed is { } cause)
        {
            run.Events.Add(EventType.SignalExternalWorkflowExecutionFailed, new HistoryEvent
            {
                SignalExternalWorkflowExecutionFailedEventAttributes = new SignalExternalWorkflowExecutionFailedEventAttributes
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
            run.Events.Add(EventType.ExternalWorkflowExecutionSignaled, new HistoryEvent
            {
                ExternalWorkflowExecutionSignaledEventAttributes = new ExternalWorkflowExecutionSignaledEventAttributes
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
        if (item.EventType == EventType.SignalExternalWorkflowExecutionInitiated)
            pending.Put(item.EventId, new ExternalRequestState { InitiatedEventId = item.EventId, RequestId = Guid.NewGuid().ToString() });
        else
            pending.Remove(item.SignalExternalWorkflowExecutionFailedEventAttributes?.InitiatedEventId ?? item.ExternalWorkflowExecutionSignaledEventAttributes.InitiatedEventId);
    }

    public void Restore(string id, byte[] data) => pending.Restore(long.Parse(id, CultureInfo.InvariantCulture), data);

    /// <summary>After recovery: sent again with the same request id, which the target knows if it arrived before.</summary>
    public void Resume()
    {
        foreach (var state in pending.All.ToList())
            run.After(() => run.Engine.Background(run.Engine.ExternalRequests.SignalAsync(run, state, run.Engine.Histories.ReadEvent(run, state.InitiatedEventId))));
    }
}
