using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;
using PlatformOps.Platform.Certificates;
using JavaCertificate = Org.BouncyCastle.X509.X509Certificate;

namespace PlatformOps.Adapters.Certificates;

/// <summary>Keystores as programs on a Java virtual machine read them: a certificate with its key (<c>keystore</c>), and whom to trust (<c>truststore</c>).</summary>
public static class Keystores
{
    /// <summary>What the certificate is called in a keystore; roots are called <c>ca-</c> and the beginning of their fingerprint.</summary>
    private const string Alias = "certificate";

    /// <summary>Makes the stores of a Secret, by the keys that they have there. Encrypted anew each time, so that no two are equal.</summary>
    /// <param name="certificate">PEM: the leaf, then what vouches for it; null with <paramref name="key"/>: only whom to trust.</param>
    /// <param name="authorities">PEM.</param>
    public static IReadOnlyDictionary<string, byte[]> Make(IReadOnlyList<KeystoreFormat> formats, SecretText password, string? certificate, SecretText? key, string authorities)
    {
        var made = new Dictionary<string, byte[]>();
        var trusted = ReadLeaf.Bundle(authorities);
        foreach (var format in formats)
        {
            var truststore = Store.New(format);
            foreach (var (fingerprint, pem) in trusted)
                truststore.Trust($"ca-{fingerprint[..12]}", Parse(pem));
            made[format.Truststore()] = truststore.Save(password);
            if (certificate is null || key is null)
                continue;
            var keystore = Store.New(format);
            keystore.Hold(Alias, Pkcs8(certificate, key), [.. ReadLeaf.Bundle(certificate).Values.Select(Parse)], password);
            made[format.Keystore()] = keystore.Save(password);
        }

        return made;
    }

    /// <summary>Whom a truststore names, as PEM by fingerprint; null: it cannot be read with this password.</summary>
    public static IReadOnlyDictionary<string, string>? Trusted(KeystoreFormat format, byte[] store, SecretText password) =>
        Read(format, store, password)?.Trusted.Select(Pem).DistinctBy(known => known.Fingerprint).ToDictionary(known => known.Fingerprint, known => known.Pem);

    /// <summary>The fingerprint of the certificate that a keystore holds with a key; null: none, or it cannot be read with this password.</summary>
    public static string? Leaf(KeystoreFormat format, byte[] store, SecretText password) => Read(format, store, password)?.Held(Alias) is { } leaf ? Pem(leaf).Fingerprint : null;

    private static Store? Read(KeystoreFormat format, byte[] store, SecretText password)
    {
        try
        {
            return Store.Read(format, store, password);
        }
        // Another password, or no keystore at all: the library tells them apart by words only.
        catch (Exception failure) when (failure is IOException or ArgumentException or GeneralSecurityException or InvalidOperationException)
        {
            return null;
        }
    }

    private static byte[] Pkcs8(string certificate, SecretText key)
    {
        using var pair = X509Certificate2.CreateFromPem(certificate, key.Reveal());
        using AsymmetricAlgorithm secret = pair.GetECDsaPrivateKey() ?? (AsymmetricAlgorithm?)pair.GetRSAPrivateKey()
            ?? throw new AdapterException(AdapterFailureKind.Rejected, "Keystores are made for keys of ECDSA and RSA; the certificate has another one. Issue it with one of those.");
        return secret.ExportPkcs8PrivateKey();
    }

    private static JavaCertificate Parse(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return new X509CertificateParser().ReadCertificate(certificate.RawData);
    }

    private static (string Fingerprint, string Pem) Pem(JavaCertificate certificate)
    {
        using var read = X509CertificateLoader.LoadCertificate(certificate.GetEncoded());
        return (ReadLeaf.FingerprintOf(read), $"{read.ExportCertificatePem()}\n");
    }

    /// <summary>Either format.</summary>
    private abstract class Store
    {
        public abstract IEnumerable<JavaCertificate> Trusted { get; }

        public static Store New(KeystoreFormat format) => format == KeystoreFormat.Jks ? new Jks(new()) : new Pkcs12(Pkcs12.Builder().Build());

        public static Store Read(KeystoreFormat format, byte[] content, SecretText password)
        {
            using var stream = new MemoryStream(content);
            if (format == KeystoreFormat.Jks)
            {
                var jks = new JksStore();
                jks.Load(stream, password.Reveal().ToCharArray());
                return new Jks(jks);
            }

            var pkcs12 = Pkcs12.Builder().Build();
            pkcs12.Load(stream, password.Reveal().ToCharArray());
            return new Pkcs12(pkcs12);
        }

        public abstract void Trust(string alias, JavaCertificate certificate);

        public abstract void Hold(string alias, byte[] key, JavaCertificate[] chain, SecretText password);

        public abstract JavaCertificate? Held(string alias);

        public abstract byte[] Save(SecretText password);
    }

    private sealed class Jks(JksStore store) : Store
    {
        public override IEnumerable<JavaCertificate> Trusted => store.Aliases.Where(store.IsCertificateEntry).Select(store.GetCertificate);

        public override void Trust(string alias, JavaCertificate certificate) => store.SetCertificateEntry(alias, certificate);

        public override void Hold(string alias, byte[] key, JavaCertificate[] chain, SecretText password) =>
            store.SetKeyEntry(alias, PrivateKeyFactory.CreateKey(key), password.Reveal().ToCharArray(), chain);

        public override JavaCertificate? Held(string alias) => store.IsKeyEntry(alias) ? store.GetCertificate(alias) : null;

        public override byte[] Save(SecretText password)
        {
            using var stream = new MemoryStream();
            store.Save(stream, password.Reveal().ToCharArray());
            return stream.ToArray();
        }
    }

    private sealed class Pkcs12(Pkcs12Store store) : Store
    {
        public override IEnumerable<JavaCertificate> Trusted => store.Aliases.Where(store.IsCertificateEntry).Select(alias => store.GetCertificate(alias).Certificate);

        /// <summary>Java trusts a certificate of PKCS#12 only where an attribute of Oracle's says so. The algorithms are those of today: Java 8 reads them since update 301.</summary>
        public static Pkcs12StoreBuilder Builder() => new Pkcs12StoreBuilder()
            .SetEnableOracleTrustedKeyUsage(true)
            .SetKeyAlgorithm(NistObjectIdentifiers.IdAes256Cbc, PkcsObjectIdentifiers.IdHmacWithSha256)
            .SetCertAlgorithm(NistObjectIdentifiers.IdAes256Cbc, PkcsObjectIdentifiers.IdHmacWithSha256);

        public override void Trust(string alias, JavaCertificate certificate) => store.SetCertificateEntry(alias, new(certificate));

        public override void Hold(string alias, byte[] key, JavaCertificate[] chain, SecretText password) =>
            store.SetKeyEntry(alias, new(PrivateKeyFactory.CreateKey(key)), [.. chain.Select(certificate => new X509CertificateEntry(certificate))]);

        public override JavaCertificate? Held(string alias) => store.IsKeyEntry(alias) ? store.GetCertificate(alias)?.Certificate : null;

        public override byte[] Save(SecretText password)
        {
            using var stream = new MemoryStream();
            store.Save(stream, password.Reveal().ToCharArray(), new SecureRandom());
            return stream.ToArray();
        }
    }
}
