using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Failover;

/// <summary>When a failover of an environment was practised last, as the Temporal server remembers it.</summary>
internal sealed class LastDrill(ITemporalClient client, TimeProvider time)
{
    public async Task<ReadinessItem> LookAsync(string environment, CancellationToken ct)
    {
        var (endedAt, succeeded) = await FindAsync(client.GetWorkflowHandle(RegionFailover.DrillId(environment)), new() { CancellationToken = ct });
        var found = ReadinessRules.LastDrill(endedAt, succeeded, time.GetUtcNow(), $"Start {RegionFailover.DrillId(environment)}: see docs/runbooks/drill.md.");
        return new("lastDrill", found.Ok, found.Detail);
    }

    private static async Task<(DateTimeOffset? EndedAt, bool Succeeded)> FindAsync(WorkflowHandle drill, RpcOptions rpc)
    {
        try
        {
            var run = await drill.DescribeAsync(new() { Rpc = rpc });
            if (run is not { CloseTime: { } closed })
                return (null, false);
            var report = run.Status == WorkflowExecutionStatus.Completed ? await drill.GetResultAsync<FailoverReport?>(rpcOptions: rpc) : null;
            return (new(closed, TimeSpan.Zero), report is { Outcome: FailoverOutcome.Completed, Drill: null or { Passed: true } });
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            // There was none, or the server has forgotten it.
            return (null, false);
        }
    }
}
