using PlatformOps.Activities;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Starter.Connection;

/// <summary>A worker for every runbook.</summary>
internal static class RunbookWorker
{
    /// <summary>Polls until cancelled, then lets what is in flight come to a stop and returns.</summary>
    /// <param name="grace">How long activities may go on before they are cancelled; their retries go to the next worker.</param>
    public static async Task RunAsync(
        TemporalClient client, IProvisioningActivities activities, string taskQueue, TimeSpan grace, CancellationToken ct)
    {
        var options = WorkerRegistration.CreateWorkerOptions(activities, taskQueue);
        options.GracefulShutdownTimeout = grace;
        using var worker = new TemporalWorker(client, options);
        try
        {
            await worker.ExecuteAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Being told to stop is how a worker ends well.
        }
    }
}
