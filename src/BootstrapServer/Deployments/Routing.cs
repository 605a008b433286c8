namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>Decides which version gets a task that is not pinned to one.</summary>
internal static class Routing
{
    /// <summary>The version, null for workers without one, and the revision of the routing that says so.</summary>
    /// <param name="useRamping">The workflow asked for the ramping version, whatever its share (continue-as-new).</param>
    public static (WorkerVersion? Version, long Revision) Target(QueueRoute? route, string workflowId, bool useRamping = false)
    {
        if (route is null)
            return (null, 0);
        if (useRamping && route.Ramping is not null)
            return (route.Ramping, route.RampingRevision);
        var ramps = route.RampingPercentage > 0 && (route.RampingPercentage >= 100 || Threshold(workflowId) <= route.RampingPercentage);
        return ramps ? (route.Ramping, route.RampingRevision) : (route.Current, route.CurrentRevision);
    }

    /// <summary>A number from 0 up to 100 that is always the same for a workflow id: the ramp that reaches it takes the workflow.</summary>
    public static double Threshold(string workflowId)
    {
        var hash = 2166136261u;
        foreach (var letter in workflowId)
            hash = (hash ^ letter) * 16777619u;
        // The last letters of ids differ most: they have to reach the high bits, which decide.
        hash ^= hash >> 16;
        hash *= 0x85ebca6b;
        hash ^= hash >> 13;
        hash *= 0xc2b2ae35;
        hash ^= hash >> 16;
        return 100 * (hash / (uint.MaxValue + 1d));
    }
}
