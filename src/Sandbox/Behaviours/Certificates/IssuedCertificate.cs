using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Custom;

namespace PlatformOps.Sandbox.Behaviours.Certificates;

/// <summary>Makes certificates as a Certificate's <c>spec</c> wants them, with real keys and signatures, and reads them back from Secrets.</summary>
internal static class IssuedCertificate
{
    private static readonly TimeSpan UsualDuration = TimeSpan.FromHours(2160);

    /// <summary>The data of the Secret: <c>tls.crt</c>, <c>tls.key</c> and <c>ca.crt</c>. Times are whole seconds, as X.509 has them.</summary>
    /// <param name="authority">Who signs, with its key; null: the certificate signs itself.</param>
    public static JsonObject Make(JsonObject spec, X509Certificate2? authority, DateTimeOffset now)
    {
        using var key = NewKey(spec.At("privateKey"));
        var request = Request(spec, key);
        var (start, end) = (now, now + (GoDuration.Read(spec.Text("duration")) ?? UsualDuration));
        if (authority is not null && end > authority.NotAfter)
            end = authority.NotAfter;
        using var signer = authority is null ? null : (AsymmetricAlgorithm?)authority.GetRSAPrivateKey() ?? authority.GetECDsaPrivateKey()!;
        if (authority is not null)
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var made = request.Create(authority?.SubjectName ?? request.SubjectName, Generator(signer ?? key), start, end, Serial());
        return new()
        {
            ["tls.crt"] = Encoded(made.ExportCertificatePem() + "\n"),
            ["tls.key"] = Encoded(Pem(key, spec.At("privateKey").Text("encoding")) + "\n"),
            ["ca.crt"] = Encoded((authority ?? made).ExportCertificatePem() + "\n"),
        };
    }

    /// <summary>The certificate of a Secret's data; null when there is none that can be read.</summary>
    public static X509Certificate2? Read(ClusterObject secret)
    {
        try
        {
            return Decoded(secret, "tls.crt") is { } pem ? X509Certificate2.CreateFromPem(pem) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="Read"/>, with its private key.</summary>
    public static X509Certificate2? ReadWithKey(ClusterObject secret)
    {
        try
        {
            return Decoded(secret, "tls.crt") is { } pem && Decoded(secret, "tls.key") is { } key ? X509Certificate2.CreateFromPem(pem, key) : null;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The fields of <c>spec</c> that the certificate does not have as they are wanted.</summary>
    public static IReadOnlyList<string> Differences(JsonObject spec, X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        List<string> differences = [];
        if ((spec.Text("commonName") ?? "") is { Length: > 0 } name && certificate.GetNameInfo(X509NameType.SimpleName, false) != name)
            differences.Add("spec.commonName");
        if (!Texts(spec, "dnsNames").ToHashSet().SetEquals(names?.EnumerateDnsNames() ?? []))
            differences.Add("spec.dnsNames");
        if (!Texts(spec, "ipAddresses").Select(IPAddress.Parse).ToHashSet().SetEquals(names?.EnumerateIPAddresses() ?? []))
            differences.Add("spec.ipAddresses");
        return differences;
    }

    public static IEnumerable<string> Texts(JsonNode? node, string field) => node.Items(field).Select(item => item.GetValue<string>());

    private static string? Decoded(ClusterObject secret, string name) =>
        secret.Body.At("data").Text(name) is { Length: > 0 } data ? Encoding.ASCII.GetString(Convert.FromBase64String(data)) : null;

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static CertificateRequest Request(JsonObject spec, AsymmetricAlgorithm key)
    {
        var subject = new X500DistinguishedNameBuilder();
        foreach (var organization in Texts(spec.At("subject"), "organizations"))
            subject.AddOrganizationName(organization);
        if (spec.Text("commonName") is { Length: > 0 } name)
            subject.AddCommonName(name);
        var request = key is RSA rsa
            ? new CertificateRequest(subject.Build(), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject.Build(), (ECDsa)key, HashAlgorithmName.SHA256);
        var authority = spec.Flag("isCA");
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment | (authority ? X509KeyUsageFlags.KeyCertSign : 0), critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        AddPurposes(request, spec);
        AddNames(request, spec);
        return request;
    }

    private static void AddPurposes(CertificateRequest request, JsonObject spec)
    {
        var purposes = new OidCollection();
        foreach (var usage in Texts(spec, "usages"))
            if (usage is "server auth" or "client auth")
                purposes.Add(new Oid(usage == "server auth" ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"));
        if (purposes.Count > 0)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, critical: false));
    }

    private static void AddNames(CertificateRequest request, JsonObject spec)
    {
        var (names, addresses) = (Texts(spec, "dnsNames").ToList(), Texts(spec, "ipAddresses").ToList());
        if (names.Count + addresses.Count == 0)
            return;
        var builder = new SubjectAlternativeNameBuilder();
        names.ForEach(builder.AddDnsName);
        addresses.ForEach(address => builder.AddIpAddress(IPAddress.Parse(address)));
        request.CertificateExtensions.Add(builder.Build());
    }

    private static AsymmetricAlgorithm NewKey(JsonNode? wanted) => wanted.Text("algorithm") == "ECDSA"
        ? ECDsa.Create(wanted.Number("size") switch { 384 => ECCurve.NamedCurves.nistP384, 521 => ECCurve.NamedCurves.nistP521, _ => ECCurve.NamedCurves.nistP256 })
        : RSA.Create(wanted.Number("size") ?? 2048);

    private static string Pem(AsymmetricAlgorithm key, string? encoding) => (key, encoding) switch
    {
        (_, "PKCS8") => key.ExportPkcs8PrivateKeyPem(),
        (RSA rsa, _) => rsa.ExportRSAPrivateKeyPem(),
        _ => ((ECDsa)key).ExportECPrivateKeyPem(),
    };

    private static X509SignatureGenerator Generator(AsymmetricAlgorithm key) =>
        key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa((ECDsa)key);

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        // Positive, and never shortened.
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }
}
