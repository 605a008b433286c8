using Google.Protobuf;
using PlatformOps.Platform.Bootstrap;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Bootstrap;

/// <summary>The open runs of ours in a cluster.</summary>
internal sealed class BootstrapRuns(ITemporalClient client, StandingWork work)
{
    private const string MovedBy = "movedBy", Phase = "Phase", Suspended = "suspended";
    private const int PageSize = 200;

    /// <summary>Those without an end by themselves, and the ids of the others.</summary>
    public async Task<(IReadOnlyList<StandingRun> Standing, IReadOnlyList<string> Passing)> ListAsync(CancellationToken ct)
    {
        List<StandingRun> standing = [];
        List<string> passing = [];
        var query = $"ExecutionStatus = 'Running' AND WorkflowType IN ({string.Join(", ", work.Types.Select(type => $"'{type}'"))})";
        var token = ByteString.Empty;
        do
        {
            var page = await client.WorkflowService.ListWorkflowExecutionsAsync(
                new() { Namespace = client.Options.Namespace, Query = query, PageSize = PageSize, NextPageToken = token }, BootstrapCluster.Rpc(ct));
            foreach (var listed in page.Executions)
            {
                if (!work.Stands(listed.Type.Name, listed.Execution.WorkflowId))
                    passing.Add(listed.Execution.WorkflowId);
                else if (await FindAsync(listed.Execution.WorkflowId, ct) is { } open)
                    standing.Add(open);
            }

            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        return ([.. standing.OrderBy(run => run.Id, StringComparer.Ordinal)], [.. passing.Order(StringComparer.Ordinal)]);
    }

    public Task SuspendAsync(StandingRun run, string pivotId, CancellationToken ct) => TellAsync(run, "suspend", pivotId, ct);

    public Task ResumeAsync(StandingRun run, string pivotId, CancellationToken ct) => TellAsync(run, "resume", pivotId, ct);

    public async Task CopyAsync(BootstrapRuns source, StandingRun run, string pivotId, CancellationToken ct)
    {
        var live = await source.DescribeAsync(run.Id, run.RunId, ct);
        // As it is: what this program does not know of it goes along.
        var carried = await source.Handle(run).QueryAsync<RawValue>("carried", [], new() { Rpc = BootstrapCluster.Rpc(ct) });
        try
        {
            await client.StartWorkflowAsync(
                live.WorkflowExecutionInfo.Type.Name,
                [carried],
                new(run.Id, live.ExecutionConfig.TaskQueue.Name)
                {
                    TaskTimeout = live.ExecutionConfig.DefaultWorkflowTaskTimeout?.ToTimeSpan(),
                    IdReusePolicy = WorkflowIdReusePolicy.AllowDuplicate,
                    Memo = new Dictionary<string, object> { [MovedBy] = pivotId },
                    Rpc = BootstrapCluster.Rpc(ct),
                });
        }
        catch (WorkflowAlreadyStartedException)
        {
            // An attempt before this one did, or somebody else: the next look shows whose it is.
        }
    }

    public async Task EndAsync(StandingRun run, string reason, CancellationToken ct)
    {
        try
        {
            await Handle(run).TerminateAsync(reason, new() { Rpc = BootstrapCluster.Rpc(ct) });
        }
        catch (RpcException failure) when (failure.Code == RpcException.StatusCode.NotFound)
        {
            // It has ended.
        }
    }

    private async Task TellAsync(StandingRun run, string update, string pivotId, CancellationToken ct)
    {
        // The same id for each attempt: told twice it is done once.
        await Handle(run).ExecuteUpdateAsync(update, [new Dictionary<string, string> { ["by"] = pivotId }], new() { Id = $"{pivotId}-{update}", Rpc = BootstrapCluster.Rpc(ct) });
    }

    /// <summary>Lists may lag behind: what counts is what the run itself says.</summary>
    private async Task<StandingRun?> FindAsync(string id, CancellationToken ct)
    {
        var found = await DescribeAsync(id, "", ct);
        var info = found.WorkflowExecutionInfo;
        return info.Status == WorkflowExecutionStatus.Running
            ? new(id, info.Execution.RunId, await TextAsync(info.SearchAttributes?.IndexedFields, Phase) == Suspended, await TextAsync(info.Memo?.Fields, MovedBy))
            : null;
    }

    private Task<DescribeWorkflowExecutionResponse> DescribeAsync(string id, string runId, CancellationToken ct) => client.WorkflowService.DescribeWorkflowExecutionAsync(
        new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = id, RunId = runId } }, BootstrapCluster.Rpc(ct));

    private WorkflowHandle Handle(StandingRun run) => client.GetWorkflowHandle(run.Id, run.RunId);

    private async Task<string?> TextAsync(IReadOnlyDictionary<string, Payload>? fields, string name) =>
        fields?.GetValueOrDefault(name) is { } payload ? await client.Options.DataConverter.ToValueAsync<string>(payload) : null;
}
