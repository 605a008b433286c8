using System.Globalization;
using Google.Protobuf;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Scaling;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PlatformOps.Adapters.Temporal;

/// <summary>The worker deployments of the platform's own Temporal: which version of the workers gets which part of the new runs.</summary>
public sealed class WorkerDeployments(TemporalCluster cluster)
{
    /// <summary>What Temporal knows of a deployment, and the token that a change of it takes. Null: no worker has polled with that deployment.</summary>
    public async Task<(WorkerDeploymentInfo Info, ByteString Token)?> FindAsync(string temporalNamespace, string deployment, CancellationToken ct)
    {
        try
        {
            var found = await cluster.CallAsync(
                $"describe worker deployment {deployment}", (services, rpc) => services.DescribeWorkerDeploymentAsync(new() { Namespace = temporalNamespace, DeploymentName = deployment }, rpc), ct);
            return (found.WorkerDeploymentInfo, found.ConflictToken);
        }
        catch (AdapterException failure) when (failure.InnerException is RpcException { Code: RpcException.StatusCode.NotFound })
        {
            return null;
        }
    }

    /// <summary>The task queues that a version's workers poll, with what of.</summary>
    public async Task<IReadOnlySet<string>> QueuesAsync(string temporalNamespace, string deployment, string buildId, CancellationToken ct)
    {
        var found = await cluster.CallAsync(
            $"describe version {buildId} of worker deployment {deployment}",
            (services, rpc) => services.DescribeWorkerDeploymentVersionAsync(new() { Namespace = temporalNamespace, DeploymentVersion = new() { DeploymentName = deployment, BuildId = buildId } }, rpc), ct);
        return found.VersionTaskQueues.Select(queue => $"{queue.Name} ({queue.Type.ToString().ToLowerInvariant()})").ToHashSet();
    }

    /// <summary>Whether a worker of a version has polled a task queue for workflow tasks lately (Temporal remembers pollers for five minutes).</summary>
    public async Task<bool> IsPolledAsync(string temporalNamespace, string taskQueue, string deployment, string buildId, CancellationToken ct)
    {
        var request = new DescribeTaskQueueRequest { Namespace = temporalNamespace, TaskQueue = new() { Name = taskQueue }, TaskQueueType = TaskQueueType.Workflow };
        var found = await cluster.CallAsync($"describe task queue {taskQueue}", (services, rpc) => services.DescribeTaskQueueAsync(request, rpc), ct);
        return found.Pollers.Any(poller => poller.DeploymentOptions is { } options && options.DeploymentName == deployment && options.BuildId == buildId);
    }

    /// <summary>What became of the runs on a version that were started since a moment.</summary>
    public async Task<RunCounts> CountAsync(string temporalNamespace, string deployment, string buildId, DateTimeOffset since, CancellationToken ct)
    {
        var runs = $"TemporalWorkerDeploymentVersion = '{Quoted(deployment)}:{Quoted(buildId)}' AND StartTime >= '{since.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)}'";
        return new(
            await CountAsync(temporalNamespace, $"{runs} AND ExecutionStatus != 'Running'", ct),
            await CountAsync(temporalNamespace, $"{runs} AND ExecutionStatus IN ('Failed', 'TimedOut')", ct),
            await StuckAsync(temporalNamespace, $"TemporalWorkerDeploymentVersion = '{Quoted(deployment)}:{Quoted(buildId)}' AND ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL", ct));
    }

    /// <summary>Gives a version a part of the new runs. The same part again changes nothing.</summary>
    /// <param name="buildId">Null: the part that another version has is taken away.</param>
    /// <param name="token">Of the look that this was decided on: whoever changed the deployment since makes it fail.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Conflict"/>: the deployment was changed since, somebody else manages it, or the version's workers do not poll what the current ones poll.</exception>
    public Task RampAsync(string temporalNamespace, string deployment, string? buildId, double percentage, ByteString token, CancellationToken ct) => ChangeAsync(
        deployment,
        $"give version {buildId ?? "(none)"} of worker deployment {deployment} its part",
        (services, rpc) => services.SetWorkerDeploymentRampingVersionAsync(
            new() { Namespace = temporalNamespace, DeploymentName = deployment, BuildId = buildId ?? "", Percentage = (float)percentage, ConflictToken = token, Identity = Ownership.FieldManager }, rpc),
        ct);

