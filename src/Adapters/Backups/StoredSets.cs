using PlatformOps.Adapters.Aws.Storage;

namespace PlatformOps.Adapters.Backups;

/// <summary>Sets of one store in a bucket: the files of each lie under its label. A set is whole when its manifest is there, which is written last.</summary>
/// <param name="prefix">Where they lie, with a slash at the end: <c>production/sets/cluster-state/</c>.</param>
public sealed class StoredSets(StoredObjects objects, string bucket, string prefix)
{
    /// <summary>Where a set lies, for people.</summary>
    public string PlaceOf(string label) => $"s3://{bucket}/{prefix}{label}";

    /// <summary>The files of every set, by label and name.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, StoredSummary>>> ListAsync(CancellationToken ct)
    {
        var found = await objects.ListAsync(prefix, ct);
        return found.Select(entry => (Parts: entry.Key[prefix.Length..].Split('/', 2), Entry: entry)).Where(entry => entry.Parts.Length == 2)
            .GroupBy(entry => entry.Parts[0]).ToDictionary(
                set => set.Key, IReadOnlyDictionary<string, StoredSummary> (set) => set.ToDictionary(entry => entry.Parts[1], entry => entry.Entry));
    }

    /// <summary>Writes a small file of a set.</summary>
    public Task PutAsync(string label, string name, ReadOnlyMemory<byte> content, CancellationToken ct) => objects.PutAsync(Key(label, name), content, ct);

    /// <summary>Writes a small file of a set, unless it is there. False: it is, and stays as it is.</summary>
    public async Task<bool> CreateAsync(string label, string name, ReadOnlyMemory<byte> content, CancellationToken ct) => await objects.CreateAsync(Key(label, name), content, ct) is not null;

    /// <summary>Writes a file of a set, in parts when it is large.</summary>
    public Task UploadAsync(string label, string name, string file, CancellationToken ct) => objects.UploadAsync(Key(label, name), file, ct);

    /// <summary>Reads a small file of a set; null when there is none.</summary>
    public async Task<ReadOnlyMemory<byte>?> GetAsync(string label, string name, CancellationToken ct) => (await objects.GetAsync(Key(label, name), ct))?.Content;

    /// <summary>Reads a file of a set into a stream, in pieces. False: there is none.</summary>
    public Task<bool> DownloadAsync(string label, string name, Stream target, CancellationToken ct) => objects.DownloadAsync(Key(label, name), target, ct);

    /// <summary>Removes one file; one that is not there is removed.</summary>
    public Task DeleteAsync(string label, string name, CancellationToken ct) => objects.DeleteAsync(Key(label, name), ct);

    /// <summary>Removes the files of a whole set that do not belong to it: what other attempts at it have left.</summary>
    /// <param name="kept">The names of those that do, the manifest's among them.</param>
    public async Task SweepAsync(string label, IReadOnlyCollection<string> kept, CancellationToken ct)
    {
        var folder = Key(label, "");
        foreach (var entry in (await objects.ListAsync(folder, ct)).Where(entry => !kept.Contains(entry.Key[folder.Length..])))
            await objects.DeleteAsync(entry.Key, ct);
    }

    /// <summary>Removes a set: the manifest first, so that nobody takes what is left for whole.</summary>
    /// <param name="manifest">Its name.</param>
    public async Task RemoveAsync(string label, string manifest, CancellationToken ct)
    {
        await DeleteAsync(label, manifest, ct);
        foreach (var entry in await objects.ListAsync($"{prefix}{label}/", ct))
            await objects.DeleteAsync(entry.Key, ct);
    }

    private string Key(string label, string name) => $"{prefix}{label}/{name}";
}
