using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Adapters.Backups;

/// <summary>An archive of a cluster's objects in a folder: one file for each kind, with one object a line, compressed and encrypted; and a manifest. However large a cluster is, one
/// object and one chunk of it are in memory.</summary>
/// <param name="set">The id of the set; parts of another set are not taken for this one's.</param>
/// <param name="attempt">What tells the files that are written from those of another attempt at the same set; null: nothing.</param>
public sealed class StateArchive(string folder, SealingKey key, string set, string? attempt = null)
{
    /// <summary>With which the names of the files end.</summary>
    public const string Extension = ".sealed";

    public string FileOf(string part) => Path.Combine(folder, part + Extension);

    /// <summary>Writes all objects of a kind, in the order in which they come. What was written before under this name is replaced; nothing is there under it until all are written.</summary>
    public async Task<ArchivePart> WriteAsync(ServedResource resource, IAsyncEnumerable<JsonObject> objects, CancellationToken ct)
    {
        var count = 0;
        var found = await SealAsync(resource.Name, async compressed =>
        {
            await foreach (var item in objects.WithCancellation(ct))
            {
                await compressed.WriteAsync(Encoding.UTF8.GetBytes(CanonicalJson.Of(item) + "\n"), ct);
                count++;
            }
        }, ct);
        return new(resource.Name, resource.Kind, count, found.Bytes, found.Digest) { Attempt = found.Attempt };
    }

    /// <summary>Writes a file of the archive, compressed and encrypted; as of <see cref="WriteAsync"/>, nothing is there until all is written.</summary>
    public async Task<FoundPart> SealAsync(string name, Func<Stream, Task> write, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var unfinished = $"{FileOf(name)}.unfinished";
        await using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        await using (var sealing = new SealingStream(file, key, Named(name)))
        {
            await using (var compressed = new BufferedStream(new GZipStream(sealing, CompressionLevel.Fastest, leaveOpen: true), SealedFormat.ChunkBytes))
                await write(compressed);
            await sealing.CompleteAsync(ct);
        }

        File.Move(unfinished, FileOf(name), overwrite: true);
        return (await MeasureAsync(name, ct))! with { Attempt = attempt };
    }

    /// <summary>Reads a file of the archive, piece by piece.</summary>
    /// <exception cref="AdapterException">It is missing, damaged, of another set, or encrypted with another key.</exception>
    public async Task UnsealAsync(string name, Func<ReadOnlyMemory<byte>, CancellationToken, Task> read, CancellationToken ct)
    {
        await using var file = Opened(name);
        await using var unsealing = new UnsealingStream(file, key, Named(name));
        await using var expanded = new GZipStream(unsealing, CompressionMode.Decompress);
        var buffer = new byte[SealedFormat.ChunkBytes];
        while (await expanded.ReadAsync(buffer, ct) is > 0 and var count)
            await read(buffer.AsMemory(0, count), ct);
    }

    /// <summary>The objects of a part, as they were written.</summary>
    /// <exception cref="AdapterException">The part is missing, damaged, of another set, or encrypted with another key.</exception>
    public async IAsyncEnumerable<JsonObject> ReadAsync(ArchivePart part, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = Opened(part.Name);
        await using var unsealing = new UnsealingStream(file, key, Named(part.Name));
        await using var expanded = new GZipStream(unsealing, CompressionMode.Decompress);
        using var lines = new StreamReader(expanded, Encoding.UTF8);
        while (await lines.ReadLineAsync(ct) is { } line)
            yield return JsonNode.Parse(line)!.AsObject();
    }

    /// <summary>A file as it is there; null when it is not.</summary>
    public async Task<FoundPart?> MeasureAsync(string part, CancellationToken ct)
    {
        if (!File.Exists(FileOf(part)))
            return null;
        await using var file = File.OpenRead(FileOf(part));
        return new(part, file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct)));
    }

    /// <summary>All parts that are there.</summary>
    public async Task<IReadOnlyList<FoundPart>> MeasureAsync(CancellationToken ct)
    {
        var found = new List<FoundPart>();
        foreach (var file in Directory.EnumerateFiles(folder, "*" + Extension))
            found.Add((await MeasureAsync(Path.GetFileNameWithoutExtension(file), ct))!);
        return found;
    }

    /// <summary>Writes the manifest, with its seal: with it the archive is whole.</summary>
    public async Task<ArchiveManifest> FinishAsync(ArchiveManifest manifest, CancellationToken ct)
    {
        var finished = manifest with { KeyId = key.Id, Seal = "" };
        finished = finished with { Seal = key.Seal(finished.Sealed()) };
        await File.WriteAllTextAsync(Path.Combine(folder, ArchiveManifest.FileName), finished.ToJson(), ct);
        return finished;
    }

    /// <summary>Reads the manifest.</summary>
    /// <exception cref="AdapterException">It is missing, damaged, of another set, or sealed with another key.</exception>
    public async Task<ArchiveManifest> ManifestAsync(CancellationToken ct)
    {
        var file = Path.Combine(folder, ArchiveManifest.FileName);
        if (!File.Exists(file))
            throw new AdapterException(AdapterFailureKind.Missing, $"{Named(ArchiveManifest.FileName)} is missing: without it nobody knows what belongs to the set. Use another set, or another copy of this one.");
        var manifest = ArchiveManifest.Read(await File.ReadAllBytesAsync(file, ct), out var problem) ?? throw Untrusted(problem!, AdapterFailureKind.Damaged);
        Check(manifest);
        return manifest;
    }

    /// <summary>Whether a manifest is this set's and was made with the key.</summary>
    /// <exception cref="AdapterException">It is not.</exception>
    public void Check(ArchiveManifest manifest)
    {
        if (manifest.Set != set)
            throw Untrusted($"{ArchiveManifest.FileName} is that of set {manifest.Set}.", AdapterFailureKind.Damaged);
        if (manifest.KeyId != key.Id)
            throw Untrusted($"It is encrypted with key {manifest.KeyId}, and the key at hand is {key.Id}. Name the key that was in use when it was written.", AdapterFailureKind.Rejected);
        if (!key.Sealed(manifest.Sealed(), manifest.Seal))
            throw Untrusted($"{ArchiveManifest.FileName} was changed after it was written.", AdapterFailureKind.Damaged);
    }

    private FileStream Opened(string name) => File.Exists(FileOf(name)) ? File.OpenRead(FileOf(name))
        : throw new AdapterException(AdapterFailureKind.Missing, $"{Named(name)} is missing. Use another set, or another copy of this one.");

    private AdapterException Untrusted(string problem, AdapterFailureKind kind) => new(kind, $"Set {set} cannot be trusted: {problem}");

    private string Named(string part) => $"{set}/{part}";
}
