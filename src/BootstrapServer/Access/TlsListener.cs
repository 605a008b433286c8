using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace PlatformOps.BootstrapServer.Access;

/// <summary>TLS for a listener, with certificates as they are at each handshake, so that rotating them needs no restart.</summary>
internal static class TlsListener
{
    public static void Use(ListenOptions listen, AccessOptions options, ILogger log)
    {
        var identity = new Reloaded<SslStreamCertificateContext>(log, AccessFiles.Identity, options.CertificateFile!, options.KeyFile!);
        var authorities = options.ClientAuthorityFile is { } file ? new Reloaded<X509Certificate2Collection>(log, AccessFiles.Authorities, file) : null;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = identity.Current,
                ClientCertificateRequired = authorities is not null,
                // No certificate at all is for the gate to refuse: a health check needs none.
                RemoteCertificateValidationCallback = authorities is null ? null : (_, certificate, chain, _) =>
                    certificate is null || ClientCertificates.Accepts(authorities.Current, (X509Certificate2)certificate, chain),
            }),
        });
    }
}
