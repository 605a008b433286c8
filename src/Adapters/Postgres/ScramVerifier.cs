using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Adapters.Postgres;

/// <summary>What a server keeps of a password (RFC 5803 with SCRAM-SHA-256): made here, so that the password itself is in no statement that a server might log.</summary>
internal static class ScramVerifier
{
    /// <summary>PostgreSQL's own default.</summary>
    private const int Iterations = 4096, SaltBytes = 16;

    public static string Of(SecretText password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var salted = Rfc2898DeriveBytes.Pbkdf2(password.Reveal(), salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, Encoding.ASCII.GetBytes("Client Key")));
        var server = HMACSHA256.HashData(salted, Encoding.ASCII.GetBytes("Server Key"));
        return string.Create(CultureInfo.InvariantCulture, $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}");
    }
}
