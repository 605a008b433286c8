using System.Security.Cryptography;
using System.Text;
using PlatformOps.Adapters;

namespace PlatformOps.Guard.Postgres;

/// <summary>The two roles that guards use, and their passwords: made of the secret that both nodes have, since roles are the same on both.</summary>
internal static class ServerRoles
{
    /// <summary>The superuser of the guard at its own server. It is the one that the cluster was initialised with.</summary>
    public const string Guard = "platformops_guard";

    /// <summary>The other node's server.</summary>
    public const string Replication = "platformops_replication";

    public static bool IsOurs(string role) => role is Guard or Replication;

    /// <exception cref="GuardException">There is no secret.</exception>
    public static SecretText PasswordOf(string role, string passwordFile)
    {
        string secret;
        try
        {
            secret = File.ReadAllText(passwordFile).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new GuardException($"passwordFile {passwordFile} cannot be read. Run platformops guard init on the first node, and copy the file to the second.", failure);
        }

        return secret.Length >= 16
            ? new(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(role))))
            : throw new GuardException($"passwordFile {passwordFile} holds {secret.Length} characters: at least 16 are expected.");
    }

    /// <summary>Makes the secret when there is none.</summary>
    public static void MakeSecret(string passwordFile)
    {
        if (File.Exists(passwordFile))
            return;
        using var file = new FileStream(passwordFile, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(Encoding.UTF8.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) + "\n"));
    }
}
