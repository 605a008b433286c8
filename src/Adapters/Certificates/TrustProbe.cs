using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Adapters.Certificates;

/// <summary>Whether a server believes a certificate.</summary>
/// <param name="Accepts">Null: it could not be found out.</param>
/// <param name="Detail">As a sentence.</param>
public sealed record Belief(bool? Accepts, string Detail);

/// <summary>Shows a server a certificate and sees whether it goes on speaking. That is proof from the side of the one who trusts: of what it has loaded, not of what lies in its files.</summary>
public static class TrustProbe
{
    /// <summary>Servers answer garbage, a request or an introduction within milliseconds. Whoever says nothing is not taken to believe.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly byte[] Http2 = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];
    private static readonly byte[] Http1 = [.. "GET / HTTP/1.0\r\n\r\n"u8];

    /// <summary>Refusals come after a handshake that looks well (TLS 1.3, and servers that look at certificates late), so only what is said afterwards counts.</summary>
    /// <param name="name">The server name that is asked for.</param>
    public static async Task<Belief> AskAsync(string host, int port, string name, X509Certificate2 identity, CancellationToken ct)
    {
        var (asked, connected) = (false, false);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(Patience);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(host, port, deadline.Token);
            connected = true;
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(
                new()
                {
                    TargetHost = name,
                    AllowTlsResume = false,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                    LocalCertificateSelectionCallback = (_, _, _, _, _) =>
                    {
                        asked = true;
                        return identity;
                    },
                    RemoteCertificateValidationCallback = (_, served, _, _) => served is not null,
                },
                deadline.Token);
            if (tls.LocalCertificate is null)
                return new(null, $"{host}:{port} does not want to see a certificate.");
            await tls.WriteAsync(tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2 ? Http2 : Http1, deadline.Token);
            return await tls.ReadAsync(new byte[1], deadline.Token) > 0
                ? new(true, $"{host}:{port} accepts it.")
                // Some refuse without an alert. That it accepts another certificate tells it from a server that is just not well.
                : new(false, $"{host}:{port} hangs up without a word.");
        }
        // A connection that breaks is no refusal: that is said in an alert of TLS.
        catch (Exception failure) when (failure is IOException or AuthenticationException && connected && asked && failure is not { InnerException: SocketException })
        {
            return new(false, $"{host}:{port} refuses it.");
        }
        catch (Exception failure) when (failure is SocketException or IOException or AuthenticationException)
        {
            return new(null, $"{host}:{port} made no handshake: {failure.Message.TrimEnd('.')}.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(null, $"{host}:{port} said nothing within {Patience.TotalSeconds:0} s.");
        }
    }
}
