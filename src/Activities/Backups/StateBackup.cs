using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>Makes sets of a cluster's state. Whoever is killed meanwhile is followed by one that makes what is missing.</summary>
/// <param name="etcd">The etcd under it; null: workers do not reach it.</param>
internal sealed class StateBackup(KubernetesConnection cluster, StateSets sets, string environment, TimeProvider time, EtcdSpecification? etcd)
{
    /// <summary>What of a set is there by now, beside its files; it goes when the manifest is there. Of two attempts at once the one that wrote last is followed.</summary>
    private const string ProgressFile = "progress.json";

    /// <summary>Puts a snapshot of etcd into a set that is not whole yet and has none.</summary>
    /// <returns>The one that the set has; null: workers do not reach etcd, or the set is whole without.</returns>
    /// <exception cref="AdapterException">etcd gives none, or it cannot be kept.</exception>
    public async Task<EtcdSnapshot?> SnapshotAsync(string operation, Action<string> progress, CancellationToken ct)
    {
        if (etcd is null)
            return null;
        // It stays as it is, whoever asks again.
        if (await sets.ManifestAsync(operation, ct) is { } whole)
            return whole.Etcd;
        using var folder = new TemporaryFolder();
        var archive = Archive(folder, operation);
        var begun = await BegunAsync(operation, ct);
        if (begun.Etcd is not null)
            return begun.Etcd;
        var made = await new EtcdBackup(etcd, cluster).MakeAsync(archive, progress, ct);
        await KeepAsync(archive, operation, made.File, begun with { Etcd = made }, ct);
        // Whoever was taken for dead may be slower than the next one, which has made the set meanwhile.
        return await sets.ManifestAsync(operation, ct) is { } meanwhile ? (await SweptAsync(meanwhile, ct)).Etcd : made;
    }

    /// <summary>Makes the set, and finishes it.</summary>
    public async Task<ArchiveManifest> RunAsync(string operation, Action<string> progress, CancellationToken ct)
    {
        using var folder = new TemporaryFolder();
        var archive = Archive(folder, operation);
        var begun = await BegunAsync(operation, ct);
        var about = About(operation, begun.StartedAt);
        if (etcd is not null && begun.Etcd is null)
        {
            try
            {
                begun = begun with { Etcd = await new EtcdBackup(etcd, cluster).MakeAsync(archive, progress, ct) };
            }
            // It was asked for often enough before; the objects are worth having without.
            catch (AdapterException failure)
            {
                about = about with { Unread = [$"It has no snapshot of etcd: {failure.Message}"] };
            }

            if (begun.Etcd is not null)
                await KeepAsync(archive, operation, begun.Etcd.File, begun, ct);
        }

        var manifest = await new StateExport(cluster, archive, about with { Etcd = begun.Etcd }, time).RunAsync(begun.Parts, async parts =>
        {
            await KeepAsync(archive, operation, parts[^1].Part.Objects > 0 ? parts[^1].Part.File : null, begun with { Parts = parts }, ct);
            progress($"{parts.Sum(part => part.Part.Objects)} objects of {parts.Count} kinds are written.");
        }, ct);
        // The first to finish has made the set: what it has named stays as it is.
        var first = await sets.Files.CreateAsync(operation, ArchiveManifest.FileName, await File.ReadAllBytesAsync(Path.Combine(folder.Path, ArchiveManifest.FileName), ct), ct);
        return await SweptAsync(first ? manifest : (await sets.ManifestAsync(operation, ct))!, ct);
    }

    /// <summary>A whole set, without what attempts at it have left that are not in it.</summary>
    private async Task<ArchiveManifest> SweptAsync(ArchiveManifest whole, CancellationToken ct)
    {
        await sets.Files.SweepAsync(whole.Set, [ArchiveManifest.FileName, .. whole.Files.Select(StateSets.FileOf)], ct);
        return whole;
    }

    private StateArchive Archive(TemporaryFolder folder, string operation) => new(folder.Path, sets.Key, operation, Guid.NewGuid().ToString("N")[..12]);

    /// <summary>What an earlier attempt has made and is there. A set that was begun with another key is begun again.</summary>
    private async Task<StateProgress> BegunAsync(string operation, CancellationToken ct)
    {
        var written = await sets.Files.GetAsync(operation, ProgressFile, ct) is { } content ? JsonSerializer.Deserialize<StateProgress>(content.Span) : null;
        if (written?.KeyId != sets.Key.Id)
            return new(time.GetUtcNow(), sets.Key.Id, []);
        var there = (await sets.Files.ListAsync(ct)).GetValueOrDefault(operation) ?? new Dictionary<string, StoredSummary>();
        return written with
        {
            Parts = [.. written.Parts.Where(part => part.Part.Objects == 0 || IsThere(part.Part.File))],
            Etcd = written.Etcd is { } kept && IsThere(kept.File) ? kept : null,
        };

        bool IsThere(FoundPart part) => there.TryGetValue(StateSets.FileOf(part), out var file) && file.Bytes == part.Bytes;
    }

    /// <summary>Brings a file of the archive into the bucket, and then writes down that it is there.</summary>
    /// <param name="part">Null: there is no file to it.</param>
    private async Task KeepAsync(StateArchive archive, string operation, FoundPart? part, StateProgress so, CancellationToken ct)
    {
        if (part is not null && File.Exists(archive.FileOf(part.Name)))
        {
            await sets.Files.UploadAsync(operation, StateSets.FileOf(part), archive.FileOf(part.Name), ct);
            File.Delete(archive.FileOf(part.Name));
        }

        await sets.Files.PutAsync(operation, ProgressFile, JsonSerializer.SerializeToUtf8Bytes(so), ct);
    }

    private ArchiveManifest About(string operation, DateTimeOffset startedAt) => new()
    {
        Format = ArchiveManifest.CurrentFormat,
        Set = operation,
        Environment = environment,
        Region = cluster.Region,
        KubernetesVersion = "",
        StartedAt = startedAt,
        FinishedAt = startedAt,
        KeyId = sets.Key.Id,
        Parts = [],
        LeftOut = [],
    };

    private sealed record StateProgress(DateTimeOffset StartedAt, string KeyId, IReadOnlyList<StatePart> Parts, EtcdSnapshot? Etcd = null);
}
