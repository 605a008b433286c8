using Google.Protobuf;
using PlatformOps.BootstrapServer.Executions;
using PlatformOps.BootstrapServer.Visibility;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>What lists show of a run's version: the search attributes that the server itself sets.</summary>
internal sealed record VersionAttributes
{
    private static readonly string[] Unversioned = ["unversioned"];

    public string? Deployment { get; init; }

    /// <summary>The version that the run is on, or is pinned to.</summary>
    public string? Version { get; init; }

    public string? Behavior { get; init; }

    public IReadOnlyList<string>? Used { get; init; }

    public static VersionAttributes? Of(VersioningState? versioning)
    {
        if (versioning is null)
            return null;
        var (given, info) = (versioning.Info.VersioningOverride, versioning.Info);
        var version = VersioningOverrides.TargetOf(given) ?? WorkerVersion.From(info.DeploymentVersion);
        var behavior = BehaviorOf(versioning);
        return new VersionAttributes
        {
            Deployment = version?.Deployment ?? (versioning.WorkerDeployment.Length > 0 ? versioning.WorkerDeployment : null),
            Version = version?.ToString(),
            Behavior = behavior == VersioningBehavior.Unspecified ? null : behavior.ToString(),
            Used = versioning.Used.Count == 0 ? null : [.. versioning.Used],
        };
    }

    /// <summary>"unversioned", or where the run is pinned.</summary>
    public static IReadOnlyList<string>? BuildIds(RunState state)
    {
        var behavior = state.Versioning is null ? VersioningBehavior.Unspecified : BehaviorOf(state.Versioning);
        if (behavior == VersioningBehavior.Unspecified)
            return state.LastCompletedEventId == 0 ? null : Unversioned;
        return behavior == VersioningBehavior.Pinned ? [$"pinned:{Of(state.Versioning)!.Version}"] : null;
    }

    /// <summary>The attributes of a record, as payloads.</summary>
    public static IEnumerable<KeyValuePair<string, Payload>> Shown(ExecutionRecord record)
    {
        if (record.BuildIds is { } builds)
            yield return new("BuildIds", List(builds));
        if (record.Version is not { } version)
            yield break;
        if (version.Deployment is { } deployment)
            yield return new("TemporalWorkerDeployment", JsonPayload.Single(deployment));
        if (version.Version is { } on)
            yield return new("TemporalWorkerDeploymentVersion", JsonPayload.Single(on));
        if (version.Behavior is { } behavior)
            yield return new("TemporalWorkflowVersioningBehavior", JsonPayload.Single(behavior));
        if (version.Used is { } used)
            yield return new("TemporalUsedWorkerDeploymentVersions", List(used));
    }

    /// <summary>A move that is under way does not count.</summary>
    private static VersioningBehavior BehaviorOf(VersioningState versioning) =>
        versioning.Info.VersioningOverride is { } given ? VersioningOverrides.BehaviorOf(given) : versioning.Info.Behavior;

    private static Payload List(IReadOnlyList<string> values) => new()
    {
        Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
        Data = ByteString.CopyFrom(StateSerializer.Write(values)),
    };
}
