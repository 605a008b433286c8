using System.Text.RegularExpressions;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Failover;

/// <summary>The run of a runbook that ended last, started by hand or by a schedule, as the Temporal server remembers it.</summary>
internal sealed partial class LastRun(ITemporalClient client)
{
    /// <summary>Lists begin with what ended last: one of these is the last of a schedule.</summary>
    private const int MostLookedAt = 50;

    /// <returns>When it ended, and what it reported; null for a report: it did not complete. Null: there was none, or the server has forgotten it.</returns>
    public async Task<(DateTimeOffset EndedAt, T? Report)?> FindAsync<T>(string type, string id, CancellationToken ct)
        where T : class
    {
        var rpc = new RpcOptions { CancellationToken = ct };
        var found = await ReadAsync<T>(client.GetWorkflowHandle(id), rpc);
        return await LastScheduledAsync(type, id, rpc) is { } scheduled && await ReadAsync<T>(scheduled, rpc) is { } last && (found is null || last.EndedAt > found.Value.EndedAt) ? last : found;
    }

    /// <summary>Runs of a schedule have the time behind the id. That of another environment may begin alike.</summary>
    private async Task<WorkflowHandle?> LastScheduledAsync(string type, string id, RpcOptions rpc)
    {
        WorkflowExecution? last = null;
        var ended = client.ListWorkflowsAsync($"WorkflowType = '{type}' AND WorkflowId STARTS_WITH '{id}-2' AND ExecutionStatus != 'Running'", new() { Rpc = rpc, Limit = MostLookedAt });
        await foreach (var run in ended)
        {
            if (run.CloseTime is { } closed && (last is null || closed > last.CloseTime) && ScheduledAt().IsMatch(run.Id[id.Length..]))
                last = run;
        }

        return last is null ? null : client.GetWorkflowHandle(last.Id, last.RunId);
    }

    private static async Task<(DateTimeOffset EndedAt, T? Report)?> ReadAsync<T>(WorkflowHandle handle, RpcOptions rpc)
        where T : class
    {
        try
        {
            var run = await handle.DescribeAsync(new() { Rpc = rpc });
            return run is { CloseTime: { } closed }
                ? (new DateTimeOffset(closed, TimeSpan.Zero), run.Status == WorkflowExecutionStatus.Completed ? await handle.GetResultAsync<T?>(rpcOptions: rpc) : null)
                : null;
        }
        catch (RpcException missing) when (missing.Code == RpcException.StatusCode.NotFound)
        {
            // There was none, or the server has forgotten it.
            return null;
        }
    }

    [GeneratedRegex(@"^-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    private static partial Regex ScheduledAt();
}
