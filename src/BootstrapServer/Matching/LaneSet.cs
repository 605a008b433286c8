using PlatformOps.BootstrapServer.Deployments;

namespace PlatformOps.BootstrapServer.Matching;

/// <summary>The lanes of one task queue: one for workers without version, one for each version, and which task goes to which. Used under the queue's lock.</summary>
internal sealed class LaneSet(bool sticky)
{
    private readonly Lane unversioned = new();
    private Dictionary<WorkerVersion, Lane>? versions;

    /// <summary>Where tasks go that are not pinned; null while no version serves the queue.</summary>
    public QueueRoute? Route { get; set; }

    public IEnumerable<Lane> All => versions is null ? [unversioned] : versions.Values.Prepend(unversioned);

    /// <summary>With the version that each is for; null for workers without one.</summary>
    public IEnumerable<(WorkerVersion? Version, Lane Lane)> ByVersion =>
        (versions?.Select(v => ((WorkerVersion?)v.Key, v.Value)) ?? []).Prepend((null, unversioned));

    public bool AnyPolledWithin(TimeSpan time) => unversioned.PolledWithin(time) || (versions is not null && versions.Values.Any(l => l.PolledWithin(time)));

    /// <summary>A sticky queue is one worker's: it has a single lane.</summary>
    public Lane Of(PollerSighting poller) => sticky || poller.Deployment is null ? unversioned : Of(WorkerVersion.Of(poller.Deployment));

    public Lane Of(QueuedTask task)
    {
        if (sticky || (Route is null && task.Pinned is null))
            return unversioned;
        // An activity whose queue the pinned version does not serve is versioned for itself.
        if (task.Pinned is { } pinned && (task is not ActivityTaskItem || Route?.Versions.Contains(pinned) == true))
            return Of(pinned);
        return Of(Routing.Target(Route, task.Run.WorkflowId, task.UseRamping).Version);
    }

    public Lane? Find(WorkerVersion? version) => version is null ? unversioned : versions?.GetValueOrDefault(version);

    private Lane Of(WorkerVersion? version)
    {
        if (version is null)
            return unversioned;
        versions ??= [];
        if (!versions.TryGetValue(version, out var lane))
            versions[version] = lane = new Lane();
        return lane;
    }
}
