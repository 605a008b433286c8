using PlatformOps.BootstrapServer.Protocol;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>Overrides of a run's version, in the current form of the protocol and in the older ones.</summary>
internal static class VersioningOverrides
{
    public static VersioningBehavior BehaviorOf(VersioningOverride given) =>
        given.AutoUpgrade ? VersioningBehavior.AutoUpgrade : TargetOf(given) is null ? VersioningBehavior.Unspecified : VersioningBehavior.Pinned;

    /// <summary>The version that the override names, for good or for one workflow task; expects the current form.</summary>
    public static WorkerVersion? TargetOf(VersioningOverride? given) =>
        WorkerVersion.From(given?.Pinned?.Version ?? given?.OneTime?.TargetDeploymentVersion);

    public static bool IsPinned(VersioningOverride? given) => given?.Pinned is not null;

#pragma warning disable CS0612 // The older forms are deprecated, and what older clients send and read.
    /// <summary>The override in the current form.</summary>
    public static VersioningOverride? Current(VersioningOverride? given)
    {
        if (given is null || given.OverrideCase != VersioningOverride.OverrideOneofCase.None)
            return given is null ? null : Stripped(given);
        if (given.Behavior == VersioningBehavior.AutoUpgrade)
            return new VersioningOverride { AutoUpgrade = true };
        var version = given.Deployment is { } old ? new WorkerVersion(old.SeriesName, old.BuildId) : WorkerVersion.Parse(given.PinnedVersion);
        return given.Behavior == VersioningBehavior.Pinned && version is not null
            ? new VersioningOverride { Pinned = new VersioningOverride.Types.PinnedOverride { Behavior = VersioningOverride.Types.PinnedOverrideBehavior.Pinned, Version = version.ToMessage() } }
            : null;
    }

    /// <summary>The override with the fields that older clients read.</summary>
    public static VersioningOverride WithOldFields(VersioningOverride given)
    {
        var shown = given.Clone();
        if (shown.AutoUpgrade)
            shown.Behavior = VersioningBehavior.AutoUpgrade;
        else if (WorkerVersion.From(shown.Pinned?.Version) is { } pinned)
            (shown.Behavior, shown.PinnedVersion) = (VersioningBehavior.Pinned, pinned.ToOldString());
        return shown;
    }

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT when it is malformed; FAILED_PRECONDITION when no worker of the version serves the queue.</exception>
    public static void Check(VersioningOverride? given, QueueRoute? route, string queue)
    {
        if (given is null)
            return;
        CheckForm(given);
        if (TargetOf(Current(given)) is not { } target || given.Deployment is not null)
            return;
        DeploymentChecks.Version(target);
        if (route?.Versions.Contains(target) != true)
            throw ServiceError.FailedPrecondition($"Pinned version '{target}' is not present in task queue '{queue}' of type 'Workflow'");
    }

    private static void CheckForm(VersioningOverride given)
    {
        switch (given.OverrideCase)
        {
            case VersioningOverride.OverrideOneofCase.AutoUpgrade when !given.AutoUpgrade:
                throw ServiceError.InvalidArgument("auto-upgrade override must be true");
            case VersioningOverride.OverrideOneofCase.Pinned when given.Pinned.Version is null:
                throw ServiceError.InvalidArgument("must provide version if override is pinned.");
            case VersioningOverride.OverrideOneofCase.Pinned when given.Pinned.Behavior == VersioningOverride.Types.PinnedOverrideBehavior.Unspecified:
                throw ServiceError.InvalidArgument("must specify pinned override behavior if override is pinned.");
            case VersioningOverride.OverrideOneofCase.OneTime when given.OneTime.TargetDeploymentVersion is null:
                throw ServiceError.InvalidArgument("must provide target deployment version if override is one-time.");
            case VersioningOverride.OverrideOneofCase.None:
                CheckOldForm(given);
                break;
        }
    }

    private static void CheckOldForm(VersioningOverride given)
    {
        if (given.Behavior == VersioningBehavior.Unspecified)
            throw ServiceError.InvalidArgument("override behavior is required");
        if (given.Behavior == VersioningBehavior.Pinned && Current(given) is null)
            throw ServiceError.InvalidArgument("must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
        if (given.Behavior == VersioningBehavior.AutoUpgrade && (given.Deployment is not null || given.PinnedVersion.Length > 0))
            throw ServiceError.InvalidArgument("only provide pinned version if behavior is 'PINNED'");
    }

    private static VersioningOverride Stripped(VersioningOverride given)
    {
        var current = given.Clone();
        (current.Behavior, current.PinnedVersion, current.Deployment) = (VersioningBehavior.Unspecified, "", null);
        return current;
    }
#pragma warning restore CS0612
}
