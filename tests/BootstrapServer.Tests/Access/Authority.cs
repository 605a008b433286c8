using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Temporalio.Client;

namespace PlatformOps.BootstrapServer.Tests.Access;

/// <summary>A certificate authority of a test's own, with its files in a folder of their own.</summary>
internal sealed class Authority : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 root;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("platformops-access-");

    public Authority(string name)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(CertificateFile, root.ExportCertificatePem());
    }

    public string CertificateFile => PathOf("ca.pem");

    public byte[] Certificate => File.ReadAllBytes(CertificateFile);

    public string PathOf(string name) => Path.Combine(folder.FullName, name);

    /// <summary>Writes a certificate for 127.0.0.1 and its key; the paths of both.</summary>
    public (string Certificate, string Key) IssueServer(string name = "server") => Issue(name, "1.3.6.1.5.5.7.3.1");

    /// <summary>What a client shows.</summary>
    public TlsOptions Client(Authority server, bool withCertificate = true)
    {
        var options = new TlsOptions { ServerRootCACert = server.Certificate };
        if (!withCertificate)
            return options;
        var (certificate, clientKey) = Issue("client", "1.3.6.1.5.5.7.3.2");
        options.ClientCert = File.ReadAllBytes(certificate);
        options.ClientPrivateKey = File.ReadAllBytes(clientKey);
        return options;
    }

    public void Dispose()
    {
        root.Dispose();
        key.Dispose();
        folder.Delete(recursive: true);
    }

    private (string Certificate, string Key) Issue(string name, string usage)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", own, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(root, root.NotBefore, root.NotAfter, RandomNumberGenerator.GetBytes(8));
        var paths = (PathOf($"{name}.crt"), PathOf($"{name}.key"));
        File.WriteAllText(paths.Item1, issued.ExportCertificatePem());
        File.WriteAllText(paths.Item2, own.ExportPkcs8PrivateKeyPem());
        return paths;
    }
}
