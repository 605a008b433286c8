using PlatformOps.Platform.Scaling;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Worker.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The workers of a task queue, and what each does, as they tell the platform's own Temporal in their heartbeats.</summary>
public sealed class TaskQueueWorkers(TemporalCluster cluster)
{
    private const int PageSize = 100;

    /// <summary>What each host's workers do together. In Kubernetes a host's name is that of its pod.</summary>
    /// <param name="now">By which it is told whether a heartbeat is old.</param>
    /// <param name="freshFor">Who said nothing for longer is not in the answer: nobody knows what it does.</param>
    /// <exception cref="AdapterException">Temporal did not say.</exception>
    public async Task<IReadOnlyDictionary<string, WorkerLoad>> LoadsAsync(string temporalNamespace, string taskQueue, DateTimeOffset now, TimeSpan freshFor, CancellationToken ct)
    {
        var workers = new List<WorkerHeartbeat>();
        var token = Google.Protobuf.ByteString.Empty;
        do
        {
            var request = new ListWorkersRequest { Namespace = temporalNamespace, PageSize = PageSize, NextPageToken = token, Query = $"TaskQueue = '{taskQueue.Replace("'", "\\'", StringComparison.Ordinal)}'" };
            var page = await cluster.CallAsync($"list the workers of {taskQueue}", (services, rpc) => services.ListWorkersAsync(request, rpc), ct);
            foreach (var worker in page.Workers)
                workers.Add(await HeartbeatAsync(temporalNamespace, worker.WorkerInstanceKey, ct));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        return workers.Where(worker => worker.Status is not WorkerStatus.Shutdown && worker.HeartbeatTime is { } at && now - at.ToDateTimeOffset() <= freshFor)
            .GroupBy(worker => worker.HostInfo?.HostName ?? "")
            .ToDictionary(host => host.Key, host => new WorkerLoad(
                Sum(host.Select(worker => worker.ActivityTaskSlotsInfo)), Sum(host.Select(worker => worker.WorkflowTaskSlotsInfo)), host.Sum(worker => worker.CurrentStickyCacheSize)));
    }

    private async Task<WorkerHeartbeat> HeartbeatAsync(string temporalNamespace, string key, CancellationToken ct) =>
        (await cluster.CallAsync($"describe worker {key}", (services, rpc) => services.DescribeWorkerAsync(new() { Namespace = temporalNamespace, WorkerInstanceKey = key }, rpc), ct)).WorkerInfo?.WorkerHeartbeat ?? new();

    /// <summary>Null when nobody has such slots: then nobody has said.</summary>
    private static int? Sum(IEnumerable<WorkerSlotsInfo?> slots)
    {
        var known = slots.OfType<WorkerSlotsInfo>().ToList();
        return known.Count == 0 ? null : known.Sum(info => info.CurrentUsedSlots);
    }
}
