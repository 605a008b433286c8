using System.Net;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>
/// Who may call the server, and over what. Nothing is set by default: cleartext, everybody, and therefore loopback only.
/// All files are read again when they change; a version that cannot be used is reported and the one before it stays in force.
/// </summary>
public sealed record AccessOptions
{
    /// <summary>PEM file with the server's certificate, followed by its intermediates; switches TLS on. Needs <see cref="KeyFile"/>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with the unencrypted private key of the certificate.</summary>
    public string? KeyFile { get; init; }

    /// <summary>PEM file with the authorities whose client certificates are accepted; every call but a health check needs one. Needs TLS.</summary>
    public string? ClientAuthorityFile { get; init; }

    /// <summary>File with API keys: one a line, after it the namespaces that it is for (none: everything). Every call but a health check needs one.</summary>
    public string? ApiKeyFile { get; init; }

    /// <summary>Listen on other addresses than loopback although nothing says who calls: for a network that is yours alone.</summary>
    public bool AllowUnprotected { get; init; }

    internal bool Tls => CertificateFile is not null;

    internal bool Authenticates => ClientAuthorityFile is not null || ApiKeyFile is not null;

    /// <summary>Everything that keeps these options from working on an address, one line each.</summary>
    internal IEnumerable<string> Problems(IPAddress? host)
    {
        if (CertificateFile is null != KeyFile is null)
            yield return "CertificateFile and KeyFile (--tls-cert-path, --tls-key-path) belong together: give both or none.";
        if (ClientAuthorityFile is not null && !Tls)
            yield return "ClientAuthorityFile (--tls-client-ca-path) needs TLS: give a certificate and its key as well.";
        if (host is not null && !IPAddress.IsLoopback(host) && !AllowUnprotected && !(Tls && Authenticates))
        {
            yield return $"Host {host} can be reached from other machines, and nothing says who may call: give --tls-cert-path and --tls-key-path, and "
                + "--tls-client-ca-path or --api-key-path; or listen on 127.0.0.1; or say --allow-unprotected when the network is yours alone.";
        }
        foreach (var problem in AccessFiles.Problems(this))
            yield return problem;
    }
}
