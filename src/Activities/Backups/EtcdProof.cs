using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Etcd;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Activities.Backups;

/// <summary>Reads snapshots of etcd out of sets, and proves them by restoring them into an etcd of their own on this machine.</summary>
/// <param name="owner">Whose they are: environment and region.</param>
/// <param name="path">Folders with the programs of etcd, as <c>PATH</c> names them.</param>
internal sealed class EtcdProof(StoredSets sets, string owner, string? path, TimeProvider time)
{
    /// <summary>Writes the file that <c>etcdutl snapshot restore</c> takes.</summary>
    /// <param name="file">Is there when it is whole and checked, and not before.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is not what was written. Nothing is left of it.</exception>
    public async Task WriteAsync(string label, EtcdSnapshot snapshot, SealingKey key, string file, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        var archive = new StateArchive(folder.Path, key, label);
        await using (var stored = File.Create(archive.FileOf(snapshot.File.Name)))
            await sets.DownloadAsync(label, snapshot.File.Name + StateArchive.Extension, stored, ct);
        var unfinished = $"{file}.unfinished";
        File.Delete(unfinished);
        try
        {
            using var hash = new SnapshotHash();
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            // It has every Secret of the cluster.
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var written = new FileStream(unfinished, options))
            {
                await archive.UnsealAsync(snapshot.File.Name, async (piece, _) =>
                {
                    hash.Append(piece.Span);
                    await written.WriteAsync(piece, ct);
                }, ct);
            }

            if (hash.Digest() != snapshot.Digest || hash.Bytes != snapshot.Bytes)
                throw new AdapterException(AdapterFailureKind.Damaged, $"The snapshot of etcd in {sets.PlaceOf(label)} is not what etcd wrote: its checksum is another one. Use another set.");
            File.Move(unfinished, file);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <summary>Restores one, starts an etcd on it, counts, and removes everything.</summary>
    public async Task<EtcdFindings> RunAsync(string label, EtcdSnapshot snapshot, SealingKey key, Action<string> progress, CancellationToken ct)
    {
        if (EtcdPrograms.Find(path) is not { } programs)
            return new(null, null, "The snapshot of etcd in it was not restored: etcd and etcdutl (before 3.5: etcdctl) are not on the PATH of this worker.");
        using var scratch = new ScratchEtcd(programs, owner, time);
        await WriteAsync(label, snapshot, key, scratch.Snapshot, ct);
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
