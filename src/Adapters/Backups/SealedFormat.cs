using System.Buffers.Binary;

namespace PlatformOps.Adapters.Backups;

/// <summary>How a sealed file is laid out: a header (mark, key id, salt), then chunks of 64 KiB, each encrypted with AES-256-GCM under a key of the file. The nonce of a chunk is its
/// number and whether it is the last one, so that chunks cannot be moved, repeated or cut off; the header is authenticated with every chunk.</summary>
internal static class SealedFormat
{
    public const int ChunkBytes = 64 * 1024, TagBytes = 16, SaltBytes = 32, HeaderBytes = 8 + 8 + SaltBytes;

    public static ReadOnlySpan<byte> Mark => "POSEAL1\n"u8;

    public static byte[] Header(SealingKey key, ReadOnlySpan<byte> salt) => [.. Mark, .. Convert.FromHexString(key.Id), .. salt];

    public static byte[] Nonce(ulong chunk, bool last)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(3), chunk);
        nonce[11] = last ? (byte)1 : (byte)0;
        return nonce;
    }
}
