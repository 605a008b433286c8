namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>
/// Counts the open runs that a version holds: those pinned to it, and those whose workflow task is on its way to it, since
/// they may become pinned. What holds none, and gets no new work, is drained.
/// </summary>
internal sealed class HeldVersions
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string NamespaceId, WorkerVersion Version), int> counts = [];

    public bool Any(string namespaceId, WorkerVersion version)
    {
        lock (gate)
            return counts.ContainsKey((namespaceId, version));
    }

    /// <summary>Notes that a run is held by another version than before; tells which versions went to or from no run at all.</summary>
    public void Move(string namespaceId, WorkerVersion? from, WorkerVersion? to, Action<WorkerVersion> changed)
    {
        lock (gate)
        {
            if (to is not null && Count(namespaceId, to, 1) == 1)
                changed(to);
            if (from is not null && Count(namespaceId, from, -1) == 0)
                changed(from);
        }
    }

    private int Count(string namespaceId, WorkerVersion version, int by)
    {
        var count = counts.GetValueOrDefault((namespaceId, version)) + by;
        if (count == 0)
            counts.Remove((namespaceId, version));
        else
            counts[(namespaceId, version)] = count;
        return count;
    }
}
