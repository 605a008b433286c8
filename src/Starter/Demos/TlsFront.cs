using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Starter.Demos;

/// <summary>TLS before a server that speaks none: pgBackRest speaks to S3 over nothing else. It can be shut, as when the network to the bucket is gone.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly X509Certificate2 certificate;
    private readonly int port;
    private readonly Task accepting;
    private CancellationTokenSource open = new();

    /// <param name="port">The server's, on loopback.</param>
    /// <param name="certificate">PEM file, valid for <c>localhost</c>.</param>
    /// <param name="key">PEM file.</param>
    public TlsFront(int port, string certificate, string key)
    {
        this.port = port;
        using var read = X509Certificate2.CreateFromPemFile(certificate, key);
        // OpenSSL wants a key that lives as long as the handle.
        this.certificate = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>While it is true, every connection ends at once.</summary>
    public bool Shut
    {
        get => open.IsCancellationRequested;
        set
        {
            if (value)
                open.Cancel();
            else
                open = new();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(stop.Token));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(TcpClient from)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, open.Token);
        using var ended = from;
        try
        {
            await using var tls = new SslStream(from.GetStream());
            await tls.AuthenticateAsServerAsync(new() { ServerCertificate = certificate }, both.Token);
            using var to = new TcpClient { NoDelay = true };
            from.NoDelay = true;
            await to.ConnectAsync(IPAddress.Loopback, port, both.Token);
            var plain = to.GetStream();
            await Task.WhenAny(tls.CopyToAsync(plain, both.Token), plain.CopyToAsync(tls, both.Token));
            // Without this an end looks like an attack to who reads.
            await tls.ShutdownAsync();
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or AuthenticationException or InvalidOperationException)
        {
            // One of the two went.
        }
    }
}
