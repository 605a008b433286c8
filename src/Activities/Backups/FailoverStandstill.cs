using PlatformOps.Adapters;
using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Backups;

/// <summary>Keeps the run that watches a database still while its data is replaced. Where nobody watches there is nothing to keep still.</summary>
/// <param name="client">Where that run is.</param>
internal sealed class FailoverStandstill(ITemporalClient client, string environment, TimeProvider time, CancellationToken ct)
{
    private readonly WorkflowHandle run = client.GetWorkflowHandle(RegionFailover.WorkflowId(environment));
    private readonly RpcOptions rpc = new() { CancellationToken = ct };

    /// <summary>Opens a maintenance, unless one is open that lasts long enough.</summary>
    /// <param name="reason">For whoever meets it.</param>
    /// <param name="needed">How long it has to last at least.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Conflict"/>: it does not hold still, or somebody else's maintenance ends too soon.</exception>
    public Task BeginAsync(string operation, string reason, TimeSpan needed) => WhereWatchedAsync(async () =>
    {
        switch (RestoreMaintenance.Decide(await MaintenanceAsync(), environment, operation, time.GetUtcNow(), needed))
        {
            case RestoreMaintenance.Open:
                await ChangeAsync(new(Platform.Yaml.Units.Format(RestoreMaintenance.Length), reason, operation));
                break;
            case RestoreMaintenance.Refuse { Why: var why }:
                throw new AdapterException(AdapterFailureKind.Conflict, why);
        }
    });

    /// <summary>Closes the maintenance of this operation. What people opened is theirs to close.</summary>
    public Task EndAsync(string operation) => WhereWatchedAsync(async () =>
    {
        if ((await MaintenanceAsync())?.By == operation)
            await ChangeAsync(new(By: operation));
    });

    private async Task<Platform.Failover.Maintenance?> MaintenanceAsync() => (await run.QueryAsync<FailoverView>("failover", [], new() { Rpc = rpc })).Maintenance;

    private Task ChangeAsync(MaintenanceInput wanted) => run.ExecuteUpdateAsync<ControlResult>("maintenance", [wanted], new() { Rpc = rpc });

    private async Task WhereWatchedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            // Nobody watches.
        }
        catch (WorkflowQueryRejectedException)
        {
            // It has ended.
        }
        catch (WorkflowUpdateFailedException refused)
        {
            throw new AdapterException(AdapterFailureKind.Conflict, $"{run.Id} does not hold still: {refused.InnerException?.Message ?? refused.Message}", refused);
        }
    }
}
