using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>How a child's closing event reads in its parent's history.</summary>
internal static class ChildClose
{
    /// <summary>Lets a closing event speak of another started event: the child was reconnected to a run that was reset.</summary>
    public static void SetStarted(HistoryEvent item, long startedEventId)
    {
        switch (item.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCompletedEventAttributes:
                item.ChildWorkflowExecutionCompletedEventAttributes.StartedEventId = startedEventId;
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionFailedEventAttributes:
                item.ChildWorkflowExecutionFailedEventAttributes.StartedEventId = startedEventId;
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCanceledEventAttributes:
                item.ChildWorkflowExecutionCanceledEventAttributes.StartedEventId = startedEventId;
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTimedOutEventAttributes:
                item.ChildWorkflowExecutionTimedOutEventAttributes.StartedEventId = startedEventId;
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTerminatedEventAttributes:
                item.ChildWorkflowExecutionTerminatedEventAttributes.StartedEventId = startedEventId;
                break;
        }
    }

    public static (EventType Type, HistoryEvent Event) Describe(ChildState child, string runId, HistoryEvent close)
    {
        var execution = new WorkflowExecution { WorkflowId = child.WorkflowId, RunId = runId };
        var type = new WorkflowType { Name = child.Type };
        var started = child.StartedEventId > 0 ? child.StartedEventId : 0; // filled in when the buffer empties
        return close.EventType switch
        {
            EventType.WorkflowExecutionCompleted => (EventType.ChildWorkflowExecutionCompleted, new HistoryEvent
            {
                ChildWorkflowExecutionCompletedEventAttributes = new ChildWorkflowExecutionCompletedEventAttributes
                {
                    Result = close.WorkflowExecutionCompletedEventAttributes.Result,
                    Namespace = child.NamespaceName,
                    NamespaceId = child.NamespaceId,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = started,
                },
            }),
            EventType.WorkflowExecutionFailed => (EventType.ChildWorkflowExecutionFailed, new HistoryEvent
            {
                ChildWorkflowExecutionFailedEventAttributes = new ChildWorkflowExecutionFailedEventAttributes
                {
                    Failure = close.WorkflowExecutionFailedEventAttributes.Failure,
                    Namespace = child.NamespaceName,
                    NamespaceId = child.NamespaceId,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = started,
                    RetryState = close.WorkflowExecutionFailedEventAttributes.RetryState,
                },
            }),
            EventType.WorkflowExecutionCanceled => (EventType.ChildWorkflowExecutionCanceled, new HistoryEvent
            {
                ChildWorkflowExecutionCanceledEventAttributes = new ChildWorkflowExecutionCanceledEventAttributes
                {
                    Details = close.WorkflowExecutionCanceledEventAttributes.Details,
                    Namespace = child.NamespaceName,
                    NamespaceId = child.NamespaceId,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = started,
                },
            }),
            EventType.WorkflowExecutionTimedOut => (EventType.ChildWorkflowExecutionTimedOut, new HistoryEvent
            {
                ChildWorkflowExecutionTimedOutEventAttributes = new ChildWorkflowExecutionTimedOutEventAttributes
                {
                    Namespace = child.NamespaceName,
                    NamespaceId = child.NamespaceId,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = started,
                    RetryState = close.WorkflowExecutionTimedOutEventAttributes.RetryState,
                },
            }),
            EventType.WorkflowExecutionTerminated => (EventType.ChildWorkflowExecutionTerminated, new HistoryEvent
            {
                ChildWorkflowExecutionTerminatedEventAttributes = new ChildWorkflowExecutionTerminatedEventAttributes
                {
                    Namespace = child.NamespaceName,
                    NamespaceId = child.NamespaceId,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = started,
                },
            }),
            _ => throw new InvalidOperationException($"{close.EventType} does not close a workflow."),
        };
    }
}
