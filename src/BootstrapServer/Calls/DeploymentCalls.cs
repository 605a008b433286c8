using System.Buffers.Binary;
using Google.Protobuf;
using Grpc.Core;
using PlatformOps.BootstrapServer.Deployments;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Worker deployments: which of their versions get new work.</summary>
internal sealed class DeploymentCalls(Engine engine) : IProtocolCalls
{
    private const int DefaultPage = 1000;

    public string Service => WorkflowServiceName.Name;

    public async Task<CreateWorkerDeploymentResponse> CreateWorkerDeployment(CreateWorkerDeploymentRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        DeploymentChecks.Name(request.DeploymentName);
        var requestId = request.RequestId.Length > 0 ? request.RequestId : Guid.NewGuid().ToString();
        var existed = engine.Deployments.Exists(ns, request.DeploymentName);
        var token = await engine.Deployments.ChangeAsync(ns, request.DeploymentName, create: true, deployment =>
        {
            if (existed && deployment.CreateRequestId != requestId)
            {
                throw ServiceError.AlreadyExists(
                    $"Worker Deployment with name \"{deployment.Name}\" already exists{(deployment.CreateRequestId.Length == 0 ? " (auto-created from worker polls)" : "")}");
            }
            if (!existed)
                (deployment.CreateRequestId, deployment.LastModifier) = (requestId, request.Identity);
            return deployment.ConflictToken;
        });
        return new CreateWorkerDeploymentResponse { ConflictToken = Token(token) };
    }

    public Task<ListWorkerDeploymentsResponse> ListWorkerDeployments(ListWorkerDeploymentsRequest request, ServerCallContext context)
    {
        var all = engine.Deployments.ReadAll(engine.Namespaces.Get(request.Namespace), DeploymentMessages.ListEntry);
        var size = request.PageSize is > 0 and < DefaultPage ? request.PageSize : DefaultPage;
        var (page, next) = PageToken.Take(all, d => d.Name, request.NextPageToken, size);
        return Task.FromResult(new ListWorkerDeploymentsResponse { WorkerDeployments = { page }, NextPageToken = next });
    }

    public Task<DescribeWorkerDeploymentResponse> DescribeWorkerDeployment(DescribeWorkerDeploymentRequest request, ServerCallContext context)
    {
        DeploymentChecks.Name(request.DeploymentName);
        return Task.FromResult(engine.Deployments.Read(engine.Namespaces.Get(request.Namespace), request.DeploymentName, d => new DescribeWorkerDeploymentResponse
        {
            WorkerDeploymentInfo = DeploymentMessages.Info(d),
            ConflictToken = Token(d.ConflictToken),
        }));
    }

    public async Task<DeleteWorkerDeploymentResponse> DeleteWorkerDeployment(DeleteWorkerDeploymentRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        DeploymentChecks.Name(request.DeploymentName);
        if (engine.Deployments.Exists(ns, request.DeploymentName))
        {
            await engine.Deployments.DeleteAsync(ns, request.DeploymentName, deployment =>
            {
                if (deployment.Versions.Count > 0)
                    throw ServiceError.FailedPrecondition("deployment has versions, can't be deleted");
            });
        }
        return new DeleteWorkerDeploymentResponse();
    }

    public async Task<SetWorkerDeploymentCurrentVersionResponse> SetWorkerDeploymentCurrentVersion(SetWorkerDeploymentCurrentVersionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
#pragma warning disable CS0612 // Deprecated, and what older clients send.
        var build = Build(request.DeploymentName, request.Version, request.BuildId);
#pragma warning restore CS0612
        return await engine.Deployments.ChangeAsync(ns, request.DeploymentName, create: request.AllowNoPollers && build is not null, deployment =>
        {
            var previous = deployment.VersionOf(deployment.Current);
            if (deployment.Current == build && deployment.LastModifier == request.Identity)
                return Answer(deployment.VersionOf(build), deployment.ConflictToken);
            RequireToken(deployment, request.ConflictToken);
            RequireVersion(deployment, build, request.AllowNoPollers);
            RequireManager(deployment, request.Identity);
            AddIfMissing(deployment, build, request.Identity);
            if (!request.IgnoreMissingTaskQueues && MissingQueues.Any(engine, deployment, build))
            {
                throw ServiceError.FailedPrecondition(
                    $"proposed current version '{deployment.VersionOf(build)}' is missing active task queues from the current version; these would become unversioned if it is set as the current version");
            }
            if (deployment.Current != build)
                RoutingChange.SetCurrent(deployment, build, engine.Clock.GetUtcNow());
            Modified(deployment, request.Identity, deployment.Find(build));
            return Answer(previous, deployment.ConflictToken);
        });

        static SetWorkerDeploymentCurrentVersionResponse Answer(WorkerVersion? previous, long token) => new()
        {
            ConflictToken = Token(token),
#pragma warning disable CS0612 // Deprecated, and what older clients read.
            PreviousVersion = WorkerVersion.OldString(previous),
            PreviousDeploymentVersion = previous?.ToMessage(),
#pragma warning restore CS0612
        };
    }

