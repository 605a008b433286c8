using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Makes handshakes at one address, and says nothing else.</summary>
internal sealed class TlsPodListener : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TcpListener listener;
    private readonly Func<string, X509Certificate2?> identity;
    private readonly Task serving;

    /// <param name="uid">Of the pod.</param>
    /// <param name="identity">The certificate, with its key, for a server name that a client asks for; null: no handshake.</param>
    /// <exception cref="SocketException">Somebody else has the address.</exception>
    public TlsPodListener(string uid, string address, int port, Func<string, X509Certificate2?> identity)
    {
        (Uid, this.identity) = (uid, identity);
        listener = new(IPAddress.Parse(address), port);
        listener.Start();
        serving = ServeAsync();
    }

    public string Uid { get; }

    /// <summary>As servers load it from a file: keys of PEM live in the process only for a handshake otherwise.</summary>
    public static X509Certificate2 Loaded(X509Certificate2 certificate)
    {
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await serving;
        listener.Dispose();
        stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                open.Add(AnswerAsync(await listener.AcceptTcpClientAsync(stop.Token)));
                open.RemoveAll(task => task.IsCompleted);
            }
            catch (Exception failure) when (failure is OperationCanceledException or SocketException)
            {
                // It is stopped.
            }
        }

        await Task.WhenAll(open);
    }

    private async Task AnswerAsync(TcpClient connection)
    {
        using (connection)
        await using (var tls = new SslStream(connection.GetStream()))
        {
            try
            {
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateSelectionCallback = (_, name) => identity(name ?? "")!, AllowTlsResume = false }, stop.Token);
                // Until the client has seen enough.
                await tls.ReadExactlyAsync(new byte[1], stop.Token);
            }
            catch (Exception failure) when (failure is IOException or AuthenticationException or OperationCanceledException)
            {
                // The client says what it did not like.
            }
        }
    }
}
