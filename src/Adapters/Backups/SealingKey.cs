using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Adapters.Backups;

/// <summary>The key that backups are encrypted with: 32 bytes that no text, JSON or debugger shows.</summary>
[DebuggerDisplay("key {Id}")]
public sealed class SealingKey
{
    /// <summary>AES-256.</summary>
    public const int Bytes = 32;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly byte[] key;

    private SealingKey(byte[] key)
    {
        this.key = key;
        Id = Convert.ToHexStringLower(Mac("platformops backup key id").AsSpan(0, 8));
    }

    /// <summary>Names the key and says nothing about it: 16 hexadecimal digits.</summary>
    public string Id { get; }

    /// <summary>Reads a key.</summary>
    /// <param name="text">32 bytes in base64 (as <c>openssl rand -base64 32</c> makes them) or as 64 hexadecimal digits.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="AdapterException">It is no such key.</exception>
    public static SealingKey Read(SecretText text, string source)
    {
        var value = text.Reveal().Trim();
        var bytes = new byte[Bytes];
        if (value.Length == 2 * Bytes && Convert.FromHexString(value, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == Bytes)
            return new(bytes);
        return Convert.TryFromBase64String(value, bytes, out written) && written == Bytes
            ? new(bytes)
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{source} is no key for backups: 32 bytes in base64 or as 64 hexadecimal digits are expected. Make one with openssl rand -base64 32.");
    }

    /// <summary>A seal over a text that only the key can make: 64 hexadecimal digits.</summary>
    public string Seal(string text) => Convert.ToHexStringLower(Mac("platformops backup manifest\n" + text));

    /// <summary>Whether a seal was made over this text with this key.</summary>
    public bool Sealed(string text, string seal) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Seal(text)), Encoding.ASCII.GetBytes(seal));

    /// <inheritdoc/>
    public override string ToString() => $"key {Id}";

    /// <summary>A cipher for one file: with a key of its own, so that no two files share a nonce, and a file under another name is not taken for it.</summary>
    /// <param name="salt">Chosen by chance for each file.</param>
    /// <param name="name">What the file is.</param>
    internal AesGcm Cipher(ReadOnlySpan<byte> salt, string name)
    {
        Span<byte> own = stackalloc byte[Bytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, own, salt, Encoding.UTF8.GetBytes($"platformops backup file\n{name}"));
        return new(own, AesGcm.TagByteSizes.MaxSize);
    }

    private byte[] Mac(string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
