using PlatformOps.Adapters.Bootstrap;
using PlatformOps.Platform.Alerts;
using PlatformOps.Starter.Bootstrap;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.Starter.Alerts;

/// <summary>Hands an alert to the runbook of its environment: a signal, and a start where the runbook does not run (signal-with-start). Returns when the
/// Temporal server has accepted it.</summary>
internal sealed class AlertDelivery(ITemporalClient client)
{
    /// <summary>Alertmanager gives up after 10 s by default, and sends again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <exception cref="InvalidOperationException">The server is not the active bootstrap cluster.</exception>
    /// <exception cref="Temporalio.Exceptions.RpcException">The server has not accepted it, or nobody knows.</exception>
    public async Task DeliverAsync(Alert alert, AlertDestination.Run to, CancellationToken ct)
    {
        if (to.Runbook != nameof(RegionFailover))
            throw new InvalidOperationException($"No runbook {to.Runbook} takes alerts.");
        var signal = new AlertSignal(
            alert.Key, alert.Name, alert.Status == AlertStatus.Firing ? "firing" : "resolved", alert.Labels.GetValueOrDefault("region"),
            alert.Labels.GetValueOrDefault("severity"), alert.StartsAt, alert.EndsAt, alert.Summary, alert.Source);
        if ((await new BootstrapMarker(client).ReadAsync(ct))?.Record is { TakesWork: false } closed)
            throw new InvalidOperationException(BootstrapGate.Why(closed));
        await client.StartWorkflowAsync(
            nameof(RegionFailover),
            [new RegionFailoverRequest { Environment = to.Environment }],
            new WorkflowOptions(RegionFailover.WorkflowId(to.Environment), TaskQueues.Failover)
            {
                TaskTimeout = RegionFailover.TaskTimeout,
                StartSignal = "alert",
                StartSignalArgs = [signal],
                IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting,
                Rpc = new() { CancellationToken = ct, Timeout = Patience, Retry = false },
            });
    }

    /// <summary>Whether the server answers.</summary>
    public async Task<bool> ReachesServerAsync(CancellationToken ct)
    {
        try
        {
            return await client.Connection.CheckHealthAsync(options: new() { CancellationToken = ct, Timeout = Patience, Retry = false });
        }
        catch (Exception failure) when (failure is Temporalio.Exceptions.RpcException or InvalidOperationException)
        {
            return false;
        }
    }
}
