using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>The one authority that signs for every instance, as AWS's it lasts for decades. Nobody has its key: there is no server that would need a certificate.</summary>
internal static class RdsAuthority
{
    public const string Name = "rds-ca-rsa2048-g1";

    public const string Pem = """
        -----BEGIN CERTIFICATE-----
        MIIBzjCCAXOgAwIBAgIUZTXsr48JVp4fg0xML57hhpkVn4AwCgYIKoZIzj0EAwIw
        OzEQMA4GA1UECgwHU2FuZGJveDEnMCUGA1UEAwweU2FuZGJveCBSRFMgUm9vdCBD
        QSBSU0EyMDQ4IEcxMCAXDTI2MTEyNjE2NDcyNVoYDzIwNjExMTIwMTY0NzI1WjA7
        MRAwDgYDVQQKDAdTYW5kYm94MScwJQYDVQQDDB5TYW5kYm94IFJEUyBSb290IENB
        IFJTQTIwNDggRzEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARvfcZO2QzKT79S
        hUFVppIxtL0wyPnJsTnEBdixN7gwgbU6kXUe8L+04M3keg2160xqob5OEvsZLccN
        2oowhmt8o1MwUTAdBgNVHQ4EFgQUErmS1zg059I2A1bvndJ3BCWizsUwHwYDVR0j
        BBgwFoAUErmS1zg059I2A1bvndJ3BCWizsUwDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNJADBGAiEAifNxTa+SHVicouxqsVppYNpkODe3U0zh56c0uOk1nzwC
        IQC4sfzx4wpECmoGjE20Jiu9wu1J/pBLJSFQsJDRqr39cw==
        -----END CERTIFICATE-----
        """;

    public static XElement Describe(AwsCall call)
    {
        var (only, _, _) = (call.Text("CertificateIdentifier"), call.Number("MaxRecords"), call.Text("Marker"));
        call.NothingElse();
        if (only is not null && !only.Equals(Name, StringComparison.OrdinalIgnoreCase))
            throw new AwsFailure(404, "CertificateNotFound", $"Certificate not found: {only}");
        using var certificate = X509Certificate2.CreateFromPem(Pem);
        return call.Answer(new XElement("Certificates", new XElement("Certificate",
            new XElement("CertificateIdentifier", Name),
            new XElement("CertificateType", "CA"),
            new XElement("Thumbprint", certificate.Thumbprint.ToLowerInvariant()),
            new XElement("ValidFrom", Time(certificate.NotBefore)),
            new XElement("ValidTill", Time(certificate.NotAfter)),
            new XElement("CertificateArn", $"arn:aws:rds:{call.Region}::cert:{Name}"))));
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
