using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Starter.Capacity;

/// <summary>Removes workflows of loads.</summary>
internal static class CanaryRemoval
{
    /// <summary>Ids of workflows that a load has left, or that one has which runs now.</summary>
    public static async Task<IReadOnlyList<string>> FindAsync(ITemporalClient client, CancellationToken ct)
    {
        var found = new List<string>();
        await foreach (var run in client.ListWorkflowsAsync($"WorkflowType = '{CapacityCanary.TypeName}'", new() { Rpc = new() { CancellationToken = ct } }))
            found.Add(run.Id);
        return found;
    }

    /// <summary>Ends a workflow and deletes it with its history. One that is gone is done.</summary>
    /// <returns>False when the server did not do it.</returns>
    public static async Task<bool> RemoveAsync(ITemporalClient client, string id, CancellationToken ct)
    {
        try
        {
            // Deletes one that is open as well.
            await client.WorkflowService.DeleteWorkflowExecutionAsync(
                new DeleteWorkflowExecutionRequest { Namespace = client.Options.Namespace, WorkflowExecution = new() { WorkflowId = id } }, new() { CancellationToken = ct, Timeout = TimeSpan.FromSeconds(20) });
            return true;
        }
        catch (RpcException failure)
        {
            return failure.Code == RpcException.StatusCode.NotFound;
        }
    }
}
