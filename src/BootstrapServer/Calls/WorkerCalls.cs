using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using PlatformOps.BootstrapServer.Workers;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Worker.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Workers as they report themselves, and their goodbye.</summary>
internal sealed class WorkerCalls(Engine engine, WorkerRegistry workers) : IProtocolCalls
{
    private const int DefaultPage = 100;

    public string Service => WorkflowServiceName.Name;

    public Task<RecordWorkerHeartbeatResponse> RecordWorkerHeartbeat(RecordWorkerHeartbeatRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        foreach (var heartbeat in request.WorkerHeartbeat)
            workers.Record(ns, heartbeat);
        return Task.FromResult(new RecordWorkerHeartbeatResponse());
    }

    public Task<ListWorkersResponse> ListWorkers(ListWorkersRequest request, ServerCallContext context)
    {
        var found = Found(request.Namespace, request.Query);
        var (page, next) = PageToken.Take(found, w => w.WorkerInstanceKey, request.NextPageToken, request.PageSize > 0 ? request.PageSize : DefaultPage);
        var response = new ListWorkersResponse { NextPageToken = next };
#pragma warning disable CS0612 // Deprecated in favour of the shorter list, and what older tools read.
        response.WorkersInfo.AddRange(page.Select(w => new WorkerInfo { WorkerHeartbeat = w }));
#pragma warning restore CS0612
        response.Workers.AddRange(page.Select(Short));
        return Task.FromResult(response);
    }

    public Task<CountWorkersResponse> CountWorkers(CountWorkersRequest request, ServerCallContext context) =>
        Task.FromResult(new CountWorkersResponse { Count = Found(request.Namespace, request.Query).Count });

    public Task<DescribeWorkerResponse> DescribeWorker(DescribeWorkerRequest request, ServerCallContext context)
    {
        var found = workers.Of(engine.Namespaces.Get(request.Namespace)).FirstOrDefault(w => w.WorkerInstanceKey == request.WorkerInstanceKey)
            ?? throw ServiceError.NotFound($"worker {request.WorkerInstanceKey} is not found");
        return Task.FromResult(new DescribeWorkerResponse { WorkerInfo = new WorkerInfo { WorkerHeartbeat = found } });
    }

    public Task<ShutdownWorkerResponse> ShutdownWorker(ShutdownWorkerRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        var types = request.TaskQueueTypes.Count > 0 ? request.TaskQueueTypes.ToArray() : [TaskQueueType.Workflow, TaskQueueType.Activity];
        engine.Matching.ReleaseWorker(ns, request.WorkerInstanceKey, types.Select(t => new QueueName(ns.Id, request.TaskQueue, t)));
        if (request.WorkerHeartbeat is { } last)
            workers.Record(ns, last);
        engine.Matching.ReleaseSticky(ns, request.StickyTaskQueue);
        return Task.FromResult(new ShutdownWorkerResponse());
    }

    private List<WorkerHeartbeat> Found(string namespaceName, string query)
    {
        var filter = WorkerFilter.Parse(query);
        return [.. workers.Of(engine.Namespaces.Get(namespaceName)).Where(filter)];
    }

    private static WorkerListInfo Short(WorkerHeartbeat worker)
    {
        var info = new WorkerListInfo
        {
            WorkerInstanceKey = worker.WorkerInstanceKey,
            WorkerIdentity = worker.WorkerIdentity,
            TaskQueue = worker.TaskQueue,
            DeploymentVersion = worker.DeploymentVersion,
            SdkName = worker.SdkName,
            SdkVersion = worker.SdkVersion,
            Status = worker.Status,
            StartTime = worker.StartTime,
            HostName = worker.HostInfo?.HostName ?? "",
            WorkerGroupingKey = worker.HostInfo?.WorkerGroupingKey ?? "",
            ProcessId = worker.HostInfo?.ProcessId ?? "",
        };
        info.Plugins.AddRange(worker.Plugins);
        info.Drivers.AddRange(worker.Drivers);
        return info;
    }
}
