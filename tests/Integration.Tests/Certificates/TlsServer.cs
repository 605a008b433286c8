using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using PlatformOps.Starter.Demos;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>Somebody's server with a certificate of its own, on this machine.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly X509Certificate2 certificate;
    private readonly WebApplication app;

    private TlsServer(string name, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow() + lifetime);
        certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port, listen => listen.UseHttps(certificate)));
        app = builder.Build();
    }

    public int Port { get; } = LocalPorts.Take();

    /// <summary>What it serves, which has signed itself.</summary>
    public string Pem => certificate.ExportCertificatePem();

    public DateTimeOffset NotAfter => certificate.NotAfter.ToUniversalTime();

    public static async Task<TlsServer> StartAsync(string name, TimeSpan lifetime)
    {
        var server = new TlsServer(name, lifetime);
        await server.app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        certificate.Dispose();
    }
}
