using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Etcd;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Activities.Backups;

/// <summary>Sets of cluster state where they lie: read with the keys alone, also when the cluster is lost.</summary>
/// <param name="keys">The first encrypts; all decrypt.</param>
internal sealed class StateSets(StoredSets sets, IReadOnlyList<SealingKey> keys)
{
    /// <summary>What sets of today are encrypted with.</summary>
    public SealingKey Key => keys[0];

    /// <summary>Their files.</summary>
    public StoredSets Files => sets;

    /// <summary>The name of a file of the archive in the bucket.</summary>
    public static string FileOf(FoundPart part) => part.Stored + StateArchive.Extension;

    /// <summary>The manifest of a whole set; null: there is none.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is not what was written. <see cref="AdapterFailureKind.Rejected"/>: its key is not at hand.</exception>
    public async Task<ArchiveManifest?> ManifestAsync(string label, CancellationToken ct)
    {
        if (await sets.GetAsync(label, ArchiveManifest.FileName, ct) is not { } content)
            return null;
        var manifest = ArchiveManifest.Read(content.Span, out var problem) ?? throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} cannot be trusted: {problem}");
        new StateArchive("", KeyOf(manifest), label).Check(manifest);
        return manifest;
    }

    /// <summary>Brings a set here, and finds it damaged before anything is done with it.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is not whole.</exception>
    public async Task<FetchedState> FetchAsync(string label, string folder, Action<string> progress, CancellationToken ct)
    {
        var manifest = await ManifestAsync(label, ct)
            ?? throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} has no {ArchiveManifest.FileName}: it was never finished, or its manifest was removed. Use another set.");
        var archive = new StateArchive(folder, KeyOf(manifest), label);
        foreach (var part in (manifest with { Etcd = null }).Files)
        {
            await using var file = File.Create(archive.FileOf(part.Name));
            await sets.DownloadAsync(label, FileOf(part), file, ct);
            progress($"{part.Name} is read.");
        }

        // Objects come back without the snapshot of etcd, which may be large.
        var troubles = ArchiveCheck.Compare(manifest with { Etcd = null }, await archive.MeasureAsync(ct));
        return troubles.Count == 0 ? new(archive, manifest, KeyOf(manifest)) : throw new AdapterException(AdapterFailureKind.Damaged, $"{sets.PlaceOf(label)} is damaged: {string.Join(" ", troubles)}");
    }

    /// <summary>Writes the snapshot of etcd in a set into a file, which its checksum fits.</summary>
    /// <exception cref="AdapterException">The set has none, or it is damaged.</exception>
    public async Task<EtcdSnapshot> WriteEtcdAsync(string label, string file, CancellationToken ct)
    {
        var manifest = await ManifestAsync(label, ct);
        var snapshot = manifest?.Etcd ?? throw new AdapterException(
            AdapterFailureKind.Missing, $"{sets.PlaceOf(label)} {(manifest is null ? "is no whole set" : "has no snapshot of etcd")}: platformops backup list says which have one.");
        await WriteEtcdAsync(label, snapshot, KeyOf(manifest), file, ct);
        return snapshot;
    }

    /// <summary>Writes the file that <c>etcdutl snapshot restore</c> takes.</summary>
    /// <param name="file">Is there when it is whole and checked, and not before.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it is not what was written. Nothing is left of it.</exception>
    public async Task WriteEtcdAsync(string label, EtcdSnapshot snapshot, SealingKey key, string file, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        var archive = new StateArchive(folder.Path, key, label);
        await using (var stored = File.Create(archive.FileOf(snapshot.File.Name)))
        {
            if (!await sets.DownloadAsync(label, FileOf(snapshot.File), stored, ct))
                throw new AdapterException(AdapterFailureKind.Damaged, $"The snapshot of etcd in {sets.PlaceOf(label)} is gone: {FileOf(snapshot.File)} is not there. Use another set.");
        }

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

    /// <summary>Reads every file of every set: a byte that changed where it lies is found here.</summary>
    public async Task<RepositorySight> LookAsync(CancellationToken ct)
    {
        var (found, broken) = (new List<RepositorySet>(), new Dictionary<string, string>());
        foreach (var (label, files) in await sets.ListAsync(ct))
        {
            var at = files.Values.Max(file => file.Changed);
            var (manifest, trouble) = await ReadAsync(label, files.ContainsKey(ArchiveManifest.FileName), ct);
            found.Add(new(label, manifest?.Digest, files.Values.Sum(file => file.Bytes), manifest?.StartedAt ?? at));
            if (manifest is not null)
                trouble = string.Join(" ", ArchiveCheck.Compare(manifest, await MeasureAsync(manifest, files.Keys, ct)));
            if (!string.IsNullOrEmpty(trouble))
                broken[label] = trouble;
        }

        return new(found, [], broken, null);
    }

    private async Task<(ArchiveManifest? Manifest, string? Trouble)> ReadAsync(string label, bool finished, CancellationToken ct)
    {
        try
        {
            return finished ? (await ManifestAsync(label, ct), null) : (null, null);
        }
        // A key that is not at hand is no damage, and has to be added before anything else is said.
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            return (null, failure.Message);
        }
    }

    /// <summary>Everything that is there, but for what an attempt that was late has left: nobody reads that, and it goes with the set.</summary>
    private async Task<IReadOnlyList<FoundPart>> MeasureAsync(ArchiveManifest manifest, IEnumerable<string> files, CancellationToken ct)
    {
        var (found, known) = (new List<FoundPart>(), manifest.Files.ToDictionary(FileOf, file => file.Name));
        foreach (var name in files.Where(name => name.EndsWith(StateArchive.Extension, StringComparison.Ordinal) && (known.ContainsKey(name) || !FoundPart.IsOfAnAttempt(name))))
        {
            await using var digest = new DigestStream();
            if (await sets.DownloadAsync(manifest.Set, name, digest, ct))
                found.Add(new(known.GetValueOrDefault(name, name[..^StateArchive.Extension.Length]), digest.Length, digest.Digest()));
        }

        return found;
    }

    private SealingKey KeyOf(ArchiveManifest manifest) => keys.FirstOrDefault(key => key.Id == manifest.KeyId) ?? throw new AdapterException(
        AdapterFailureKind.Rejected, $"{sets.PlaceOf(manifest.Set)} is encrypted with key {manifest.KeyId}, and those at hand are {string.Join(", ", keys.Select(key => key.Id))}. Add the key of then to keyFiles.");
}

/// <summary>A set that was brought here.</summary>
internal sealed record FetchedState(StateArchive Archive, ArchiveManifest Manifest, SealingKey Key);
