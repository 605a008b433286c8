using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PlatformOps.Adapters.Postgres;

/// <summary>What a server keeps of a password (RFC 5803 with SCRAM-SHA-256): made here, so that the password itself is in no statement that a server might log.</summary>
public static class ScramVerifier
{
    /// <summary>PostgreSQL's own default.</summary>
    private const int Iterations = 4096, SaltBytes = 16;

    /// <summary>A verifier of a password, with a salt of its own.</summary>
    public static string Of(SecretText password) => Make(password, RandomNumberGenerator.GetBytes(SaltBytes), Iterations);

    /// <summary>Whether it was made of this password; null: it is of another kind.</summary>
    public static bool? Fits(string verifier, SecretText password)
    {
        var parts = verifier.Split('$', ':');
        return parts is ["SCRAM-SHA-256", var iterations, var salt, _, _]
            ? CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(verifier), Encoding.ASCII.GetBytes(Make(password, Convert.FromBase64String(salt), int.Parse(iterations, CultureInfo.InvariantCulture))))
            : null;
    }

    private static string Make(SecretText password, byte[] salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password.Reveal(), salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, Encoding.ASCII.GetBytes("Client Key")));
        var server = HMACSHA256.HashData(salted, Encoding.ASCII.GetBytes("Server Key"));
        return string.Create(CultureInfo.InvariantCulture, $"SCRAM-SHA-256${iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}");
    }
}