    public async Task<SetWorkerDeploymentRampingVersionResponse> SetWorkerDeploymentRampingVersion(SetWorkerDeploymentRampingVersionRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.Percentage is < 0 or > 100)
            throw ServiceError.InvalidArgument("Percentage must be between 0 and 100 (inclusive)");
#pragma warning disable CS0612 // Deprecated, and what older clients send.
        var build = Build(request.DeploymentName, request.Version, request.BuildId);
#pragma warning restore CS0612
        var toUnversioned = build is null && request.Percentage > 0;
        return await engine.Deployments.ChangeAsync(ns, request.DeploymentName, create: request.AllowNoPollers && build is not null, deployment =>
        {
            var (previous, wasRamping, previousPercentage) = (deployment.VersionOf(deployment.Ramping), deployment.IsRamping, deployment.RampingPercentage);
            var same = deployment.Ramping == build && deployment.RampsToUnversioned == toUnversioned;
            if (same && previousPercentage == request.Percentage && deployment.LastModifier == request.Identity)
                return Answer(previous, wasRamping, previousPercentage, deployment.ConflictToken);
            RequireToken(deployment, request.ConflictToken);
            if (deployment.Current == build && (build is not null || toUnversioned))
                throw ServiceError.FailedPrecondition($"requested ramping version {WorkerVersion.OldString(deployment.VersionOf(build))} is already current");
            RequireVersion(deployment, build, request.AllowNoPollers);
            RequireManager(deployment, request.Identity);
            AddIfMissing(deployment, build, request.Identity);
            if (!same && !request.IgnoreMissingTaskQueues && MissingQueues.Any(engine, deployment, build))
            {
                throw ServiceError.FailedPrecondition(
                    $"proposed ramping version '{deployment.VersionOf(build)}' is missing active task queues from the current version; these would become unversioned if it is set as the ramping version");
            }
            if (!same || previousPercentage != request.Percentage)
                RoutingChange.SetRamping(deployment, build, toUnversioned, request.Percentage, engine.Clock.GetUtcNow());
            Modified(deployment, request.Identity, deployment.Find(build));
            return Answer(previous, wasRamping, previousPercentage, deployment.ConflictToken);
        });

        static SetWorkerDeploymentRampingVersionResponse Answer(WorkerVersion? previous, bool wasRamping, float percentage, long token) => new()
        {
            ConflictToken = Token(token),
#pragma warning disable CS0612 // Deprecated, and what older clients read.
            PreviousVersion = wasRamping ? WorkerVersion.OldString(previous) : "",
            PreviousPercentage = percentage,
            PreviousDeploymentVersion = previous?.ToMessage(),
#pragma warning restore CS0612
        };
    }

    public async Task<SetWorkerDeploymentManagerResponse> SetWorkerDeploymentManager(SetWorkerDeploymentManagerRequest request, ServerCallContext context)
    {
        var ns = engine.Namespaces.Get(request.Namespace);
        if (request.Identity.Length == 0)
            throw ServiceError.InvalidArgument("Identity is required");
        DeploymentChecks.Name(request.DeploymentName);
        var manager = request.Self ? request.Identity : request.ManagerIdentity;
        return await engine.Deployments.ChangeAsync(ns, request.DeploymentName, create: false, deployment =>
        {
            var previous = deployment.Manager;
            if (previous != manager || deployment.LastModifier != request.Identity)
            {
                RequireToken(deployment, request.ConflictToken);
                deployment.Manager = manager;
                Modified(deployment, request.Identity, null);
            }
            return new SetWorkerDeploymentManagerResponse
            {
                ConflictToken = Token(deployment.ConflictToken),
#pragma warning disable CS0612 // Deprecated, and what older clients read.
                PreviousManagerIdentity = previous,
#pragma warning restore CS0612
            };
        });
    }

    /// <summary>Refuses whoever is not the manager, when there is one.</summary>
    public static void RequireManager(StoredDeployment deployment, string identity)
    {
        if (deployment.Manager.Length > 0 && deployment.Manager != identity)
        {
            throw ServiceError.FailedPrecondition(
                $"ManagerIdentity '{deployment.Manager}' is set and does not match user identity '{identity}'; to proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or wait for the other client to do so");
        }
    }

    /// <summary>The build that a request means: by the current fields, or by the version that older clients send.</summary>
    private static string? Build(string deploymentName, string oldVersion, string buildId)
    {
        DeploymentChecks.Name(deploymentName);
        if (oldVersion.Length == 0 || oldVersion == WorkerVersion.Unversioned)
            return buildId.Length == 0 ? null : buildId;
        var version = WorkerVersion.Parse(oldVersion) ?? throw ServiceError.InvalidArgument($"invalid version string: expected delimiter ':' or '.' not found in version string {oldVersion}");
        return version.Deployment == deploymentName
            ? version.BuildId
            : throw ServiceError.InvalidArgument($"invalid version string '{oldVersion}' does not match deployment name '{deploymentName}'");
    }

    private static void RequireToken(StoredDeployment deployment, ByteString token)
    {
        if (!token.IsEmpty && token != Token(deployment.ConflictToken))
            throw ServiceError.FailedPrecondition("conflict token mismatch");
    }

    private static void RequireVersion(StoredDeployment deployment, string? build, bool mayBeNew)
    {
        if (build is not null && !mayBeNew && deployment.Find(build) is null)
            throw ServiceError.NotFound($"build ID '{build}' not found in Worker Deployment '{deployment.Name}'");
    }

    private void AddIfMissing(StoredDeployment deployment, string? build, string identity)
    {
        if (build is null || deployment.Find(build) is not null)
            return;
        DeploymentChecks.Version(deployment.VersionOf(build)!);
        engine.Deployments.FindOrAdd(deployment, build, identity);
    }

    private void Modified(StoredDeployment deployment, string identity, StoredVersion? version)
    {
        deployment.LastModifier = identity;
        version?.LastModifier = identity;
        deployment.ConflictToken = Math.Max(deployment.ConflictToken + 1, engine.Clock.GetUtcNow().UtcTicks);
    }

    private static ByteString Token(long token)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, token);
        return ByteString.CopyFrom(bytes);
    }
}
