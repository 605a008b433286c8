using Google.Protobuf.WellKnownTypes;
using PlatformOps.BootstrapServer.Deployments;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace PlatformOps.BootstrapServer.Calls;

/// <summary>Deployments and their versions as the protocol shows them, with the fields that older clients read.</summary>
internal static class DeploymentMessages
{
#pragma warning disable CS0612 // Deprecated, and what clients before the current ones read.
    public static WorkerDeploymentInfo Info(StoredDeployment deployment)
    {
        var info = new WorkerDeploymentInfo
        {
            Name = deployment.Name,
            CreateTime = deployment.Created.ToTimestamp(),
            RoutingConfig = Routing(deployment),
            LastModifierIdentity = deployment.LastModifier,
            ManagerIdentity = deployment.Manager,
            RoutingConfigUpdateState = RoutingConfigUpdateState.Completed,
        };
        info.VersionSummaries.AddRange(deployment.Versions.OrderByDescending(v => v.Created).Select(v => Summary(deployment, v)));
        return info;
    }

    public static ListWorkerDeploymentsResponse.Types.WorkerDeploymentSummary ListEntry(StoredDeployment deployment) => new()
    {
        Name = deployment.Name,
        CreateTime = deployment.Created.ToTimestamp(),
        RoutingConfig = Routing(deployment),
        LatestVersionSummary = deployment.Versions.MaxBy(v => v.Created) is { } latest ? Summary(deployment, latest) : null,
        CurrentVersionSummary = deployment.Find(deployment.Current) is { } current ? Summary(deployment, current) : null,
        RampingVersionSummary = deployment.Find(deployment.Ramping) is { } ramping ? Summary(deployment, ramping) : null,
    };

    public static RoutingConfig Routing(StoredDeployment deployment) => new()
    {
        CurrentDeploymentVersion = deployment.VersionOf(deployment.Current)?.ToMessage(),
        CurrentVersion = WorkerVersion.OldString(deployment.VersionOf(deployment.Current)),
        RampingDeploymentVersion = deployment.VersionOf(deployment.Ramping)?.ToMessage(),
        RampingVersion = deployment.IsRamping ? WorkerVersion.OldString(deployment.VersionOf(deployment.Ramping)) : "",
        RampingVersionPercentage = deployment.RampingPercentage,
        CurrentVersionChangedTime = deployment.CurrentChanged?.ToTimestamp(),
        RampingVersionChangedTime = deployment.RampingChanged?.ToTimestamp(),
        RampingVersionPercentageChangedTime = deployment.PercentageChanged?.ToTimestamp(),
        RevisionNumber = deployment.Revision,
    };

    public static WorkerDeploymentVersionInfo Version(StoredDeployment deployment, StoredVersion version)
    {
        var info = new WorkerDeploymentVersionInfo
        {
            Version = deployment.VersionOf(version.BuildId)!.ToOldString(),
            DeploymentVersion = deployment.VersionOf(version.BuildId)!.ToMessage(),
            DeploymentName = deployment.Name,
            Status = version.Status,
            CreateTime = version.Created.ToTimestamp(),
            RoutingChangedTime = version.RoutingChanged?.ToTimestamp(),
            CurrentSinceTime = version.CurrentSince?.ToTimestamp(),
            RampingSinceTime = version.RampingSince?.ToTimestamp(),
            FirstActivationTime = version.FirstActivation?.ToTimestamp(),
            LastCurrentTime = version.LastCurrent?.ToTimestamp(),
            LastDeactivationTime = version.LastDeactivation?.ToTimestamp(),
            RampPercentage = version.RampPercentage,
            DrainageInfo = Drainage(version),
            Metadata = version.Metadata,
            LastModifierIdentity = version.LastModifier,
        };
        info.TaskQueueInfos.AddRange(version.Queues.Select(q => new WorkerDeploymentVersionInfo.Types.VersionTaskQueueInfo { Name = q.Name, Type = q.Type }));
        return info;
    }

    private static WorkerDeploymentInfo.Types.WorkerDeploymentVersionSummary Summary(StoredDeployment deployment, StoredVersion version) => new()
    {
        Version = deployment.VersionOf(version.BuildId)!.ToOldString(),
        DeploymentVersion = deployment.VersionOf(version.BuildId)!.ToMessage(),
        Status = version.Status,
        CreateTime = version.Created.ToTimestamp(),
        DrainageStatus = version.Drainage,
        DrainageInfo = Drainage(version),
        CurrentSinceTime = version.CurrentSince?.ToTimestamp(),
        RampingSinceTime = version.RampingSince?.ToTimestamp(),
        RoutingUpdateTime = version.RoutingChanged?.ToTimestamp(),
        FirstActivationTime = version.FirstActivation?.ToTimestamp(),
        LastCurrentTime = version.LastCurrent?.ToTimestamp(),
        LastDeactivationTime = version.LastDeactivation?.ToTimestamp(),
    };
#pragma warning restore CS0612

    private static VersionDrainageInfo? Drainage(StoredVersion version) => version.Drainage == VersionDrainageStatus.Unspecified ? null : new VersionDrainageInfo
    {
        Status = version.Drainage,
        LastChangedTime = version.DrainageChanged?.ToTimestamp(),
        LastCheckedTime = version.DrainageChecked?.ToTimestamp(),
    };
}
