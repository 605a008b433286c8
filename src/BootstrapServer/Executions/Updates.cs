using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// The updates of a run. Before a worker accepts one it lives in memory only, as on the real server: nothing was promised
/// yet. Accepted and completed ones are rows, so that asking again with the same id finds the same outcome.
/// </summary>
internal sealed partial class Updates(WorkflowRun run, RowSet rows)
{
    private readonly Pending<string, UpdateState> known = new(rows, RowKind.Update);
    private readonly Dictionary<string, LiveUpdate> live = [];
    private long admitted;

    /// <summary>True when a workflow task has an update to deliver.</summary>
    public bool AnyToSend => live.Values.Any(u => u.Stage == LiveUpdateStage.Admitted);

    public int Total => known.Count + live.Values.Count(u => u.AcceptedEventId == 0 && known.Find(u.Id) is null);

    public int InFlight => live.Count;

    /// <summary>The update of this id, or null. One that ended is read back from history.</summary>
    public LiveUpdate? Find(string updateId)
    {
        if (live.TryGetValue(updateId, out var found))
            return found;
        if (known.Find(updateId) is not { } state)
            return null;
        if (state.CompletedEventId == 0 && state.AcceptedEventId == 0 && run.IsOpen)
            return AdmittedByHistory(updateId);
        if (state.CompletedEventId != 0)
        {
            var completed = run.Engine.Histories.ReadEvent(run, state.CompletedEventId);
            return LiveUpdate.Ended(updateId, completed.WorkflowExecutionUpdateCompletedEventAttributes.Outcome);
        }
        if (!run.IsOpen)
            return LiveUpdate.Ended(updateId, new Outcome { Failure = UpdateErrors.WorkflowCompletedFirst() });
        var accepted = LiveUpdate.AlreadyAccepted(updateId, state.AcceptedEventId);
        live[updateId] = accepted;
        return accepted;
    }

    /// <summary>Takes an update in, or finds the one with its id; makes sure that a workflow task will deliver it.</summary>
    public LiveUpdate Admit(Request request)
    {
        var updateId = request.Meta.UpdateId;
        if (Find(updateId) is { } existing)
            return existing;
        run.RequireOpen();
        run.Engine.Limits.RequireRoomForUpdate(this);
        var update = new LiveUpdate(updateId) { Request = request, Order = ++admitted };
        live[updateId] = update;
        // A run that waits for its first task, or is just being created, delivers the update with that task.
        if (!run.WorkflowTasks.IsPending && !run.IsNew && run.State.FirstTaskAt is null)
            run.WorkflowTasks.Schedule(speculative: true);
        return update;
    }

    /// <summary>Messages for a workflow task that starts.</summary>
    /// <param name="includeSent">Also what an earlier task delivered and the worker did not answer; not for heartbeats.</param>
    public IEnumerable<Message> Send(bool includeSent, long startedEventId)
    {
        foreach (var update in live.Values.Where(u => u.ToSend(includeSent)).OrderBy(u => u.Order))
        {
            update.Stage = LiveUpdateStage.Sent;
            if (update.Request is not { } request)
                continue; // the worker reads it from the admitted event
            yield return new Message
            {
                Id = update.MessageId,
                ProtocolInstanceId = update.Id,
                EventId = startedEventId - 1,
                Body = AnyMessage.Of(request),
            };
        }
    }

    /// <summary>What is wrong with a message from a worker, or null.</summary>
    public string? Problem(Message message)
    {
        var update = Find(message.ProtocolInstanceId);
        if (message.Body is null)
            return $"update {message.ProtocolInstanceId} received message with nil body";
        if (message.Body.Holds<Acceptance>() || message.Body.Holds<Rejection>())
        {
            // An update that was lost with a restart is known to its worker still: it comes back in the answer.
            var answered = message.Body.Holds<Acceptance>()
                ? message.Body.Read<Acceptance>().AcceptedRequest
                : message.Body.Read<Rejection>().RejectedRequest;
            if (update is null)
                return answered is null ? $"update {message.ProtocolInstanceId} wasn't found on the server. This is most likely a transient error which will be resolved automatically by retries" : null;
            return update.Stage is LiveUpdateStage.Sent or LiveUpdateStage.Admitted ? null : $"update {update.Id} is in state {update.Stage}: it can be neither accepted nor rejected";
        }
        if (!message.Body.Holds<Response>())
            return $"message type {message.Body.TypeUrl} is not supported";
        // It may be accepted by an earlier message of the same answer; what is unknown then is refused when it is applied.
        return update is null && known.Find(message.ProtocolInstanceId) is null ? $"update {message.ProtocolInstanceId} wasn't found on the server" : null;
    }

