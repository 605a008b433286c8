using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Starter.Failover;

/// <summary>An authority of its own and certificates of it for names on this machine, as PEM files in a folder.</summary>
internal sealed class LocalCertificates(string folder, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>The authority's certificate.</summary>
    public string Authority => Path.Combine(folder, "authority.pem");

    public string Certificate(string name) => Path.Combine(folder, $"{name}.pem");

    public string Key(string name) => Path.Combine(folder, $"{name}.key");

    /// <summary>Makes all of them. The authority's key is kept nowhere.</summary>
    public void Make(params IEnumerable<string> names)
    {
        Directory.CreateDirectory(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=platformops local authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        var (from, until) = (clock.GetUtcNow() - TimeSpan.FromHours(1), clock.GetUtcNow() + Lifetime);
        using var authority = request.CreateSelfSigned(from, until);
        foreach (var name in names)
            Issue(name, authority, from, until);
        File.WriteAllText(Authority, authority.ExportCertificatePem());
    }

    private void Issue(string name, X509Certificate2 authority, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        using var certificate = request.Create(authority, from, until, RandomNumberGenerator.GetBytes(16));
        File.WriteAllText(Certificate(name), certificate.ExportCertificatePem());
        using var file = new FileStream(Key(name), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        using var writer = new StreamWriter(file);
        writer.Write(key.ExportPkcs8PrivateKeyPem());
    }
}
