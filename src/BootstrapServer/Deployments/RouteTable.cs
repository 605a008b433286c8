using Temporalio.Api.Enums.V1;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>Works out where the unpinned tasks of a queue go from all deployments whose workers poll it.</summary>
internal static class RouteTable
{
    /// <summary>Null when no version serves the queue. A version of one deployment beats the "no version" of another; of two, the later set.</summary>
    public static QueueRoute? Of(IEnumerable<StoredDeployment> deployments, string queue, TaskQueueType type)
    {
        var serving = deployments.Where(d => d.Versions.Exists(v => v.Serves(queue, type))).ToList();
        if (serving.Count == 0)
            return null;
        var current = serving.Where(d => d.Find(d.Current)?.Serves(queue, type) == true).MaxBy(d => d.CurrentChanged);
        var ramping = serving.Where(d => d.Find(d.Ramping)?.Serves(queue, type) == true).MaxBy(d => d.PercentageChanged)
            ?? serving.Where(d => d.RampsToUnversioned).MaxBy(d => d.PercentageChanged);
        return new QueueRoute
        {
            Current = current?.VersionOf(current.Current),
            CurrentRevision = current?.Revision ?? 0,
            Ramping = ramping?.VersionOf(ramping.Ramping),
            RampingPercentage = ramping?.RampingPercentage ?? 0,
            RampingRevision = ramping?.Revision ?? 0,
            Updated = new[] { current?.CurrentChanged, ramping?.PercentageChanged }.Max(),
            Versions = serving.SelectMany(d => d.Versions.Where(v => v.Serves(queue, type)).Select(v => d.VersionOf(v.BuildId)!)).ToHashSet(),
        };
    }
}
