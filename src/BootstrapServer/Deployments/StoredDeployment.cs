using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>A worker deployment as it is stored: one document.</summary>
internal sealed class StoredDeployment
{
    public string NamespaceId { get; set; } = "";

    public string Name { get; set; } = "";

    public DateTimeOffset Created { get; set; }

    /// <summary>The call that created it; empty when its first worker did.</summary>
    public string CreateRequestId { get; set; } = "";

    public string LastModifier { get; set; } = "";

    /// <summary>Who alone may change routing; empty for everybody.</summary>
    public string Manager { get; set; } = "";

    /// <summary>Changes with everything that a caller might have wanted to know of before its own change.</summary>
    public long ConflictToken { get; set; }

    /// <summary>The build that gets what is not pinned; null for workers without version.</summary>
    public string? Current { get; set; }

    public DateTimeOffset? CurrentChanged { get; set; }

    /// <summary>The build that gets a share of it.</summary>
    public string? Ramping { get; set; }

    /// <summary>Workers without version get a share.</summary>
    public bool RampsToUnversioned { get; set; }

    public float RampingPercentage { get; set; }

    public DateTimeOffset? RampingChanged { get; set; }

    public DateTimeOffset? PercentageChanged { get; set; }

    /// <summary>Grows with each change of the routing.</summary>
    public long Revision { get; set; }

    public List<StoredVersion> Versions { get; set; } = [];

    public bool IsRamping => Ramping is not null || RampsToUnversioned;

    public StoredVersion? Find(string? buildId) => Versions.Find(v => v.BuildId == buildId);

    public WorkerVersion? VersionOf(string? buildId) => buildId is null ? null : new WorkerVersion(Name, buildId);
}

/// <summary>One version of a deployment.</summary>
internal sealed class StoredVersion
{
    public string BuildId { get; set; } = "";

    public DateTimeOffset Created { get; set; }

    public string CreateRequestId { get; set; } = "";

    public string LastModifier { get; set; } = "";

    public WorkerDeploymentVersionStatus Status { get; set; }

    public DateTimeOffset? CurrentSince { get; set; }

    public DateTimeOffset? RampingSince { get; set; }

    public float RampPercentage { get; set; }

    public DateTimeOffset? RoutingChanged { get; set; }

    public DateTimeOffset? FirstActivation { get; set; }

    public DateTimeOffset? LastCurrent { get; set; }

    public DateTimeOffset? LastDeactivation { get; set; }

    public VersionDrainageStatus Drainage { get; set; }

    public DateTimeOffset? DrainageChanged { get; set; }

    public DateTimeOffset? DrainageChecked { get; set; }

    public VersionMetadata? Metadata { get; set; }

    /// <summary>The queues that its workers polled.</summary>
    public List<VersionQueue> Queues { get; set; } = [];

    public bool Serves(string queue, TaskQueueType type) => Queues.Exists(q => q.Name == queue && q.Type == type);
}

internal sealed record VersionQueue(string Name, TaskQueueType Type);
