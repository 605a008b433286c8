using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Update.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>Updates of a run that is reset: those from before the reset point, and those that are delivered again.</summary>
internal sealed partial class Updates
{
    public void Rebuild(HistoryEvent item)
    {
        switch (item.EventType)
        {
            case EventType.WorkflowExecutionUpdateAdmitted:
                var admittedId = item.WorkflowExecutionUpdateAdmittedEventAttributes.Request.Meta.UpdateId;
                run.Requests.Add(item.WorkflowExecutionUpdateAdmittedEventAttributes.Request.RequestId, item.EventType);
                known.Put(admittedId, new UpdateState { AdmittedEventId = item.EventId });
                break;
            case EventType.WorkflowExecutionUpdateAccepted:
                var acceptedId = item.WorkflowExecutionUpdateAcceptedEventAttributes.ProtocolInstanceId;
                run.Requests.Add(item.WorkflowExecutionUpdateAcceptedEventAttributes.AcceptedRequest?.RequestId ?? "", item.EventType);
                known.Put(acceptedId, new UpdateState { AdmittedEventId = known.Find(acceptedId)?.AdmittedEventId ?? 0, AcceptedEventId = item.EventId });
                break;
            default:
                var completed = item.WorkflowExecutionUpdateCompletedEventAttributes;
                known.Put(completed.Meta.UpdateId, new UpdateState { AcceptedEventId = completed.AcceptedEventId, CompletedEventId = item.EventId });
                break;
        }
        run.Requests.Placed(item);
    }

    /// <summary>Delivers an update again that a worker accepted after the reset point. This time it is durable before any worker sees it.</summary>
    public void AdmitAgain(Request request, UpdateAdmittedEventOrigin origin)
    {
        var updateId = request.Meta.UpdateId;
        run.Requests.Add(request.RequestId, EventType.WorkflowExecutionUpdateAdmitted);
        var item = run.Events.Add(EventType.WorkflowExecutionUpdateAdmitted, new HistoryEvent
        {
            WorkflowExecutionUpdateAdmittedEventAttributes = new WorkflowExecutionUpdateAdmittedEventAttributes { Request = request, Origin = origin },
        });
        run.Requests.Placed(item);
        known.Put(updateId, new UpdateState { AdmittedEventId = item.EventId });
        AdmittedByHistory(updateId);
    }

    /// <summary>Brings updates to life that history admitted and no worker answered.</summary>
    public void Resume()
    {
        foreach (var (updateId, _) in known.Entries.Where(u => u.Value is { AcceptedEventId: 0, CompletedEventId: 0 }).OrderBy(u => u.Value.AdmittedEventId).ToList())
        {
            if (!live.ContainsKey(updateId))
                AdmittedByHistory(updateId);
        }
        if (AnyToSend)
            run.WorkflowTasks.ScheduleIfNone();
    }

    private LiveUpdate AdmittedByHistory(string updateId) => live[updateId] = new LiveUpdate(updateId) { Order = ++admitted };
}
