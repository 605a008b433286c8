using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Adapters.Certificates;

/// <summary>A new key pair, and the request to sign its certificate. The key leaves this object only towards whoever is to serve with it.</summary>
public sealed class LeafRequest : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly CertificateRequest request;

    /// <param name="names">What it is to be valid for, one or more; the first is the common name where it is short enough for one.</param>
    public LeafRequest(IReadOnlyList<string> names)
    {
        var subject = new X500DistinguishedNameBuilder();
        // X.509 allows 64 characters there.
        if (names[0].Length <= 64)
            subject.AddCommonName(names[0]);
        request = new(subject.Build(), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
    }

    /// <summary>The request as PEM.</summary>
    public string Pem => request.CreateSigningRequestPem();

    /// <summary>The private key as PKCS 8 in PEM.</summary>
    public SecretText Key => new($"{key.ExportPkcs8PrivateKeyPem()}\n");

    /// <inheritdoc/>
    public void Dispose() => key.Dispose();
}
