using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>Changes which versions of a deployment get new work, and what that makes of each version.</summary>
internal static class RoutingChange
{
    /// <summary>Makes a build, or workers without version, get what is not pinned. A ramp to it is over with that.</summary>
    public static void SetCurrent(StoredDeployment deployment, string? buildId, DateTimeOffset now)
    {
        var promoted = deployment.IsRamping && (buildId is null ? deployment.RampsToUnversioned : deployment.Ramping == buildId);
        deployment.Current = buildId;
        deployment.CurrentChanged = now;
        deployment.Revision++;
        if (promoted)
            SetRampFields(deployment, null, false, 0, now);
        UpdateVersions(deployment, now);
    }

    /// <summary>Gives a build, or workers without version, a share of what is not pinned.</summary>
    public static void SetRamping(StoredDeployment deployment, string? buildId, bool toUnversioned, float percentage, DateTimeOffset now)
    {
        SetRampFields(deployment, buildId, toUnversioned, percentage, now);
        deployment.Revision++;
        UpdateVersions(deployment, now);
    }

    /// <summary>Notes that runs are, or are not any more, held by a version that gets no new work.</summary>
    /// <returns>True when that changed the version.</returns>
    public static bool SetHeld(StoredVersion version, bool held, DateTimeOffset now)
    {
        if (version.Status is WorkerDeploymentVersionStatus.Current or WorkerDeploymentVersionStatus.Ramping)
            return false;
        if (held ? version.Drainage == VersionDrainageStatus.Draining : version.Drainage != VersionDrainageStatus.Draining)
            return false;
        version.Drainage = held ? VersionDrainageStatus.Draining : VersionDrainageStatus.Drained;
        version.Status = held ? WorkerDeploymentVersionStatus.Draining : WorkerDeploymentVersionStatus.Drained;
        version.DrainageChanged = version.DrainageChecked = now;
        return true;
    }

    private static void SetRampFields(StoredDeployment deployment, string? buildId, bool toUnversioned, float percentage, DateTimeOffset now)
    {
        if (deployment.Ramping != buildId || deployment.RampsToUnversioned != toUnversioned)
            deployment.RampingChanged = now;
        deployment.Ramping = buildId;
        deployment.RampsToUnversioned = toUnversioned;
        deployment.RampingPercentage = percentage;
        deployment.PercentageChanged = now;
    }

    private static void UpdateVersions(StoredDeployment deployment, DateTimeOffset now)
    {
        foreach (var version in deployment.Versions)
        {
            var wasActive = version.CurrentSince is not null || version.RampingSince is not null;
            if (version.BuildId == deployment.Current)
                Activate(version, WorkerDeploymentVersionStatus.Current, deployment.CurrentChanged, 0, deployment.CurrentChanged, now);
            else if (version.BuildId == deployment.Ramping)
                Activate(version, WorkerDeploymentVersionStatus.Ramping, deployment.RampingChanged, deployment.RampingPercentage, deployment.PercentageChanged, now);
            else if (wasActive)
                Deactivate(version, now);
        }
    }

    private static void Activate(StoredVersion version, WorkerDeploymentVersionStatus status, DateTimeOffset? since, float percentage, DateTimeOffset? changed, DateTimeOffset now)
    {
        var current = status == WorkerDeploymentVersionStatus.Current;
        version.Status = status;
        version.CurrentSince = current ? since : null;
        version.RampingSince = current ? null : since;
        version.RampPercentage = percentage;
        version.RoutingChanged = changed;
        version.FirstActivation ??= now;
        if (current)
            version.LastCurrent = since;
        version.LastDeactivation = null;
        version.Drainage = VersionDrainageStatus.Unspecified;
        version.DrainageChanged = version.DrainageChecked = null;
    }

    private static void Deactivate(StoredVersion version, DateTimeOffset now)
    {
        version.CurrentSince = version.RampingSince = null;
        version.RampPercentage = 0;
        version.RoutingChanged = version.LastDeactivation = now;
        version.Status = WorkerDeploymentVersionStatus.Draining;
        version.Drainage = VersionDrainageStatus.Draining;
        version.DrainageChanged = version.DrainageChecked = now;
    }
}
