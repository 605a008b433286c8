namespace PlatformOps.Platform.Certificates;

/// <summary>How a keystore is written.</summary>
public enum KeystoreFormat
{
    /// <summary>PKCS#12 (RFC 7292): what Java reads since version 9 by default.</summary>
    Pkcs12,

    /// <summary>The Java KeyStore format of before.</summary>
    Jks,
}

/// <summary>Keystores that stand beside the PEM of a Secret, for consumers on a Java virtual machine. They are written together with it, and never tell anything else.</summary>
/// <param name="Formats">Which; at least one.</param>
/// <param name="PasswordSecret">The Secret of the same namespace that has their password.</param>
/// <param name="PasswordKey">Its key there.</param>
public sealed record KeystoreDefinition(IReadOnlyList<KeystoreFormat> Formats, string PasswordSecret, string PasswordKey);

/// <summary>What keystores are called in a Secret: the names that cert-manager gives them.</summary>
public static class KeystoreNames
{
    /// <summary>The key of the Secret with the certificate and its private key.</summary>
    public static string Keystore(this KeystoreFormat format) => $"keystore.{Extension(format)}";

    /// <summary>The key of the Secret with whom to trust.</summary>
    public static string Truststore(this KeystoreFormat format) => $"truststore.{Extension(format)}";

    private static string Extension(KeystoreFormat format) => format == KeystoreFormat.Jks ? "jks" : "p12";
}
