using System.Text.RegularExpressions;
using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Failover;

/// <summary>When a failover of an environment was practised last, as the Temporal server remembers it.</summary>
internal sealed partial class LastDrill(ITemporalClient client, TimeProvider time)
{
    /// <summary>Lists begin with what ended last: one of these is the last of a schedule.</summary>
    private const int MostLookedAt = 50;

    public async Task<ReadinessItem> LookAsync(string environment, CancellationToken ct)
    {
        var id = RegionFailover.DrillId(environment);
        var rpc = new RpcOptions { CancellationToken = ct };
        var (endedAt, succeeded) = await FindAsync(client.GetWorkflowHandle(id), rpc);
        if (await LastScheduledAsync(id, rpc) is { } scheduled && await FindAsync(scheduled, rpc) is var last && (endedAt is null || last.EndedAt > endedAt))
            (endedAt, succeeded) = last;
        var found = ReadinessRules.LastDrill(endedAt, succeeded, time.GetUtcNow(), $"Start {id}: see docs/runbooks/drill.md.");
        return new("lastDrill", found.Ok, found.Detail);
    }

    /// <summary>Runs of a schedule have the time behind the id. That of another environment may begin alike.</summary>
    private async Task<WorkflowHandle?> LastScheduledAsync(string id, RpcOptions rpc)
    {
        WorkflowExecution? last = null;
        var ended = client.ListWorkflowsAsync($"WorkflowType = '{nameof(RegionFailover)}' AND WorkflowId STARTS_WITH '{id}-2' AND ExecutionStatus != 'Running'", new() { Rpc = rpc, Limit = MostLookedAt });
        await foreach (var run in ended)
        {
            if (run.CloseTime is { } closed && (last is null || closed > last.CloseTime) && ScheduledAt().IsMatch(run.Id[id.Length..]))
                last = run;
        }

        return last is null ? null : client.GetWorkflowHandle(last.Id, last.RunId);
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

    [GeneratedRegex(@"^-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    private static partial Regex ScheduledAt();
}
