using PlatformOps.Adapters.Aws.Storage;

namespace PlatformOps.Adapters.Backups;

/// <summary>What a restore has to know after it has replaced what it knew it from: small objects in the bucket, each written once.</summary>
/// <param name="prefix">Where they lie in it, with a slash at the end.</param>
public sealed class RestoreNotes(StoredObjects objects, string prefix)
{
    /// <summary>Writes a note, unless there is one: what was written first is from before anything was replaced.</summary>
    public async Task WriteOnceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken ct) => await objects.CreateAsync(prefix + name, content, ct);

    /// <summary>Null: there is none.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken ct) => (await objects.GetAsync(prefix + name, ct))?.Content;

    /// <summary>Writes a note in the place of one of before.</summary>
    public Task WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken ct) => objects.PutAsync(prefix + name, content, ct);

    /// <summary>Where a note lies, for people.</summary>
    public string PlaceOf(string name) => prefix + name;
}
