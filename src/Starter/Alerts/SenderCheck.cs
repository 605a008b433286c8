using System.Security.Cryptography;
using System.Text;
using PlatformOps.Platform.Alerts;

namespace PlatformOps.Starter.Alerts;

/// <summary>Whether a request comes from whom it should. The secret is read at each request, so that it can be changed without a restart.</summary>
internal sealed class SenderCheck(AlertSender sender, string folder)
{
    private const string Bearer = "Bearer ", Signature = "sha256=";

    /// <param name="header">An HTTP header by its name; null: there is none.</param>
    /// <exception cref="IOException">The secret's file cannot be read.</exception>
    public bool Believes(Func<string, string?> header, ReadOnlySpan<byte> body)
    {
        var secret = Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(folder, sender.TokenFile ?? sender.HmacKeyFile!)).Trim());
        if (secret.Length == 0)
            return false;
        if (sender.TokenFile is not null)
            return header("Authorization") is { } given && given.StartsWith(Bearer, StringComparison.Ordinal) && Same(Encoding.UTF8.GetBytes(given[Bearer.Length..]), secret);
        return header("X-Hub-Signature-256") is { } signature && signature.StartsWith(Signature, StringComparison.Ordinal)
            && Hex(signature[Signature.Length..]) is { } claimed && CryptographicOperations.FixedTimeEquals(claimed, HMACSHA256.HashData(secret, body));
    }

    /// <summary>In a time that tells nothing, not even the length.</summary>
    private static bool Same(byte[] given, byte[] secret) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(given), SHA256.HashData(secret));

    private static byte[]? Hex(string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
