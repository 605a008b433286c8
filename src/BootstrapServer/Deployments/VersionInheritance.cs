using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// What a run hands on of its version to the runs that it starts or that continue it. A pinned run hands its version on; one
/// that upgrades says where it was, so that the next does not start on an older version than that.
/// </summary>
internal static class VersionInheritance
{
    /// <param name="sameQueue">The child is in the parent's namespace and on its queue.</param>
    /// <param name="served">Whether workers of a version serve the child's queue; never in another namespace.</param>
    public static void IntoChild(VersioningState? parent, WorkflowExecutionStartedEventAttributes child, bool sameQueue, Func<WorkerVersion, bool> served)
    {
        if (parent is null || child.VersioningOverride is not null)
            return;
        var version = parent.Version;
        var fits = version is not null && (sameQueue || served(version));
        if (fits && parent.Behavior == VersioningBehavior.Pinned)
            child.InheritedPinnedVersion = version!.ToMessage();
        if (fits && VersioningOverrides.TargetOf(parent.Info.VersioningOverride) is not null)
            child.VersioningOverride = parent.Info.VersioningOverride;
        if (fits && parent.Behavior == VersioningBehavior.AutoUpgrade)
            child.InheritedAutoUpgradeInfo = Upgrade(parent, ContinueAsNewVersioningBehavior.Unspecified);
    }

    /// <param name="sameQueue">The next run is on the same queue.</param>
    /// <param name="asked">Where the workflow wants its next run to begin.</param>
    public static void IntoContinued(VersioningState? state, WorkflowExecutionStartedEventAttributes next, bool sameQueue, Func<WorkerVersion, bool> served, ContinueAsNewVersioningBehavior asked)
    {
        Clear(next);
        if (state?.Version is not { } version || !(sameQueue || served(version)))
            return;
        if (VersioningOverrides.IsPinned(state.Info.VersioningOverride))
            next.VersioningOverride = state.Info.VersioningOverride;
        if (state.Behavior == VersioningBehavior.Pinned && asked == ContinueAsNewVersioningBehavior.Unspecified)
        {
            next.InheritedPinnedVersion = version.ToMessage();
            next.DeclinedTargetVersionUpgrade = Declined(state);
        }
        else if (state.Behavior != VersioningBehavior.Unspecified)
        {
            next.InheritedAutoUpgradeInfo = Upgrade(state, asked);
        }
    }

    /// <summary>A retry inherits what the run that failed had inherited.</summary>
    public static void IntoRetry(VersioningState? state, WorkflowExecutionStartedEventAttributes failed, WorkflowExecutionStartedEventAttributes next)
    {
        Clear(next);
        if (state is null)
            return;
        if (VersioningOverrides.IsPinned(state.Info.VersioningOverride))
            next.VersioningOverride = state.Info.VersioningOverride;
        if (state.Behavior == VersioningBehavior.Pinned && failed.InheritedPinnedVersion is not null)
        {
            next.InheritedPinnedVersion = state.Version?.ToMessage();
            next.DeclinedTargetVersionUpgrade = failed.DeclinedTargetVersionUpgrade;
        }
        else if (state.Behavior == VersioningBehavior.AutoUpgrade)
        {
            next.InheritedAutoUpgradeInfo = Upgrade(state, state.Info.ContinueAsNewInitialVersioningBehavior);
        }
    }

    /// <summary>The next run of a cron schedule begins where routing says, unless an operator pinned the workflow.</summary>
    public static void IntoCron(VersioningState? state, WorkflowExecutionStartedEventAttributes next)
    {
        Clear(next);
        if (VersioningOverrides.IsPinned(state?.Info.VersioningOverride))
            next.VersioningOverride = state!.Info.VersioningOverride;
    }

    /// <summary>What a run that starts knows of versions; null when nothing.</summary>
    public static VersioningState? AtStart(WorkflowExecutionStartedEventAttributes start)
    {
        if (start.VersioningOverride is null && start.InheritedPinnedVersion is null && start.InheritedAutoUpgradeInfo is null)
            return null;
        var state = new VersioningState();
        state.Info.VersioningOverride = VersioningOverrides.Current(start.VersioningOverride);
        if (start.InheritedPinnedVersion is { } pinned)
        {
            state.Info.DeploymentVersion = pinned;
            state.Info.Behavior = VersioningBehavior.Pinned;
            if (start.ContinuedExecutionRunId.Length > 0 && start.DeclinedTargetVersionUpgrade is { } declined)
                state.Declined = VersionNotice.Of(WorkerVersion.From(declined.DeploymentVersion), declined.RevisionNumber);
        }
        if (start.InheritedAutoUpgradeInfo is { } upgrade)
        {
            state.Info.DeploymentVersion = upgrade.SourceDeploymentVersion;
            state.Info.RevisionNumber = upgrade.SourceDeploymentRevisionNumber;
            state.Info.Behavior = VersioningBehavior.AutoUpgrade;
            state.Info.ContinueAsNewInitialVersioningBehavior = upgrade.ContinueAsNewInitialVersioningBehavior;
        }
        state.WorkerDeployment = state.Version?.Deployment ?? "";
        return state;
    }

    private static void Clear(WorkflowExecutionStartedEventAttributes next)
    {
        next.VersioningOverride = null;
        next.InheritedPinnedVersion = null;
        next.InheritedAutoUpgradeInfo = null;
        next.DeclinedTargetVersionUpgrade = null;
    }

    /// <summary>Null when the run did not come to its version by routing: then there is nothing to stay ahead of.</summary>
    private static InheritedAutoUpgradeInfo? Upgrade(VersioningState state, ContinueAsNewVersioningBehavior asked) => state.Version is null || state.Info.RevisionNumber == 0 ? null : new InheritedAutoUpgradeInfo
    {
        SourceDeploymentVersion = state.Version.ToMessage(),
        SourceDeploymentRevisionNumber = state.Info.RevisionNumber,
        ContinueAsNewInitialVersioningBehavior = asked,
    };

    private static DeclinedTargetVersionUpgrade? Declined(VersioningState state) => (state.Notified ?? state.Declined) is not { } notice ? null : new DeclinedTargetVersionUpgrade
    {
        DeploymentVersion = notice.BuildId.Length == 0 ? null : new WorkerVersion(notice.Deployment, notice.BuildId).ToMessage(),
        RevisionNumber = notice.Revision,
    };
}
