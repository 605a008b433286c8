using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Matching;
using PlatformOps.BootstrapServer.Namespaces;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>A task queue's state as the protocol shows it.</summary>
internal static class QueueDescription
{
    public static PollerInfo Poller(PollerSighting seen) => new()
    {
        Identity = seen.Identity,
        LastAccessTime = seen.Time.ToTimestamp(),
        RatePerSecond = seen.TasksPerSecond ?? QueueRates.Unlimited,
        DeploymentOptions = seen.Deployment,
    };

    public static TaskQueueStats Stats(QueueStatus? status) => new()
    {
        ApproximateBacklogCount = status?.Lanes.Backlog ?? 0,
        ApproximateBacklogAge = Duration.FromTimeSpan(status?.Lanes.Age ?? TimeSpan.Zero),
        TasksAddRate = (float)(status?.Lanes.AddRate ?? 0),
        TasksDispatchRate = (float)(status?.Lanes.DispatchRate ?? 0),
        RateLimitingActive = status?.HeldBack ?? false,
    };

    /// <summary>The priorities in which something is going on; the usual one always.</summary>
    public static void AddByPriority(IDictionary<int, TaskQueueStats> stats, QueueStatus? status)
    {
        foreach (var level in status?.Lanes.Levels ?? [])
        {
            if (level.Backlog == 0 && level.AddRate == 0 && level.DispatchRate == 0 && level.Level != QueuedTask.DefaultLevel)
                continue;
            stats[level.Level] = new TaskQueueStats
            {
                ApproximateBacklogCount = level.Backlog,
                ApproximateBacklogAge = Duration.FromTimeSpan(level.Age),
                TasksAddRate = (float)level.AddRate,
                TasksDispatchRate = (float)level.DispatchRate,
            };
        }
    }

    /// <summary>Null while no version gets the queue's tasks.</summary>
    public static TaskQueueVersioningInfo? Versioning(QueueRoute? route) => route is not { IsRouted: true } ? null : new TaskQueueVersioningInfo
    {
        CurrentDeploymentVersion = route.Current?.ToMessage(),
        RampingDeploymentVersion = route.Ramping?.ToMessage(),
#pragma warning disable CS0612 // The older fields are deprecated, and what older clients read.
        CurrentVersion = WorkerVersion.OldString(route.Current),
        RampingVersion = route.Ramping is null && route.RampingPercentage == 0 ? "" : WorkerVersion.OldString(route.Ramping),
#pragma warning restore CS0612
        RampingVersionPercentage = route.RampingPercentage,
        UpdateTime = route.Updated?.ToTimestamp(),
    };

    public static DescribeTaskQueueResponse.Types.EffectiveRateLimit Limit(QueueStatus? status) => new()
    {
        RequestsPerSecond = (float)(status?.TasksPerSecond ?? QueueRates.Unlimited),
        RateLimitSource = status?.LimitSource ?? RateLimitSource.System,
    };

#pragma warning disable CS0612 // Deprecated, and what the command line still asks for.
    public static void AddStatus(DescribeTaskQueueResponse response, QueueStatus? status) => response.TaskQueueStatus = new TaskQueueStatus
    {
        BacklogCountHint = status?.Lanes.Backlog ?? 0,
        RatePerSecond = status?.TasksPerSecond ?? QueueRates.Unlimited,
    };

    /// <summary>By version, and for several types at once; the version without a name is that of workers without versions.</summary>
    public static DescribeTaskQueueResponse Enhanced(Engine engine, Namespace ns, DescribeTaskQueueRequest request)
    {
        var types = request.TaskQueueTypes.Count > 0 ? request.TaskQueueTypes.ToArray() : [TaskQueueType.Workflow, TaskQueueType.Activity];
        var builds = request.Versions is null ? [""] : request.Versions.BuildIds.ToHashSet();
        if (request.Versions is { Unversioned: true })
            builds.Add("");
        if (request.Versions is { AllActive: true })
            builds.UnionWith(types.SelectMany(t => engine.Matching.Find(ns, request.TaskQueue.Name, t)?.ActiveVersions ?? []).Select(v => v?.ToString() ?? ""));
        var response = new DescribeTaskQueueResponse();
        foreach (var build in builds)
        {
            var version = new TaskQueueVersionInfo();
            foreach (var type in types)
            {
                var status = engine.Matching.Find(ns, request.TaskQueue.Name, type)?.Describe(v => Named(v, build));
                var info = new TaskQueueTypeInfo { Stats = request.ReportStats ? Stats(status) : null };
                if (request.ReportPollers)
                    info.Pollers.AddRange(status?.Lanes.Pollers.Select(Poller) ?? []);
                version.TypesInfo[(int)type] = info;
            }
            response.VersionsInfo[build] = version;
        }
        return response;
    }
#pragma warning restore CS0612

    private static bool Named(WorkerVersion? version, string build) => (version?.ToString() ?? "") == build || version?.BuildId == build;
}
