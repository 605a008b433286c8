using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>Takes runs away with their history: on request, with their namespace, or when their retention ended.</summary>
internal sealed class RunDeleter(Engine engine)
{
    /// <summary>Closed runs that go in one transaction.</summary>
    private const int Together = 100;

    /// <summary>Deletes a run. One that is open is terminated first, so that parent and children hear of its end.</summary>
    public async Task DeleteAsync(WorkflowRun run, string identity)
    {
        var owed = await run.StepAsync(() =>
        {
            if (run.IsOpen)
                run.Closing.Terminate("Delete workflow execution", null, identity);
            return run.Outgoing.ToWorkflows.ToList();
        });
        // What it owes goes with the run: it is paid first, or a crash in between would leave a parent waiting for ever.
        foreach (var state in owed)
            await engine.ClosingNews.DeliverAsync(run, state, null);
        var transaction = new Transaction();
        transaction.DeletedRuns.Add(run.Key);
        Forget(run);
        await engine.Store.Commit(transaction);
    }

    /// <summary>Deletes some of the runs that closed up to a time, first those that closed first. False when there was none.</summary>
    public async Task<bool> DeleteClosedAsync(Namespace ns, DateTimeOffset closedUntil)
    {
        var closed = engine.Store.OldestClosedRuns(ns.Id, closedUntil, Together);
        if (closed.Count == 0)
            return false;
        var transaction = new Transaction();
        foreach (var run in closed)
        {
            transaction.DeletedRuns.Add(run.Key);
            if (engine.InMemory(run.Name) is { } known)
                Forget(known);
        }
        await engine.Store.Commit(transaction);
        return true;
    }

    /// <summary>Deletes everything in a namespace.</summary>
    public async Task DeleteAllAsync(Namespace target)
    {
        foreach (var run in engine.OpenRuns.Where(r => r.Name.NamespaceId == target.Id).ToList())
            await DeleteAsync(run, "namespace deletion");
        while (await DeleteClosedAsync(target, DateTimeOffset.MaxValue))
        {
            // Until nothing is left.
        }
    }

    /// <summary>After this no step of the run writes: one that began before has handed in what it changed, a later one sees that the run is gone.</summary>
    private void Forget(WorkflowRun run)
    {
        engine.Forget(run);
        run.Gate.Enter();
        run.Gate.Exit();
    }
}
