using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Adapters.Certificates;

/// <summary>The leaf of a Kubernetes Secret, read. Disposing forgets its key.</summary>
public sealed class ReadLeaf : IDisposable
{
    private readonly X509Certificate2 certificate;
    private readonly X509Certificate2Collection between;

    private ReadLeaf(X509Certificate2 certificate, X509Certificate2Collection between) => (this.certificate, this.between) = (certificate, between);

    /// <summary>SHA-256, lower-case hexadecimal digits.</summary>
    public string Fingerprint => FingerprintOf(certificate);

    /// <summary>As Vault writes it: <c>1b:2c:...</c>.</summary>
    public string Serial => SerialOf(certificate);

    public DateTimeOffset NotBefore => new(certificate.NotBefore.ToUniversalTime());

    public DateTimeOffset NotAfter => new(certificate.NotAfter.ToUniversalTime());

    /// <summary>What it is valid for.</summary>
    public IReadOnlyList<string> DnsNames => [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())];

    /// <summary>Who signed it, as a distinguished name.</summary>
    public string Issuer => certificate.Issuer;

    /// <summary>Null: that is no certificate in PEM. Those behind the first one are what vouches for it.</summary>
    public static ReadLeaf? Of(string pem)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }

        if (all.Count == 0)
            return null;
        var leaf = all[0];
        all.RemoveAt(0);
        return new(leaf, all);
    }

    public static string FingerprintOf(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();

    public static string SerialOf(X509Certificate2 certificate)
    {
        // A leading zero only says that the number is not negative; Vault leaves it out.
        var bytes = certificate.SerialNumberBytes.Span;
        while (bytes.Length > 1 && bytes[0] == 0)
            bytes = bytes[1..];
        return string.Join(':', Convert.ToHexStringLower(bytes).Chunk(2).Select(pair => new string(pair)));
    }

    /// <summary>The certificates of a bundle in PEM, by fingerprint, in their order. What cannot be read is left out.</summary>
    public static IReadOnlyDictionary<string, string> Bundle(string pem)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return new Dictionary<string, string>();
        }

        return all.DistinctBy(FingerprintOf).ToDictionary(FingerprintOf, certificate => $"{certificate.ExportCertificatePem()}\n");
    }

    /// <summary>SHA-1 of the certificates of a bundle, in lower-case hexadecimal digits: some systems name certificates by nothing better.</summary>
    public static IReadOnlyList<string> Thumbprints(string pem) => [.. Bundle(pem).Values.Select(one =>
    {
        using var certificate = X509Certificate2.CreateFromPem(one);
        return certificate.Thumbprint.ToLowerInvariant();
    })];

    /// <summary>When the first of several certificates in PEM ends; null: there is none that can be read.</summary>
    public static DateTimeOffset? EarliestEnd(string pem)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }

        return all.Count == 0 ? null : all.Min(certificate => new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
    }

    /// <summary>Whether a certificate in PEM is its own issuer.</summary>
    public static bool IsSelfSigned(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
    }

    /// <summary>The certificate with its key, for handshakes; null: the key is not there, or is another one's.</summary>
    public X509Certificate2? WithKey(SecretText? key)
    {
        try
        {
            return key is null ? null : X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), key.Reveal());
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether it leads to one of these authorities, at a time.</summary>
    /// <param name="authorities">PEM; several one after the other.</param>
    public bool ChainsTo(string authorities, DateTimeOffset at)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // An authority below a root is trusted like a root where it stands in the bundle, as OpenSSL's and Go's clients do.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        chain.ChainPolicy.VerificationTime = at.UtcDateTime;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        var trusted = new X509Certificate2Collection();
        try
        {
            trusted.ImportFromPem(authorities);
        }
        catch (CryptographicException)
        {
            return false;
        }

        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        chain.ChainPolicy.ExtraStore.AddRange(between);
        return chain.Build(certificate) && chain.ChainElements.Skip(1).Any(element => trusted.Any(authority => authority.RawData.AsSpan().SequenceEqual(element.Certificate.RawData)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        certificate.Dispose();
        foreach (var authority in between)
            authority.Dispose();
    }
}
