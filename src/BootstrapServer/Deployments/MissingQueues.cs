using PlatformOps.BootstrapServer.Executions;

namespace PlatformOps.BootstrapServer.Deployments;

/// <summary>Whether a version that is to get new work lacks workers for a queue that the current version works on.</summary>
internal static class MissingQueues
{
    /// <summary>A queue that another deployment took over, or on which nothing happens, is not missed.</summary>
    public static bool Any(Engine engine, StoredDeployment deployment, string? build)
    {
        if (build is null || build == deployment.Current || deployment.Find(deployment.Current) is not { } current)
            return false;
        var proposed = deployment.Find(build);
        return current.Queues.Exists(queue => proposed?.Serves(queue.Name, queue.Type) != true && IsBusy(engine, deployment, queue));
    }

    private static bool IsBusy(Engine engine, StoredDeployment deployment, VersionQueue queue)
    {
        var name = DeploymentDirectory.NameOf(deployment, queue);
        var version = deployment.VersionOf(deployment.Current);
        if (engine.Deployments.RouteOf(name)?.Current != version)
            return false;
        return engine.Matching.Find(name)?.Describe(v => v == version) is { } status && (status.Lanes.Backlog > 0 || status.Lanes.AddRate > 0);
    }
}
