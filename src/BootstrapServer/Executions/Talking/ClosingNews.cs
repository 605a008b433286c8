using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions.Talking;

/// <summary>Pays what a closed run owes: tells its parent how it ended, closes its children as their policy says.</summary>
internal sealed class ClosingNews(Engine engine)
{
    /// <param name="close">The closing event; read from history when it is not at hand, after a restart.</param>
    public async Task DeliverAsync(WorkflowRun run, OutgoingState state, HistoryEvent? close)
    {
        // Others may act on the news at once: it must not be undone by a crash.
        await engine.Store.Flushed();
        if (state.CallbackId is not null)
        {
            if (!await engine.CallbackSender.TryAsync(run, state, close ?? engine.Histories.ReadEvent(run, run.State.CloseEventId)))
                return; // it is tried again
        }
        else if (state.Child is { } child)
        {
            await CloseChildAsync(run, child);
        }
        else
        {
            await TellParentAsync(run, close ?? engine.Histories.ReadEvent(run, run.State.CloseEventId));
        }
        await run.StepAsync(() =>
        {
            if (!engine.IsDeleted(run))
                run.Outgoing.Done(state);
        });
        await engine.ForgetWhenDoneAsync(run);
    }

    private async Task TellParentAsync(WorkflowRun run, HistoryEvent close)
    {
        var parent = run.Start.ParentWorkflowExecution;
        if (engine.Namespaces.FindById(run.Start.ParentWorkflowNamespaceId) is not { } ns || engine.TryFind(ns, parent.WorkflowId, parent.RunId) is not { } found)
            return;
        // A parent that was reset lives on in another run.
        while (!found.IsOpen && found.State.ResetRunId is { } resetRunId && engine.TryFind(ns, parent.WorkflowId, resetRunId) is { } next)
            found = next;
        await found.StepAsync(() => found.Children.Closed(run.Start.ParentInitiatedEventId, run.WorkflowId, run.Start.FirstExecutionRunId, run.RunId, close));
    }

    private async Task CloseChildAsync(WorkflowRun parent, ChildState child)
    {
        if (child.ParentClosePolicy == ParentClosePolicy.Abandon || child.RunId.Length == 0
            || engine.Namespaces.FindById(child.NamespaceId) is not { } ns || engine.FindLatest(ns, child.WorkflowId) is not { } found)
            return;
        await found.StepAsync(() =>
        {
            // The child may have continued as new, and the id may have been used again by somebody else.
            if (!found.IsOpen || found.Start.FirstExecutionRunId != child.RunId)
                return;
            if (child.ParentClosePolicy == ParentClosePolicy.RequestCancel)
                Incoming.Cancel(found, "by parent close policy", "history-service", "", sender: new WorkflowExecution { WorkflowId = parent.WorkflowId, RunId = parent.RunId });
            else
                found.Closing.Terminate("by parent close policy", null, "history-service");
        });
    }
}