    /// <summary>Gives a version all new runs.</summary>
    /// <param name="buildId">Null: workers without a version get them.</param>
    /// <inheritdoc cref="RampAsync"/>
    public Task MakeCurrentAsync(string temporalNamespace, string deployment, string? buildId, ByteString token, CancellationToken ct) => ChangeAsync(
        deployment,
        $"make version {buildId ?? "(none)"} of worker deployment {deployment} current",
        (services, rpc) => services.SetWorkerDeploymentCurrentVersionAsync(
            new() { Namespace = temporalNamespace, DeploymentName = deployment, BuildId = buildId ?? "", ConflictToken = token, Identity = Ownership.FieldManager }, rpc),
        ct);

    /// <summary>Forgets a version. One that is gone already counts as forgotten.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Conflict"/>: workers still poll with it, or it is in use.</exception>
    public Task DeleteVersionAsync(string temporalNamespace, string deployment, string buildId, CancellationToken ct) => ChangeAsync(
        deployment,
        $"delete version {buildId} of worker deployment {deployment}",
        (services, rpc) => services.DeleteWorkerDeploymentVersionAsync(
            new() { Namespace = temporalNamespace, DeploymentVersion = new() { DeploymentName = deployment, BuildId = buildId }, Identity = Ownership.FieldManager }, rpc),
        ct);

    /// <summary>The versions of a deployment as they are decided on.</summary>
    public static IReadOnlyList<ObservedVersion> Versions(WorkerDeploymentInfo info) =>
    [
        .. info.VersionSummaries.Select(version => new ObservedVersion(
            version.DeploymentVersion.BuildId,
            version.Status switch
            {
                WorkerDeploymentVersionStatus.Current => VersionStanding.Current,
                WorkerDeploymentVersionStatus.Ramping => VersionStanding.Ramping,
                WorkerDeploymentVersionStatus.Draining => VersionStanding.Draining,
                WorkerDeploymentVersionStatus.Drained => VersionStanding.Drained,
                _ => VersionStanding.Inactive,
            },
            version.CreateTime?.ToDateTimeOffset() ?? DateTimeOffset.MinValue,
            version.Status == WorkerDeploymentVersionStatus.Drained ? version.DrainageInfo?.LastChangedTime?.ToDateTimeOffset() : null)),
    ];

    /// <summary>What a deployment does not allow as it is now is no mistake of ours that would stay one.</summary>
    private async Task ChangeAsync<T>(string deployment, string what, Func<WorkflowService, RpcOptions, Task<T>> call, CancellationToken ct)
    {
        try
        {
            await cluster.CallAsync(what, call, ct);
        }
        catch (AdapterException failure) when (failure.InnerException is RpcException { Code: RpcException.StatusCode.FailedPrecondition } refused)
        {
            throw new AdapterException(
                AdapterFailureKind.Conflict, $"Temporal of {cluster.Region} does not {what} as things are: {refused.Message.TrimEnd('.')}. See `temporal worker deployment describe --name {deployment}`.", failure);
        }
    }

    /// <summary>Servers before 1.30 do not know the attribute, and refuse the query: none of their runs is known to be stuck.</summary>
    private async Task<long> StuckAsync(string temporalNamespace, string query, CancellationToken ct)
    {
        try
        {
            return await CountAsync(temporalNamespace, query, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Rejected)
        {
            return 0;
        }
    }

    private Task<long> CountAsync(string temporalNamespace, string query, CancellationToken ct) => cluster.CallAsync(
        "count workflow executions", async (services, rpc) => (await services.CountWorkflowExecutionsAsync(new() { Namespace = temporalNamespace, Query = query }, rpc)).Count, ct);

    private static string Quoted(string text) => text.Replace("'", "\\'", StringComparison.Ordinal);
}
