using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What waits in a task queue, who asks for it, and what operators set for it.</summary>
internal sealed class TaskQueueCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public Task<DescribeTaskQueueResponse> DescribeTaskQueue(DescribeTaskQueueRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue is not { Name.Length: > 0 } asked)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
#pragma warning disable CS0612 // Deprecated, and what the command line still asks for.
        if (request.ApiMode == DescribeTaskQueueMode.Enhanced)
            return Task.FromResult(QueueDescription.Enhanced(engine, ns, request));
        var withStatus = request.IncludeTaskQueueStatus;
#pragma warning restore CS0612
        var type = request.TaskQueueType == TaskQueueType.Unspecified ? TaskQueueType.Workflow : request.TaskQueueType;
        var name = new QueueName(ns.Id, asked.Name, type);
        var status = engine.Matching.Find(ns, asked.Name, type)?.Describe();
        var response = new DescribeTaskQueueResponse();
        response.Pollers.AddRange(status?.Lanes.Pollers.OrderByDescending(p => p.Time).Select(QueueDescription.Poller) ?? []);
        if (request.ReportStats)
        {
            response.Stats = QueueDescription.Stats(status);
            QueueDescription.AddByPriority(response.StatsByPriorityKey, status);
        }
        if (request.ReportConfig)
        {
            response.Config = engine.Matching.ConfigOf(name);
            response.EffectiveRateLimit = QueueDescription.Limit(status);
        }
        response.VersioningInfo = QueueDescription.Versioning(engine.Deployments.RouteOf(name));
        if (withStatus)
            QueueDescription.AddStatus(response, status);
        return Task.FromResult(response);
    }

    public async Task<UpdateTaskQueueConfigResponse> UpdateTaskQueueConfig(UpdateTaskQueueConfigRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue.Length == 0)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
        QueueConfigUpdate.Check(request);
        var now = Timestamp.FromDateTimeOffset(engine.Clock.GetUtcNow());
        var config = await engine.Matching.ConfigureAsync(new QueueName(ns.Id, request.TaskQueue, request.TaskQueueType), c => QueueConfigUpdate.Apply(request, c, now));
        return new UpdateTaskQueueConfigResponse { Config = config };
    }

    public Task<ListTaskQueuePartitionsResponse> ListTaskQueuePartitions(ListTaskQueuePartitionsRequest request, ServerCallContext context)
    {
        engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue is not { Name.Length: > 0 } asked)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
        // Queues are not divided here: each is its own only partition.
        var only = new TaskQueuePartitionMetadata { Key = asked.Name, OwnerHostName = "localhost" };
        return Task.FromResult(new ListTaskQueuePartitionsResponse { ActivityTaskQueuePartitions = { only }, WorkflowTaskQueuePartitions = { only } });
    }
}
