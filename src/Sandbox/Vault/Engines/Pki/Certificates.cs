using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Pki;

/// <summary>Makes certificates, with real keys and signatures.</summary>
internal static class Certificates
{
    /// <summary>As Vault: a certificate is valid a little before it was made, for clocks that are behind.</summary>
    private static readonly TimeSpan Backdate = TimeSpan.FromSeconds(30);

    public static X500DistinguishedName Subject(string commonName, JsonObject fields)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        foreach (var organization in fields.Words("organization") ?? [])
            builder.AddOrganizationName(organization);
        foreach (var unit in fields.Words("ou") ?? [])
            builder.AddOrganizationalUnitName(unit);
        return builder.Build();
    }

    public static X509Certificate2 SelfSigned(CertificateRequest request, AsymmetricAlgorithm key, DateTimeOffset now, TimeSpan ttl, int? pathLength)
    {
        AddAuthority(request, pathLength);
        var generator = key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        return request.Create(request.SubjectName, generator, now - Backdate, now + ttl, NewSerial());
    }

    /// <exception cref="VaultFailure">It would outlive its issuer.</exception>
    public static X509Certificate2 Signed(CertificateRequest request, X509Certificate2 issuer, DateTimeOffset now, TimeSpan ttl)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var (end, limit) = (now + ttl, new DateTimeOffset(issuer.NotAfter.ToUniversalTime()));
        if (end > limit)
            throw VaultFailure.Rejected($"cannot satisfy request, as TTL would result in notAfter of {VaultFields.Time(end)} that is beyond the expiration of the CA certificate at {VaultFields.Time(limit)}");
        using var key = (AsymmetricAlgorithm?)issuer.GetRSAPrivateKey() ?? issuer.GetECDsaPrivateKey()!;
        var generator = key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        return request.Create(issuer.SubjectName, generator, now - Backdate, end, NewSerial());
    }

    public static void AddAuthority(CertificateRequest request, int? pathLength)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, pathLength is >= 0, Math.Max(pathLength ?? 0, 0), critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
    }

    public static void AddNames(CertificateRequest request, IReadOnlyCollection<string> names, IReadOnlyCollection<IPAddress> addresses)
    {
        if (names.Count + addresses.Count == 0)
            return;
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            builder.AddDnsName(name);
        foreach (var address in addresses)
            builder.AddIpAddress(address);
        request.CertificateExtensions.Add(builder.Build());
    }

    /// <exception cref="VaultFailure">It is none, or was not signed with its own key.</exception>
    public static CertificateRequest ReadRequest(string pem)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw VaultFailure.Rejected("csr contains no data or could not be parsed");
        }
    }

    /// <summary>As Vault writes serial numbers: <c>1b:2c:...</c>.</summary>
    public static string Serial(X509Certificate2 certificate) => Serial(certificate.SerialNumberBytes.Span);

    public static string Serial(ReadOnlySpan<byte> bytes) => string.Join(':', Convert.ToHexStringLower(bytes).Chunk(2).Select(pair => new string(pair)));

    public static byte[] Serial(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal));

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(20);
        // Positive, and never shortened.
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }
}
