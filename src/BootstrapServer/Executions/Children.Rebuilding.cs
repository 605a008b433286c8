using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>How pending children follow from history, for a run that is reset.</summary>
internal sealed partial class Children
{
    public void Rebuild(HistoryEvent item)
    {
        if (item.EventType == EventType.StartChildWorkflowExecutionInitiated)
        {
            Pend(item);
            return;
        }
        if (pending.Find(Child(item)) is not { } child)
            return;
        if (item.EventType == EventType.ChildWorkflowExecutionStarted)
        {
            child.StartedEventId = item.EventId;
            child.RunId = item.ChildWorkflowExecutionStartedEventAttributes.WorkflowExecution.RunId;
        }
        else
        {
            pending.Remove(child.InitiatedEventId);
        }
    }

    /// <summary>Something that happened to a child after the reset point, which the new run has to hear too if the child is its own.</summary>
    public void Reapply(HistoryEvent item)
    {
        if (pending.Find(Child(item)) is not { } child || (item.EventType == EventType.ChildWorkflowExecutionStarted && child.StartedEventId != 0))
            return;
        var again = item.Clone();
        again.EventTime = null;
        switch (item.EventType)
        {
            case EventType.ChildWorkflowExecutionStarted:
                child.RunId = item.ChildWorkflowExecutionStartedEventAttributes.WorkflowExecution.RunId;
                child.StartedEventId = EventLog.Waiting;
                pending.Put(child.InitiatedEventId, child);
                break;
            case EventType.StartChildWorkflowExecutionFailed:
                again.StartChildWorkflowExecutionFailedEventAttributes.WorkflowTaskCompletedEventId = 0;
                pending.Remove(child.InitiatedEventId);
                break;
            default:
                ChildClose.SetStarted(again, child.StartedEventId);
                pending.Remove(child.InitiatedEventId);
                break;
        }
        run.Events.Add(item.EventType, again);
    }

    private ChildState Pend(HistoryEvent item)
    {
        var asked = item.StartChildWorkflowExecutionInitiatedEventAttributes;
        var child = new ChildState
        {
            InitiatedEventId = item.EventId,
            NamespaceName = asked.Namespace,
            NamespaceId = asked.NamespaceId,
            WorkflowId = asked.WorkflowId,
            Type = asked.WorkflowType.Name,
            ParentClosePolicy = asked.ParentClosePolicy,
            RequestId = Guid.NewGuid().ToString(),
        };
        pending.Put(child.InitiatedEventId, child);
        return child;
    }

    /// <summary>The initiated event of the child that an event speaks of.</summary>
    private static long Child(HistoryEvent item) => item.AttributesCase switch
    {
        HistoryEvent.AttributesOneofCase.StartChildWorkflowExecutionFailedEventAttributes => item.StartChildWorkflowExecutionFailedEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionStartedEventAttributes => item.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCompletedEventAttributes => item.ChildWorkflowExecutionCompletedEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionFailedEventAttributes => item.ChildWorkflowExecutionFailedEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCanceledEventAttributes => item.ChildWorkflowExecutionCanceledEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTimedOutEventAttributes => item.ChildWorkflowExecutionTimedOutEventAttributes.InitiatedEventId,
        HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTerminatedEventAttributes => item.ChildWorkflowExecutionTerminatedEventAttributes.InitiatedEventId,
        _ => 0,
    };
}
