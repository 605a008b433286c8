using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// Ids of requests that a run acted on, so that a client's retry of a call that was lost does nothing again, and the event
/// that each caused, so that links which name a request can be followed.
/// </summary>
internal sealed class RequestIds(RowSet rows)
{
    private Dictionary<string, RequestState>? seen;

    /// <summary>The requests of which the event is known, or will be.</summary>
    public IEnumerable<KeyValuePair<string, RequestState>> All => seen?.Where(r => r.Value.Type != EventType.Unspecified) ?? [];

    public bool Seen(string requestId) => requestId.Length > 0 && seen?.ContainsKey(requestId) == true;

    /// <summary>Remembers the id; false when it was known already.</summary>
    public bool Add(string requestId, EventType type)
    {
        if (requestId.Length == 0)
            return true;
        if (!(seen ??= []).TryAdd(requestId, new RequestState { Type = type }))
            return false;
        Write(requestId);
        return true;
    }

    /// <summary>An event got its place in history: if a request caused it, its id is known now.</summary>
    public void Placed(HistoryEvent item)
    {
        var requestId = item.AttributesCase switch
        {
            HistoryEvent.AttributesOneofCase.WorkflowExecutionSignaledEventAttributes => item.WorkflowExecutionSignaledEventAttributes.RequestId,
            HistoryEvent.AttributesOneofCase.WorkflowExecutionOptionsUpdatedEventAttributes => item.WorkflowExecutionOptionsUpdatedEventAttributes.AttachedRequestId,
            HistoryEvent.AttributesOneofCase.WorkflowExecutionUpdateAdmittedEventAttributes => item.WorkflowExecutionUpdateAdmittedEventAttributes.Request.RequestId,
            HistoryEvent.AttributesOneofCase.WorkflowExecutionUpdateAcceptedEventAttributes => item.WorkflowExecutionUpdateAcceptedEventAttributes.AcceptedRequest?.RequestId ?? "",
            _ => "",
        };
        if (!Seen(requestId))
            return;
        seen![requestId].EventId = item.EventId;
        Write(requestId);
    }

    public void Restore(string requestId, byte[] data) => (seen ??= [])[requestId] = StateSerializer.Read<RequestState>(data);

    private void Write(string requestId)
    {
        var state = seen![requestId];
        rows.Put(RowKind.RequestId, requestId, () => StateSerializer.Write(state));
    }
}
