using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Executions.Resetting;

/// <summary>
/// Resets workflows: a new run begins where an earlier one (the base) stood before one of its workflow tasks ended. The end
/// of the run that is open now, the new run and the note in the base are one transaction.
/// </summary>
internal sealed class WorkflowResetter(Engine engine)
{
    /// <summary>Who terminates a run because of a reset: such an end is no news for its parent, and leaves its children alone.</summary>
    public const string Identity = "history-resetter";

    /// <summary>Resets, and returns the id of the new run.</summary>
    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND without such a run, INVALID_ARGUMENT when it cannot go back to there.</exception>
    public async Task<string> ResetAsync(Namespace ns, ResetWorkflowExecutionRequest request)
    {
        using var onTheWay = engine.OnTheWay?.Begin();
        while (true)
        {
            engine.Find(ns, request.WorkflowExecution);
            await engine.Store.Flushed(); // the base's history is read from the store
            if (TryReset(ns, request) is not { } outcome)
                continue;
            foreach (var effect in outcome.Effects)
                effect();
            if (outcome.IsNew)
                engine.Publish(outcome.Run);
            await outcome.Durable;
            if (outcome.IsNew)
                await outcome.Run.StepAsync(outcome.Run.ResumeOpen);
            return outcome.Run.RunId;
        }
    }

    /// <summary>Null when the workflow moved on meanwhile: to be tried again.</summary>
    private Outcome? TryReset(Namespace ns, ResetWorkflowExecutionRequest request)
    {
        var workflowId = request.WorkflowExecution.WorkflowId;
        var slot = engine.Slot(ns.Id, workflowId);
        lock (slot.Gate)
        {
            if (slot.Removed)
                return null;
            var current = slot.Latest() ?? engine.Find(ns, new WorkflowExecution { WorkflowId = workflowId });
            var origin = request.WorkflowExecution.RunId.Length == 0 || request.WorkflowExecution.RunId == current.RunId
                ? current
                : engine.Find(ns, request.WorkflowExecution);
            // Older run first: the one place that holds two runs that others know.
            lock (origin.Gate)
            {
                lock (current.Gate)
                {
                    if (current.Closing.Successor is not null)
                        return null; // it was continued while we waited for its lock
                    if (current.State.ResetRequestId is { Length: > 0 } done && done == request.RequestId)
                        return new Outcome(current, engine.Store.Flushed(), [], IsNew: false);
                    return Reset(slot, origin, current, request);
                }
            }
        }
    }

    private Outcome? Reset(WorkflowSlot slot, WorkflowRun origin, WorkflowRun current, ResetWorkflowExecutionRequest request)
    {
        var finish = request.WorkflowTaskFinishEventId;
        if (finish <= 1 || finish >= origin.Events.NextEventId)
            throw ServiceError.InvalidArgument("Workflow task finish ID must be > 1 && <= workflow last event ID.");
        if (Read(origin, 1) is not { } history)
            return null;
        var run = RunRebuilder.Rebuild(origin, Guid.NewGuid().ToString(), history.GetRange(0, (int)finish - 1));
        var reapplication = new Reapplication(run, Reapplication.Excluded(request));
        lock (run.Gate)
        {
            run.State.ResetRequestId = request.RequestId;
            run.State.BaseRunId = origin.RunId;
            run.State.BaseEventId = finish - 1;
            run.WorkflowTasks.FailForReset(request.Reason, origin.RunId);
            run.Activities.FailForReset(request.Reason);
            var (events, last) = Chain(origin, history.GetRange((int)finish - 1, history.Count - (int)finish + 1), current, reapplication.ExcludesAll);
            if (events is null)
                return null;

            var transaction = new Transaction();
            var next = current.Events.NextEventId;
            origin.State.ResetRunId = run.RunId;
            origin.Touch();
            var wasOpen = current.IsOpen;
            if (wasOpen)
                current.Closing.Terminate(request.Reason, null, Identity);
            current.Collect(transaction);
            if (origin != current)
                origin.Collect(transaction);
            reapplication.Apply(events);
            if (wasOpen && last == current.RunId)
                reapplication.Apply(current.RecentEvents(next, current.Events.NextEventId)!); // what had waited for a workflow task to end
            PostResetOperations.Apply(run, request.PostResetOperations);
            if (run.State.Pause is null)
                run.WorkflowTasks.Schedule(dispatch: false);
            slot.Current = run;
            return new Outcome(run, run.Commit(transaction), current.TakeEffects(), IsNew: true);
        }
    }

    /// <summary>What happened since the reset point: in the base, and in the runs as which it continued. Null when not all of it can be read yet.</summary>
    private (List<HistoryEvent>? Events, string LastRunId) Chain(WorkflowRun origin, List<HistoryEvent> rest, WorkflowRun current, bool nothing)
    {
        var run = origin;
        if (nothing)
            return ([], run.RunId);
        var all = new List<HistoryEvent>(rest);
        while (all is [.., { EventType: EventType.WorkflowExecutionContinuedAsNew } end])
        {
            var nextRunId = end.WorkflowExecutionContinuedAsNewEventAttributes.NewExecutionRunId;
            if ((nextRunId == current.RunId ? current : engine.TryFind(run.Namespace, run.WorkflowId, nextRunId)) is not { } next)
                break; // deleted: the chain ends here
            run = next;
            if (Read(run, 1) is not { Count: > 0 } events)
                return (null, "");
            all.AddRange(events);
        }
        return (all, run.RunId);
    }

    /// <summary>A run's events from one on, from the store and what memory has beyond; null when some are on their way between the two.</summary>
    private List<HistoryEvent>? Read(WorkflowRun run, long from)
    {
        var before = run.Events.NextEventId;
        var events = engine.Histories.Read(run.Key, from, before);
        var reached = events.Count == 0 ? from : events[^1].EventId + 1;
        if (reached == before)
            return events;
        if (run.RecentEvents(reached, before) is not { } recent)
            return null;
        events.AddRange(recent);
        return events;
    }

    private sealed record Outcome(WorkflowRun Run, Task Durable, List<Action> Effects, bool IsNew);
}
