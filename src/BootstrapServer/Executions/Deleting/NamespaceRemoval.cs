using PlatformOps.BootstrapServer.Batches;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Executions.Deleting;

/// <summary>Takes namespaces away: renamed at once, emptied in the background, over a restart if need be.</summary>
internal sealed class NamespaceRemoval(Engine engine, BatchDirectory batches)
{
    /// <returns>The namespace under the name that it has until it is gone.</returns>
    public async Task<Namespace> BeginAsync(Namespace target)
    {
        var renamed = await engine.Namespaces.MarkDeletedAsync(target);
        engine.Background(Task.Run(() => EmptyAsync(renamed)));
        return renamed;
    }

    /// <summary>Goes on with what a stop of the server interrupted.</summary>
    public void Resume()
    {
        foreach (var half in engine.Namespaces.All.Where(n => n.State == NamespaceState.Deleted).ToList())
            engine.Background(Task.Run(() => EmptyAsync(half)));
    }

    private async Task EmptyAsync(Namespace target)
    {
        await batches.DeleteAllAsync(target);
        await engine.Schedules.DeleteAllAsync(target);
        await engine.Deleter.DeleteAllAsync(target);
        await engine.Matching.DeleteConfigsAsync(target);
        await engine.Deployments.DeleteAllAsync(target);
        await engine.SearchAttributes.RemoveAllAsync(target.Id);
        await engine.Namespaces.DeleteAsync(target);
    }
}
