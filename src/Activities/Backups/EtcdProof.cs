using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Etcd;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Activities.Backups;

/// <summary>Proves snapshots of etcd in sets by restoring them into an etcd of their own on this machine.</summary>
/// <param name="owner">Whose they are: environment and region.</param>
/// <param name="path">Folders with the programs of etcd, as <c>PATH</c> names them.</param>
internal sealed class EtcdProof(StateSets sets, string owner, string? path, TimeProvider time)
{
    /// <summary>Restores one, starts an etcd on it, counts, and removes everything.</summary>
    public async Task<EtcdFindings> RunAsync(string label, EtcdSnapshot snapshot, SealingKey key, Action<string> progress, CancellationToken ct)
    {
        if (EtcdPrograms.Find(path) is not { } programs)
            return new(null, null, "The snapshot of etcd in it was not restored: etcd and etcdutl (before 3.5: etcdctl) are not on the PATH of this worker.");
        using var scratch = new ScratchEtcd(programs, owner, time);
        await sets.WriteEtcdAsync(label, snapshot, key, scratch.Snapshot, ct);
        progress("The snapshot of etcd is restored.");
        var version = await scratch.VersionAsync(ct);
        var (revision, keys, trouble) = await scratch.RestoreAsync(ct) is { } refused ? (0, 0, refused) : await scratch.CountAsync(snapshot.Revision, () => progress("The restored etcd starts."), ct);
        if (trouble is not null && Minor(version) != Minor(snapshot.Version))
            return new(null, null, $"The snapshot of etcd {snapshot.Version} could not be restored with the programs of {version} on this worker, which says nothing about it: {trouble} Install those of {Minor(snapshot.Version)}.");
        trouble ??= snapshot.Trouble(revision, keys);
        return trouble is null
            ? new(null, $"An etcd {version} that was restored from the snapshot has {keys} keys at revision {snapshot.Revision}, as when it was made, and ends at revision {revision}.", null)
            : new($"The snapshot of etcd: {trouble}", null, null);
    }

    /// <summary>Removes what a verification that was killed on this machine left.</summary>
    public IReadOnlyList<string> CleanUp() => ScratchEtcd.Sweep(owner) ? ["a restored etcd"] : [];

    private static string Minor(string version) => string.Join('.', version.Split('.').Take(2));
}

/// <param name="Wrong">What speaks against it; null: nothing.</param>
/// <param name="Right">What was looked at and is as it has to be.</param>
/// <param name="Unread">Why it could not be looked at; null: it was.</param>
internal sealed record EtcdFindings(string? Wrong, string? Right, string? Unread);
