using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Activities.Backups;

/// <summary>Compares a cluster with an archive, both ways.</summary>
internal sealed class StateCheck(KubernetesConnection connection, StateArchive archive)
{
    /// <summary>How many differences are told one by one.</summary>
    private const int Shown = 50;

    private readonly WholeObjects objects = new(connection);

    /// <summary>Compares. Of each kind the digests are in memory, and of what differs one object.</summary>
    public async Task<StateDifferences> RunAsync(ArchiveManifest manifest, Action waiting, CancellationToken ct)
    {
        var served = (await new ClusterDiscovery(connection).ReadAsync(ct)).Resources;
        var (findings, count, compared) = (new List<DriftFinding>(), 0, 0);
        foreach (var part in manifest.Parts)
        {
            var digests = await StateSight.ReadAsync(connection, objects, served, part.Kind, all: false, ct);
            await foreach (var archived in archive.ReadAsync(part, ct))
            {
                compared++;
                var address = StateAddress.Of(connection.Region, archived);
                if (!digests.Remove(address, out var digest))
                    Add([.. StateComparison.Compare(address, archived, null)]);
                else if (digest != StateComparison.Digest(archived))
                    Add([.. StateComparison.Compare(address, archived, await objects.FindAsync(address, ct))]);
            }

            Add([.. digests.Keys.OrderBy(address => address.ToString(), StringComparer.Ordinal).Select(StateComparison.Undeclared)]);
            waiting();
        }

        return new(compared, count, findings);

        void Add(IReadOnlyList<DriftFinding> more)
        {
            count += more.Count;
            findings.AddRange(more.Take(Shown - findings.Count));
        }
    }
}

/// <summary>How a cluster differs from an archive.</summary>
/// <param name="Compared">Objects of the archive.</param>
/// <param name="Count">Of all differences.</param>
/// <param name="Findings">The first of them.</param>
internal sealed record StateDifferences(int Compared, int Count, IReadOnlyList<DriftFinding> Findings);
