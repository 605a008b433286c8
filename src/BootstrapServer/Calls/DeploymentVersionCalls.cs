using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Namespaces;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>The versions of worker deployments.</summary>
internal sealed class DeploymentVersionCalls(Engine engine) : IProtocolCalls
{
    public string Service => WorkflowServiceName.Name;

    public async Task<CreateWorkerDeploymentVersionResponse> CreateWorkerDeploymentVersion(CreateWorkerDeploymentVersionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        var version = WorkerVersion.From(request.DeploymentVersion) ?? throw ServiceError.InvalidArgument("deployment name cannot be empty");
        DeploymentChecks.Version(version);
        if (request.ComputeConfig is { ScalingGroups.Count: > 0 })
            throw ServiceError.Unimplemented("CreateWorkerDeploymentVersion with a compute configuration");
        var requestId = request.RequestId.Length > 0 ? request.RequestId : Guid.NewGuid().ToString();
        return await engine.Deployments.ChangeAsync(ns, version.Deployment, create: false, deployment =>
        {
            if (deployment.Find(version.BuildId) is { } existing && existing.CreateRequestId != requestId)
                throw ServiceError.AlreadyExists($"Worker Deployment Version \"{version.ToOldString()}\" already exists");
            engine.Deployments.FindOrAdd(deployment, version.BuildId, request.Identity, WorkerDeploymentVersionStatus.Created).CreateRequestId = requestId;
            return new CreateWorkerDeploymentVersionResponse();
        });
    }

    public Task<DescribeWorkerDeploymentVersionResponse> DescribeWorkerDeploymentVersion(DescribeWorkerDeploymentVersionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
#pragma warning disable CS0612 // Deprecated, and what older clients send.
        var asked = Asked(request.Version, request.DeploymentVersion);
#pragma warning restore CS0612
        DeploymentChecks.Version(asked);
        if (!engine.Deployments.Exists(ns, asked.Deployment))
            throw ServiceError.NotFound("Worker Deployment Version not found");
        return Task.FromResult(engine.Deployments.Read(ns, asked.Deployment, deployment =>
        {
            var version = deployment.Find(asked.BuildId) ?? throw ServiceError.NotFound("Worker Deployment Version not found");
            var response = new DescribeWorkerDeploymentVersionResponse { WorkerDeploymentVersionInfo = DeploymentMessages.Version(deployment, version) };
            response.VersionTaskQueues.AddRange(version.Queues.Select(q => Queue(ns, q, asked, request.ReportTaskQueueStats)));
            return response;
        }));
    }

    public async Task<DeleteWorkerDeploymentVersionResponse> DeleteWorkerDeploymentVersion(DeleteWorkerDeploymentVersionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
#pragma warning disable CS0612 // Deprecated, and what older clients send.
        var asked = Asked(request.Version, request.DeploymentVersion);
#pragma warning restore CS0612
        if (!engine.Deployments.Exists(ns, asked.Deployment))
            throw ServiceError.NotFound("Worker Deployment not found");
        return await engine.Deployments.ChangeAsync(ns, asked.Deployment, create: false, deployment =>
        {
            if (deployment.Find(asked.BuildId) is not { } version)
                return new DeleteWorkerDeploymentVersionResponse(); // gone already
            if (version.Status is WorkerDeploymentVersionStatus.Current or WorkerDeploymentVersionStatus.Ramping)
                throw ServiceError.FailedPrecondition($"version '{asked}' cannot be deleted since it is current or ramping");
            DeploymentCalls.RequireManager(deployment, request.Identity);
            if (version.Drainage == VersionDrainageStatus.Draining && !request.SkipDrainage)
                throw ServiceError.FailedPrecondition($"version '{asked}' cannot be deleted since it is draining");
            if (engine.Deployments.HasPollers(deployment, version))
                throw ServiceError.FailedPrecondition($"version '{asked}' cannot be deleted since it has active pollers");
            engine.Deployments.Remove(deployment, version);
            deployment.LastModifier = request.Identity;
            return new DeleteWorkerDeploymentVersionResponse();
        });
    }

    public async Task<UpdateWorkerDeploymentVersionMetadataResponse> UpdateWorkerDeploymentVersionMetadata(UpdateWorkerDeploymentVersionMetadataRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.UpsertEntries.Count == 0 && request.RemoveEntries.Count == 0)
            throw ServiceError.InvalidArgument("At least one of remove_entries or upsert_entries must be provided");
#pragma warning disable CS0612 // Deprecated, and what older clients send.
        var asked = Asked(request.Version, request.DeploymentVersion);
#pragma warning restore CS0612
        return await engine.Deployments.ChangeAsync(ns, asked.Deployment, create: false, deployment =>
        {
            var version = deployment.Find(asked.BuildId) ?? throw ServiceError.NotFound("Worker Deployment Version not found");
            version.Metadata ??= new VersionMetadata();
            foreach (var (key, value) in request.UpsertEntries)
                version.Metadata.Entries[key] = value;
            foreach (var key in request.RemoveEntries)
                version.Metadata.Entries.Remove(key);
            version.LastModifier = request.Identity;
            return new UpdateWorkerDeploymentVersionMetadataResponse { Metadata = version.Metadata };
        });
    }

    private static WorkerVersion Asked(string oldVersion, WorkerDeploymentVersion? version)
    {
        if (version is not null)
            return WorkerVersion.From(version)!;
        if (oldVersion.Length == 0)
            throw ServiceError.InvalidArgument("deployment version cannot be empty");
        return WorkerVersion.Parse(oldVersion)
            ?? throw ServiceError.InvalidArgument($"invalid version string \"{oldVersion}\", expected format is \"<deployment_name>.<build_id>\"");
    }

    private DescribeWorkerDeploymentVersionResponse.Types.VersionTaskQueue Queue(Namespace ns, VersionQueue queue, WorkerVersion version, bool stats)
    {
        var shown = new DescribeWorkerDeploymentVersionResponse.Types.VersionTaskQueue { Name = queue.Name, Type = queue.Type };
        if (!stats)
            return shown;
        var status = engine.Matching.Find(ns, queue.Name, queue.Type)?.Describe(v => v == version);
        shown.Stats = QueueDescription.Stats(status);
        QueueDescription.AddByPriority(shown.StatsByPriorityKey, status);
        return shown;
    }
}
