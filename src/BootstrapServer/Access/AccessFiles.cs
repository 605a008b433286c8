using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>What the files of <see cref="AccessOptions"/> hold. The reasons why one cannot be used never quote it.</summary>
internal static class AccessFiles
{
    /// <exception cref="CryptographicException">It is not a certificate with its key.</exception>
    public static SslStreamCertificateContext Identity(IReadOnlyList<byte[]> files)
    {
        var (chain, key) = (Encoding.UTF8.GetString(files[0]), Encoding.UTF8.GetString(files[1]));
        var others = new X509Certificate2Collection();
        others.ImportFromPem(chain);
        return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(chain, key), others, offline: true);
    }

    /// <exception cref="CryptographicException">There is no certificate in it.</exception>
    public static X509Certificate2Collection Authorities(IReadOnlyList<byte[]> files)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPem(Encoding.UTF8.GetString(files[0]));
        return found.Count > 0 ? found : throw new CryptographicException("No certificate is in it.");
    }

    public static ApiKeys Keys(IReadOnlyList<byte[]> files) => ApiKeys.Parse(Encoding.UTF8.GetString(files[0]));

    public static IEnumerable<string> Problems(AccessOptions options)
    {
        if (options is { CertificateFile: { } certificate, KeyFile: { } key } && Problem(Identity, certificate, key) is { } identity)
            yield return $"CertificateFile {certificate} with KeyFile {key}: {identity}";
        if (options.ClientAuthorityFile is { } authority && Problem(Authorities, authority) is { } authorities)
            yield return $"ClientAuthorityFile {authority}: {authorities}";
        if (options.ApiKeyFile is { } keyFile && Problem(Keys, keyFile) is { } keys)
            yield return $"ApiKeyFile {keyFile}: {keys}";
    }

    private static string? Problem<T>(Func<IReadOnlyList<byte[]>, T> make, params string[] files)
    {
        try
        {
            make([.. files.Select(File.ReadAllBytes)]);
            return null;
        }
        catch (Exception e) when (IsAboutTheFile(e))
        {
            return e.Message;
        }
    }

    /// <summary>What a file can do wrong; anything else is a defect of ours.</summary>
    public static bool IsAboutTheFile(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or FormatException or ArgumentException;
}
