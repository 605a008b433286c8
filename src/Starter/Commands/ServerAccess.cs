using System.CommandLine;
using PlatformOps.BootstrapServer.Access;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Commands;

/// <summary>Options that say who may call a server; their names are those of the server's own command line.</summary>
internal sealed class ServerAccess
{
    private readonly Option<FileInfo> certificate = new("--tls-cert-path") { Description = "The server's certificate with its intermediates, PEM; switches TLS on.", HelpName = "FILE" };
    private readonly Option<FileInfo> key = new("--tls-key-path") { Description = "The certificate's key, PEM.", HelpName = "FILE" };
    private readonly Option<FileInfo> clientAuthority = new("--tls-client-ca-path") { Description = "Every client needs a certificate of one of these authorities, PEM.", HelpName = "FILE" };
    private readonly Option<FileInfo> keys = new("--api-key-path") { Description = "Every client needs one of these API keys. A line: KEY, or KEY NAMESPACE...", HelpName = "FILE" };
    private readonly Option<bool> unprotected = new("--allow-unprotected") { Description = "Other addresses than loopback without these: for a network that is yours alone." };

    public IEnumerable<Option> Options => [certificate, key, clientAuthority, keys, unprotected];

    public AccessOptions Read(Invocation invocation) => new()
    {
        CertificateFile = invocation.Get(certificate)?.FullName,
        KeyFile = invocation.Get(key)?.FullName,
        ClientAuthorityFile = invocation.Get(clientAuthority)?.FullName,
        ApiKeyFile = invocation.Get(keys)?.FullName,
        AllowUnprotected = invocation.Get(unprotected),
    };
}
