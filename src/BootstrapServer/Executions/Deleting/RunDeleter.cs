using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Storage;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>Takes runs away with their history: on request, with their namespace, or when their retention ended.</summary>
internal sealed class RunDeleter(Engine engine)
{
    /// <summary>Deletes a run. One that is open is terminated first, so that parent and children hear of its end.</summary>
    public async Task DeleteAsync(WorkflowRun run, string identity)
    {
        await run.StepAsync(() =>
        {
            if (run.IsOpen)
                run.Closing.Terminate("Delete workflow execution", null, identity);
        });
        var transaction = new Transaction();
        transaction.DeletedRuns.Add(run.Key);
        engine.Forget(run);
        await engine.Store.Commit(transaction);
    }

    /// <summary>Deletes everything in a namespace.</summary>
    public async Task DeleteAllAsync(Namespace target)
    {
        foreach (var stored in engine.Store.OpenRuns().Concat(engine.Store.ClosedRuns()).Where(r => r.Name.NamespaceId == target.Id).ToList())
        {
            if (engine.TryFind(target, stored.Name.WorkflowId, stored.Name.RunId) is { } run)
                await DeleteAsync(run, "namespace deletion");
        }
    }
}
