namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// Where the unpinned tasks of one task queue go, and which versions have workers for it. Immutable: a change of a
/// deployment makes a new one. Queues that no version serves have none.
/// </summary>
internal sealed record QueueRoute
{
    public WorkerVersion? Current { get; init; }

    /// <summary>The version that gets a share of the workflows; null may also mean workers without version, when the percentage is above 0.</summary>
    public WorkerVersion? Ramping { get; init; }

    public float RampingPercentage { get; init; }

    /// <summary>Of the deployment that the current version belongs to: grows with each change of its routing.</summary>
    public long CurrentRevision { get; init; }

    public long RampingRevision { get; init; }

    public DateTimeOffset? Updated { get; init; }

    /// <summary>All versions whose workers polled the queue.</summary>
    public required IReadOnlySet<WorkerVersion> Versions { get; init; }

    public bool IsRouted => Current is not null || Ramping is not null || RampingPercentage > 0;
}
