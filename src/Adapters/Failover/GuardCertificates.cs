using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Adapters.Failover;

/// <summary>Until when the certificates are valid with which we and the guards know each other.</summary>
public sealed class GuardCertificates(GuardAccess access)
{
    /// <summary>Of the certificate that a guard shows, whether it is still valid or not: a handshake, and no call. It says nothing about whether the guard is one of ours.</summary>
    /// <exception cref="AdapterException">It does not answer, or speaks no TLS.</exception>
    public async Task<DateTimeOffset> ServerValidUntilAsync(string node, CancellationToken ct)
    {
        if (!access.Nodes.TryGetValue(node, out var address))
            throw new AdapterException(AdapterFailureKind.Rejected, $"There is no guard of {node}: there are {string.Join(", ", access.Nodes.Keys)}. Correct the connections.");
        using var own = Own(() => X509Certificate2.CreateFromPemFile(access.Certificate, access.Key));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(access.LookTimeout);
        DateTimeOffset? until = null;
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(address.Host, address.Port, deadline.Token);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(
                new()
                {
                    TargetHost = address.Host,
                    ClientCertificates = [own],
#pragma warning disable CA5359 // Nothing is sent or believed over this connection: an expired certificate is what is looked for.
                    RemoteCertificateValidationCallback = (_, shown, _, _) =>
                    {
                        until = shown is X509Certificate2 certificate ? certificate.NotAfter : null;
                        return true;
                    },
#pragma warning restore CA5359
                },
                deadline.Token);
        }
        catch (Exception failure) when (until is null && (failure is SocketException or IOException or AuthenticationException || failure is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The guard of {node} shows no certificate: {failure.Message.TrimEnd('.')}. Look at the node, and at the network to it.", failure);
        }
        catch (Exception failure) when (until is not null && failure is IOException or AuthenticationException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            // It did not like ours; what was asked for is known.
        }

        return until ?? throw new AdapterException(AdapterFailureKind.Unavailable, $"The guard of {node} shows no certificate.");
    }

    /// <summary>Of ours, with which we may tell guards what to do.</summary>
    /// <exception cref="AdapterException">It cannot be read.</exception>
    public DateTimeOffset OwnValidUntil()
    {
        using var own = Own(() => X509CertificateLoader.LoadCertificateFromFile(access.Certificate));
        return own.NotAfter;
    }

    private static X509Certificate2 Own(Func<X509Certificate2> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(
                AdapterFailureKind.Rejected, $"The certificate for the guards cannot be used: {failure.Message.TrimEnd('.')}. Correct guardTls in the connections file.", failure);
        }
    }
}
