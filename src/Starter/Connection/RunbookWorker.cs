using PlatformOps.Activities;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Starter.Connection;

/// <summary>A worker for every runbook.</summary>
internal static class RunbookWorker
{
    /// <summary>How long activities may take to notice that the worker stops before they are cancelled; their retries go to the next worker.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Polls until cancelled, then lets what is in flight come to a stop and returns.</summary>
    public static async Task RunAsync(TemporalClient client, IProvisioningActivities activities, string taskQueue, CancellationToken ct)
    {
        var options = WorkerRegistration.CreateWorkerOptions(activities, taskQueue);
        options.GracefulShutdownTimeout = Grace;
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
