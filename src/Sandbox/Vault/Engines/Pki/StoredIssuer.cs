using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Vault.Core;
using PlatformOps.Sandbox.Vault.Http;

namespace PlatformOps.Sandbox.Vault.Engines.Pki;

/// <summary>A certificate authority of the engine: its certificate, and its key where it was made here.</summary>
internal sealed class StoredIssuer(JsonObject stored)
{
    public JsonObject Stored => stored;

    public string Id => stored.String("issuer_id")!;

    public string Name => stored.String("issuer_name") ?? "";

    public string Pem => stored.String("certificate")!;

    public bool HasKey => stored.String("key") is { Length: > 0 };

    public bool MayIssue => HasKey && stored.Words("usage")!.Contains("issuing-certificates") && !stored.Flag("revoked");

    public X509Certificate2 Certificate() => X509Certificate2.CreateFromPem(Pem);

    /// <summary>With its key, to sign with.</summary>
    public X509Certificate2 Signer()
    {
        if (!HasKey)
            throw VaultFailure.Rejected("issuer has no key associated with it");
        using var certificate = Certificate();
        using var key = PrivateKey.Read(stored.String("key")!);
        return key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);
    }
}

/// <summary>Keys of certificate authorities, as PKCS 8 in PEM.</summary>
internal static class PrivateKey
{
    public static AsymmetricAlgorithm Make(JsonObject fields)
    {
        var bits = fields.Integer("key_bits") ?? 0;
        return (fields.String("key_type") ?? "rsa", bits) switch
        {
            ("rsa", 0 or 2048) => RSA.Create(2048),
            ("rsa", 3072 or 4096) => RSA.Create(bits),
            ("ec", 0 or 256) => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            ("ec", 384) => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            ("ed25519", _) => throw VaultFailure.NotPlayed("ed25519 keys"),
            var (type, _) => throw VaultFailure.Rejected($"unsupported key type or bits: {type} {bits}"),
        };
    }

    public static string Write(AsymmetricAlgorithm key) => key.ExportPkcs8PrivateKeyPem();

    public static AsymmetricAlgorithm Read(string pem)
    {
        try
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return rsa;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            var ec = ECDsa.Create();
            ec.ImportFromPem(pem);
            return ec;
        }
    }

    public static CertificateRequest Request(X500DistinguishedName subject, AsymmetricAlgorithm key) => key is RSA rsa
        ? new(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new(subject, (ECDsa)key, HashAlgorithmName.SHA256);
}
