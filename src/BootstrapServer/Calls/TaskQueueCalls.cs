using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>What waits in a task queue, and who asks for it.</summary>
internal sealed class TaskQueueCalls(Engine engine) : IProtocolCalls
{
    /// <summary>What a poller reports as its rate when it sets no limit: the real server's number for "unlimited".</summary>
    private const double Unlimited = 100_000;

    public ServiceDescriptor Service => WorkflowServiceName.Descriptor;

    public Task<DescribeTaskQueueResponse> DescribeTaskQueue(DescribeTaskQueueRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.TaskQueue is not { Name.Length: > 0 } asked)
            throw ServiceError.InvalidArgument("TaskQueue is not set on request.");
#pragma warning disable CS0612 // Deprecated, and older tools still send it: they get a clear answer.
        if (request.ApiMode != DescribeTaskQueueMode.Unspecified)
            throw ServiceError.Unimplemented("DescribeTaskQueue in enhanced mode (api_mode)");
#pragma warning restore CS0612
        var type = request.TaskQueueType == TaskQueueType.Unspecified ? TaskQueueType.Workflow : request.TaskQueueType;
        var response = new DescribeTaskQueueResponse();
        var status = engine.Matching.Find(ns, asked.Name, type)?.Describe();
        response.Pollers.AddRange(status?.Pollers.OrderByDescending(p => p.Time).Select(Poller) ?? []);
        if (request.ReportStats)
            response.Stats = Stats(status);
        return Task.FromResult(response);
    }

    private static PollerInfo Poller(PollerSighting seen) => new()
    {
        Identity = seen.Identity,
        LastAccessTime = seen.Time.ToTimestamp(),
        RatePerSecond = Unlimited,
        DeploymentOptions = seen.Deployment,
    };

    private static TaskQueueStats Stats(QueueStatus? status) => new()
    {
        ApproximateBacklogCount = status?.Backlog ?? 0,
        ApproximateBacklogAge = Duration.FromTimeSpan(status?.BacklogAge ?? TimeSpan.Zero),
        TasksAddRate = (float)(status?.AddRate ?? 0),
        TasksDispatchRate = (float)(status?.DispatchRate ?? 0),
    };
}
