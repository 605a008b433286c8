using System.Security.Cryptography;

namespace PlatformOps.Adapters.Etcd;

/// <summary>Checks a snapshot of etcd while it goes by: its last 32 bytes are SHA-256 of all before them.</summary>
public sealed class SnapshotHash : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The last bytes so far, which may be the checksum.</summary>
    private readonly List<byte> last = [];

    /// <summary>How many there were, with the checksum.</summary>
    public long Bytes { get; private set; }

    public void Append(ReadOnlySpan<byte> piece)
    {
        Bytes += piece.Length;
        last.AddRange(piece);
        if (last.Count <= SHA256.HashSizeInBytes)
            return;
        var before = last.Count - SHA256.HashSizeInBytes;
        hash.AppendData(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(last)[..before]);
        last.RemoveRange(0, before);
    }

    /// <summary>The checksum, 64 hexadecimal digits; null: it is not that of what came before.</summary>
    public string? Digest() => last.Count == SHA256.HashSizeInBytes && hash.GetCurrentHash().AsSpan().SequenceEqual(last.ToArray()) ? Convert.ToHexStringLower([.. last]) : null;

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();
}
