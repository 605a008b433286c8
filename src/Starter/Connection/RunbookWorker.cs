using PlatformOps.Activities;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Certificates;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Scaling;
using PlatformOps.Workflows.Secrets;
using Temporalio.Client;
using Temporalio.Worker;

namespace PlatformOps.Starter.Connection;

/// <summary>Workers for every runbook: one for what can wait, one for failovers, and one for each region that this process stands in.</summary>
internal static class RunbookWorker
{
    /// <summary>Polls until cancelled, while the cluster is the active bootstrap cluster; then lets what is in flight come to a stop and returns.</summary>
    /// <param name="regions">Where this process stands: it observes from there.</param>
    /// <param name="drills">Whether copies for drills may be made here.</param>
    /// <param name="grace">How long activities may go on before they are cancelled; their retries go to the next worker.</param>
    /// <param name="domain">What it does, beside workers that do the rest; null: everything.</param>
    /// <param name="health">Told whether tasks are polled for; null: nobody asks.</param>
    public static Task RunAsync(
        TemporalClient client, IProvisioningActivities provisioning, ISecretActivities secrets, ICertificateActivities certificates, IBackupActivities backups, IScalingActivities scaling, IFailoverActivities failover, string taskQueue, IEnumerable<string> regions,
        bool drills, TimeSpan grace, CancellationToken ct, WorkerHealth? health = null, WorkerDomain? domain = null)
    {
        return BootstrapGate.WhileActiveAsync(client, PollAsync, TimeProvider.System, ct);

        async Task PollAsync(CancellationToken open)
        {
            // One that fails takes the others with it: half a worker looks like a whole one.
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(open);
            TemporalWorkerOptions[] all = domain switch
            {
                null => [WorkerRegistration.CreateWorkerOptions(provisioning, taskQueue, secrets, certificates, backups, scaling), .. Failovers()],
                WorkerDomain.Failover => [.. Failovers()],
                { } one => [WorkerRegistration.CreateDomainWorkerOptions(one, taskQueue, provisioning, secrets, certificates, backups, scaling)],
            };
            health?.Polls = true;
            try
            {
                await Task.WhenAll(all.Select(options => RunAsync(client, options, grace, stop)).ToList());
            }
            finally
            {
                health?.Polls = false;
            }
        }

        IEnumerable<TemporalWorkerOptions> Failovers() =>
        [
            WorkerRegistration.CreateFailoverWorkerOptions(failover),
            .. drills ? [WorkerRegistration.CreateFailoverWorkerOptions(failover, TaskQueues.Drill)] : Array.Empty<TemporalWorkerOptions>(),
            .. regions.Select(region => WorkerRegistration.CreateRegionWorkerOptions(failover, TaskQueues.Of(region))),
        ];
    }

    private static async Task RunAsync(TemporalClient client, TemporalWorkerOptions options, TimeSpan grace, CancellationTokenSource stop)
    {
        options.GracefulShutdownTimeout = grace;
        using var worker = new TemporalWorker(client, options);
        try
        {
            await worker.ExecuteAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Being told to stop is how a worker ends well.
        }
        finally
        {
            await stop.CancelAsync();
        }
    }
}
