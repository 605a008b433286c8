using System.Globalization;
using PlatformOps.BootstrapServer.Storage;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Executions;

/// <summary>
/// What a run owes to others when it closes, written in the transaction that closes it and struck off when it is done: a
/// crash in between only means that it is done again, which the other side notices.
/// </summary>
internal sealed class Outgoing(WorkflowRun run, RowSet rows)
{
    private readonly Pending<long, OutgoingState> pending = new(rows, RowKind.Outgoing);

    public bool Any => pending.Count > 0;

    /// <summary>Something is to be done at once, and not only when a callback's next attempt is due.</summary>
    public bool AnyNow => pending.All.Any(o => o.CallbackId is not { } id || !run.Callbacks.IsBackingOff(id));

    /// <summary>Somebody is to be called.</summary>
    public void OweCallback(string callbackId, HistoryEvent close) => Owe(new OutgoingState { CallbackId = callbackId }, close);

    /// <summary>What is owed to other workflows.</summary>
    public IEnumerable<OutgoingState> ToWorkflows => pending.All.Where(o => o.CallbackId is null);

    /// <summary>The parent is to hear how the run ended.</summary>
    public void OweNews(HistoryEvent close) => Owe(new OutgoingState(), close);

    /// <summary>A child is to be closed, as its parent close policy says.</summary>
    public void OweClosing(ChildState child) => Owe(new OutgoingState { Child = child }, null);

    public void Done(OutgoingState state) => pending.Remove(state.Number);

    public void Restore(string id, byte[] data) => pending.Restore(long.Parse(id, CultureInfo.InvariantCulture), data);

    public void Resume()
    {
        foreach (var state in pending.All.ToList())
            run.After(() => run.Engine.Background(run.Engine.ClosingNews.DeliverAsync(run, state, null)));
    }

    private void Owe(OutgoingState state, HistoryEvent? close)
    {
        // Not their count: what is struck off in between must not make two of them share a row.
        state.Number = pending.All.Select(o => o.Number).DefaultIfEmpty().Max() + 1;
        pending.Put(state.Number, state);
        run.After(() => run.Engine.Background(run.Engine.ClosingNews.DeliverAsync(run, state, close)));
    }
}
