using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PlatformOps.Adapters.Certificates;

/// <summary>What a server did in a handshake.</summary>
/// <param name="Fingerprint">Of the leaf that it served, SHA-256; null: there was no handshake.</param>
/// <param name="Detail">As a sentence.</param>
public sealed record Handshake(string? Fingerprint, string Detail)
{
    /// <summary>Until when the leaf that it served is valid; null: there was no handshake.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Whether the leaf is valid for the name that was asked for.</summary>
    public bool IsForName { get; init; }

    /// <summary>Why what it served does not lead to an authority that was to be trusted, as a phrase; null: it does, or there was no handshake. Its end is not meant by it.</summary>
    public string? Untrusted { get; init; }
}

/// <summary>Real TLS handshakes with one address, to see what it serves. Whom to trust is decided by whoever compares what was served.</summary>
public static class TlsHandshake
{
    /// <summary>A pod answers from the same network within milliseconds; a dead one not at all.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks a server what it serves.</summary>
    /// <param name="name">The server name that is asked for.</param>
    /// <param name="client">What is shown when the server wants to know who we are; null: nothing.</param>
    /// <param name="authorities">Whom clients trust; null: the authorities of this system.</param>
    public static async Task<Handshake> AskAsync(string host, int port, string name, X509Certificate2? client, CancellationToken ct, X509Certificate2Collection? authorities = null)
    {
        string? served = null;
        var (ends, isForName, untrusted) = ((DateTimeOffset?)null, false, (string?)null);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(Patience);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(host, port, deadline.Token);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(
                new()
                {
                    TargetHost = name,
                    // A resumed session would show what was served before.
                    AllowTlsResume = false,
                    // gRPC servers take whoever names no protocol for an error, and log it.
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                    ClientCertificates = client is null ? null : [client],
                    CertificateChainPolicy = PolicyOf(authorities),
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        if (certificate is not X509Certificate2 leaf)
                            return false;
                        (served, ends, isForName) = (ReadLeaf.FingerprintOf(leaf), leaf.NotAfter.ToUniversalTime(), !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch));
                        untrusted = chain?.ChainStatus.Where(problem => problem.Status is not (X509ChainStatusFlags.NoError or X509ChainStatusFlags.NotTimeValid)).Select(problem => problem.StatusInformation.Trim().TrimEnd('.')).FirstOrDefault();
                        return true;
                    },
                },
                deadline.Token);
            return new(served, $"{host}:{port} serves {served?[..12]}.") { NotAfter = ends, IsForName = isForName, Untrusted = untrusted };
        }
        // Only a handshake that was finished proves that the server has the key of what it shows.
        catch (Exception failure) when (failure is SocketException or IOException or AuthenticationException)
        {
            return new(null, $"{host}:{port} made no handshake: {(failure.InnerException ?? failure).Message.TrimEnd('.')}.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(null, $"{host}:{port} made no handshake within {Patience.TotalSeconds:0} s.");
        }
    }

    /// <summary>As clients do it that fetch nothing: a server has to send what lies between its leaf and the root.</summary>
    private static X509ChainPolicy PolicyOf(X509Certificate2Collection? authorities)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }

        return policy;
    }
}