    /// <summary>Acts on a worker's message; <see cref="Problem"/> was asked before.</summary>
    public void Apply(Message message)
    {
        var rejected = message.Body.Holds<Rejection>();
        var update = Find(message.ProtocolInstanceId) ?? Resurrect(message);
        if (!run.IsOpen && !rejected)
            return; // aborted with the others when the run closed
        if (rejected)
            Reject(update, message.Body.Read<Rejection>().Failure);
        else if (message.Body.Holds<Acceptance>())
            Accept(update, message.Body.Read<Acceptance>());
        else
            Complete(update, message.Body.Read<Response>());
    }

    /// <summary>A worker that completes a task without a word about an update it was sent does not know updates.</summary>
    public void RejectUnanswered()
    {
        foreach (var update in live.Values.Where(u => u.Stage == LiveUpdateStage.Sent).ToList())
            Reject(update, UpdateErrors.NotProcessed());
    }

    /// <summary>The server failed a workflow task: what its worker had seen cannot be tried again unnoticed.</summary>
    public void AbortSent()
    {
        foreach (var update in live.Values.Where(u => u.Stage == LiveUpdateStage.Sent).ToList())
        {
            if (known.Find(update.Id) is not null)
            {
                update.Stage = LiveUpdateStage.Admitted; // history brought it: the next task does again
                continue;
            }
            live.Remove(update.Id);
            run.After(() => update.Abort(UpdateErrors.TaskFailed()));
        }
    }

    /// <summary>The run closed. Callers of updates that were not accepted hear so, or are sent on to the next run.</summary>
    public void AbortAll(bool continues)
    {
        foreach (var update in live.Values.ToList())
        {
            if (update.AcceptedEventId != 0)
                run.After(() => update.End(new Outcome { Failure = UpdateErrors.WorkflowCompletedFirst() }));
            else
                run.After(() => update.Abort(continues ? new WorkflowContinuesException() : UpdateErrors.WorkflowClosing()));
        }
        live.Clear();
    }

    public void Restore(string id, byte[] data) => known.Restore(id, data);

    private LiveUpdate Resurrect(Message message)
    {
        var request = message.Body.Holds<Acceptance>()
            ? message.Body.Read<Acceptance>().AcceptedRequest
            : message.Body.Read<Rejection>().RejectedRequest;
        var update = new LiveUpdate(message.ProtocolInstanceId) { Request = request, Order = ++admitted, Stage = LiveUpdateStage.Sent };
        live[update.Id] = update;
        return update;
    }

    private void Accept(LiveUpdate update, Acceptance acceptance)
    {
        run.Requests.Add(update.Request?.RequestId ?? "", EventType.WorkflowExecutionUpdateAccepted);
        var item = run.Events.Add(EventType.WorkflowExecutionUpdateAccepted, new HistoryEvent
        {
            WorkflowExecutionUpdateAcceptedEventAttributes = new WorkflowExecutionUpdateAcceptedEventAttributes
            {
                ProtocolInstanceId = update.Id,
                AcceptedRequestMessageId = update.MessageId,
                AcceptedRequestSequencingEventId = acceptance.AcceptedRequestSequencingEventId,
                AcceptedRequest = update.Request, // null when an admitted event has it
            },
        });
        run.Requests.Placed(item);
        update.Stage = LiveUpdateStage.Accepted;
        update.AcceptedEventId = item.EventId;
        update.Request = null;
        known.Put(update.Id, new UpdateState { AdmittedEventId = known.Find(update.Id)?.AdmittedEventId ?? 0, AcceptedEventId = item.EventId });
        run.After(update.SayAccepted);
    }

    private void Reject(LiveUpdate update, Failure failure)
    {
        live.Remove(update.Id);
        known.Remove(update.Id); // as on the real server a rejected update leaves no trace, also one that a reset had brought along
        update.Stage = LiveUpdateStage.Completed;
        run.After(() => update.SayRejected(failure));
    }

    private void Complete(LiveUpdate update, Response response)
    {
        var item = run.Events.Add(EventType.WorkflowExecutionUpdateCompleted, new HistoryEvent
        {
            WorkflowExecutionUpdateCompletedEventAttributes = new WorkflowExecutionUpdateCompletedEventAttributes
            {
                Meta = response.Meta,
                AcceptedEventId = update.AcceptedEventId,
                Outcome = response.Outcome,
            },
        });
        live.Remove(update.Id);
        update.Stage = LiveUpdateStage.Completed;
        known.Put(update.Id, new UpdateState { AcceptedEventId = update.AcceptedEventId, CompletedEventId = item.EventId });
        run.After(() => update.End(response.Outcome));
    }
}
