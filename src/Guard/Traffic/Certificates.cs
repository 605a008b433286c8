using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Guard.Configuration;

namespace PlatformOps.Guard.Traffic;

/// <summary>Who is who in mutual TLS: certificates of one authority, told apart by their common names.</summary>
internal static class Certificates
{
    public static X509Certificate2 Load(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception failure) when (failure is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new GuardException($"The certificate {certificate} with the key {key} cannot be used: {failure.Message} Correct the guard's configuration.", failure);
        }
    }

    /// <summary>Null: the certificate is not of our authority, or over.</summary>
    public static string? NameOf(X509Certificate? presented, X509Certificate2Collection authorities)
    {
        if (presented is not X509Certificate2 certificate)
            return null;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        // An authority of one's own has no place where revocations are asked: whom it no longer trusts it no longer renews.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate) ? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) : null;
    }

    public static X509Certificate2Collection Authorities(TlsSettings tls)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(tls.Authority);
        return authorities.Count > 0 ? authorities : throw new GuardException($"tls.authority {tls.Authority} holds no certificate. Correct the guard's configuration.");
    }

    /// <summary>A server's half of mutual TLS that lets in whom <paramref name="welcome"/> names.</summary>
    public static SslServerAuthenticationOptions Mutual(X509Certificate2 own, X509Certificate2Collection authorities, Func<string, bool> welcome) => new()
    {
        ServerCertificate = own,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, presented, _, _) => NameOf(presented, authorities) is { } name && welcome(name),
    };
}
