using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Adapters.Codec;

/// <summary>A key of the payload codec. Neither text nor a debugger shows it.</summary>
[DebuggerDisplay("{Id}")]
public sealed class CodecKey
{
    /// <summary>Of AES-256, in bytes.</summary>
    public const int Length = 32;

    private const int LongestId = 64;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly byte[] value;

    private CodecKey(string id, byte[] value)
    {
        (Id, this.value) = (id, value);
        Fingerprint = Convert.ToHexStringLower(HMACSHA256.HashData(value, Encoding.UTF8.GetBytes("platformops: which payload codec key is this?")).AsSpan(0, 8));
    }

    /// <summary>Its name, which every payload carries in plain text.</summary>
    public string Id { get; }

    /// <summary>Tells whether two processes have the same key without telling anything about it: 16 hexadecimal digits of a keyed hash.</summary>
    public string Fingerprint { get; }

    internal ReadOnlySpan<byte> Value => value;

    /// <summary>A new key.</summary>
    /// <returns>The text that goes into the key's file.</returns>
    public static SecretText Generate() => new(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Length)));

    /// <summary>Whether a name can be a key's.</summary>
    public static bool IsId(string id) =>
        id.Length is > 0 and <= LongestId && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && id[0] != '.' && id != CodecKeyFiles.Active;

    /// <param name="text">The key in base64 (44 characters) or hexadecimal (64 digits).</param>
    /// <param name="where">What is to be corrected if it is wrong.</param>
    /// <exception cref="AdapterException">It is not one; the message does not hold the text.</exception>
    public static CodecKey Read(string id, string text, string where)
    {
        if (!IsId(id))
            throw new AdapterException(AdapterFailureKind.Rejected, $"{where}: '{id}' cannot be a key's id; letters, digits, dashes, dots and underscores are expected, at most {LongestId}.");
        var value = Decode(text.Trim());
        return value?.Length == Length
            ? new(id, value)
            : throw new AdapterException(AdapterFailureKind.Rejected, $"{where} holds no key of AES-256: 32 bytes in base64 (44 characters) or hexadecimal (64 digits) are expected. Make one with platformops codec new-key.");
    }

    private static byte[]? Decode(string text)
    {
        try
        {
            return text.Length == 2 * Length ? Convert.FromHexString(text) : Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
