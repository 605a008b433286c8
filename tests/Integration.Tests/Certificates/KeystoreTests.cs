using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Platform.Certificates;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Keystores hold what their PEM says, and are read by another implementation.</summary>
public sealed class KeystoreTests
{
    private static readonly SecretText Password = new("a-password-of-a-test");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hold_the_certificate_with_its_key_and_whom_to_trust(bool rsa)
    {
        var (first, second) = (Root("first"), Root("second"));
        var (leaf, key) = Leaf(first, rsa);
        var made = Keystores.Make([KeystoreFormat.Pkcs12, KeystoreFormat.Jks], Password, leaf, key, first.Pem + second.Pem);
        Assert.Equal(["keystore.jks", "keystore.p12", "truststore.jks", "truststore.p12"], made.Keys.Order(StringComparer.Ordinal));
        var (roots, fingerprint) = (ReadLeaf.Bundle(first.Pem + second.Pem).Keys.Order(), ReadLeaf.Bundle(leaf).Keys.First());
        foreach (var format in Enum.GetValues<KeystoreFormat>())
        {
            Assert.Equal(roots, Keystores.Trusted(format, made[format.Truststore()], Password)!.Keys.Order());
            Assert.Equal(fingerprint, Keystores.Leaf(format, made[format.Keystore()], Password));
            Assert.Null(Keystores.Leaf(format, made[format.Truststore()], Password));
            // Another password, another format, and nothing at all.
            Assert.Null(Keystores.Trusted(format, made[format.Truststore()], new("another")));
            Assert.Null(Keystores.Trusted(format, made[(format == KeystoreFormat.Jks ? KeystoreFormat.Pkcs12 : KeystoreFormat.Jks).Truststore()], Password));
            Assert.Null(Keystores.Leaf(format, [], Password));
        }

        // What .NET makes of it.
        using var held = X509CertificateLoader.LoadPkcs12(made["keystore.p12"], Password.Reveal());
        Assert.Equal((fingerprint, true), (ReadLeaf.FingerprintOf(held), held.HasPrivateKey));
        Assert.Equal(roots, X509CertificateLoader.LoadPkcs12Collection(made["truststore.p12"], Password.Reveal()).Select(ReadLeaf.FingerprintOf).Order());
        Assert.Equal("FEEDFEED", Convert.ToHexString(made["truststore.jks"].AsSpan(0, 4)));
    }

    [Fact]
    public void Without_a_certificate_there_is_whom_to_trust_alone()
    {
        var made = Keystores.Make([KeystoreFormat.Jks], Password, null, null, Root("first").Pem);
        Assert.Equal(["truststore.jks"], made.Keys);
    }

    private static (X509Certificate2 Certificate, string Pem) Root(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(9));
        return (root, $"{root.ExportCertificatePem()}\n");
    }

    private static (string Pem, SecretText Key) Leaf((X509Certificate2 Certificate, string Pem) issuer, bool rsa)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = rsa ? new CertificateRequest("CN=leaf", (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : new CertificateRequest("CN=leaf", (ECDsa)key, HashAlgorithmName.SHA256);
        using var leaf = request.Create(issuer.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.Certificate.GetECDsaPrivateKey()!), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
        return ($"{leaf.ExportCertificatePem()}\n", new(key.ExportPkcs8PrivateKeyPem()));
    }
}
