using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

/// <summary>What a cluster has of one kind: of each object the digest by which it is compared.</summary>
internal static class StateSight
{
    private static readonly HashSet<string> NoneEnding = [];

    /// <summary>Empty when the cluster does not serve the kind.</summary>
    /// <param name="all">Also what an export leaves out.</param>
    public static async Task<Dictionary<ResourceAddress, string>> ReadAsync(
        KubernetesConnection connection, WholeObjects objects, IReadOnlyList<ServedResource> served, ObjectKind kind, bool all, CancellationToken ct)
    {
        var digests = new Dictionary<ResourceAddress, string>();
        if (served.FirstOrDefault(resource => resource.Kind == kind) is not { } resource)
            return digests;
        await foreach (var live in objects.ListAsync(resource, ct))
        {
            if (all || ExportRules.WhyLeftOut(live, NoneEnding) is null)
                digests.Add(StateAddress.Of(connection.Region, live), StateComparison.Digest(live));
        }

        return digests;
    }
}
