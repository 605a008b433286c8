using System.Text.Json.Serialization;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// What a run knows of versions: which it is on or bound to, what overrides that, and a move to another version that is
/// under way. Runs that never met a version have none.
/// </summary>
internal sealed class VersioningState
{
    /// <summary>As descriptions show it, without the fields of older protocol versions.</summary>
    public WorkflowExecutionVersioningInfo Info { get; set; } = new();

    /// <summary>The deployment of the worker that completed the last workflow task, also of one without version.</summary>
    public string WorkerDeployment { get; set; } = "";

    /// <summary>Versions whose workers completed workflow tasks of the run.</summary>
    public List<string> Used { get; set; } = [];

    /// <summary>The target version that the workflow was told of, so that it may continue as new there.</summary>
    public VersionNotice? Notified { get; set; }

    /// <summary>The target version that a run before this one was told of, and did not move to.</summary>
    public VersionNotice? Declined { get; set; }

    [JsonIgnore]
    public bool InTransition => Info.VersionTransition is not null;

    /// <summary>How the run relates to versions now: a move and an override come before what the worker said.</summary>
    [JsonIgnore]
    public VersioningBehavior Behavior => InTransition
        ? VersioningBehavior.AutoUpgrade
        : Info.VersioningOverride is { } given ? VersioningOverrides.BehaviorOf(given) : Info.Behavior;

    /// <summary>The version that the run is on, or moves to; null for workers without version.</summary>
    [JsonIgnore]
    public WorkerVersion? Version
    {
        get
        {
            if (InTransition)
                return WorkerVersion.From(Info.VersionTransition.DeploymentVersion);
            if (VersioningOverrides.TargetOf(Info.VersioningOverride) is { } target)
                return target;
            return Behavior == VersioningBehavior.Unspecified ? null : WorkerVersion.From(Info.DeploymentVersion);
        }
    }

    /// <summary>The version whose workers alone may have the run's tasks; null when routing decides.</summary>
    [JsonIgnore]
    public WorkerVersion? Pinned => Behavior == VersioningBehavior.Pinned ? Version : null;
}

/// <summary>A version that routing names, and of which routing; no build id stands for workers without version.</summary>
internal sealed record VersionNotice(string Deployment, string BuildId, long Revision)
{
    public static VersionNotice Of(WorkerVersion? version, long revision) => new(version?.Deployment ?? "", version?.BuildId ?? "", revision);
}
