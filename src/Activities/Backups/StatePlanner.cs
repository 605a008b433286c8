using System.Text.Json.Nodes;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

/// <summary>Looks object by object what a restore of an archive would do with a cluster. Changes nothing: before a restore it makes the plan, and after it shows that nothing is left to do.</summary>
internal sealed class StatePlanner(KubernetesConnection connection, StateArchive archive, SealingKey key, StateRestoreRules rules)
{
    private readonly WholeObjects objects = new(connection);

    /// <summary>Looks. Of each kind the digests are in memory, and of what differs one object.</summary>
    public async Task<StateTally> RunAsync(ArchiveManifest manifest, Action<string> progress, CancellationToken ct)
    {
        var served = (await new ClusterDiscovery(connection).ReadAsync(ct)).Resources;
        var (tally, defined) = (new StateTally(), new HashSet<ObjectKind>());
        foreach (var part in StateRestore.InOrder(manifest))
        {
            var known = defined.Contains(part.Kind) || served.Any(resource => resource.Kind == part.Kind);
            var there = await StateSight.ReadAsync(connection, objects, served, part.Kind, all: true, ct);
            await foreach (var archived in archive.ReadAsync(part, ct))
            {
                var address = StateAddress.Of(connection.Region, archived);
                if (!rules.Covers(address))
                    continue;
                var same = there.TryGetValue(address, out var digest) && digest == StateComparison.Digest(archived);
                var live = digest is null || same ? null : await objects.FindAsync(address, ct);
                var decision = !known ? new(RestoreAction.Leave, $"{address} is not made again: the cluster does not serve {part.Kind}.", [])
                    : same ? RestoreDecision.Same(address)
                    : RestoreDecision.Of(address, archived, live, rules);
                tally.Add(part.Name, address, decision, live is null ? "" : Seal(key, address, live), live is not null && rules.IsNewer(live));
                if (part.Kind.Kind == "CustomResourceDefinition")
                    defined.UnionWith(StateRestore.Defines(archived));
            }

            progress($"{part.Name} is compared.");
        }

        return tally;
    }

    /// <summary>Stands for an object as it is, and says nothing about its values to who does not have the key.</summary>
    public static string Seal(SealingKey key, ResourceAddress address, JsonObject live) => key.Seal($"{address} {StateComparison.Digest(live)}")[..16];
}
