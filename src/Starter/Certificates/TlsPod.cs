using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters.Certificates;

namespace PlatformOps.Starter.Certificates;

/// <summary>One pod: a TLS server at its address, and a client that trusts what is published and nothing else.</summary>
internal sealed class TlsPod : IAsyncDisposable
{
    private readonly CancellationTokenSource stopClient = new(), stopServer = new();
    private readonly TcpListener listener;
    private readonly TlsPodsOptions options;
    private readonly Task client, server;
    private readonly Action made;
    private readonly Action<string> failed;
    private readonly Func<TlsPod, TlsPod?> another;
    private readonly TimeProvider time = TimeProvider.System;
    private int talking;
    private volatile X509Certificate2? identity;
    private volatile string authorities;

    /// <param name="authorities">Whom it trusts, as PEM.</param>
    /// <param name="made">Hears of every handshake that worked, and <paramref name="failed"/> of every other one.</param>
    /// <param name="another">Whom it talks to when pods look at each other; null: nobody is there.</param>
    public TlsPod(string address, string authorities, TlsPodsOptions options, Action made, Action<string> failed, Func<TlsPod, TlsPod?> another)
    {
        (this.authorities, this.options, this.made, this.failed, this.another, Address) = (authorities, options, made, failed, another, address);
        listener = new(IPAddress.Parse(address), options.Port);
        listener.Start();
        server = ServeAsync();
        client = AskAsync();
    }

    /// <summary>Its own.</summary>
    public string Address { get; }

    /// <summary>The fingerprint of what it serves; null: nothing yet.</summary>
    public string? Serves { get; private set; }

    /// <summary>Serves a certificate from now on.</summary>
    public void Serve(string certificate, string key)
    {
        try
        {
            // Loaded from a file as servers do: keys of PEM live in the process only for a handshake otherwise.
            using var read = X509Certificate2.CreateFromPem(certificate, key);
            identity = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
            Serves = ReadLeaf.FingerprintOf(read);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            // As nginx does: what cannot be read is not taken up.
        }
    }

    /// <summary>Trusts these authorities and nobody else from now on.</summary>
    public void Trust(string bundle) => authorities = bundle;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // The client first: it must not meet a server that is about to end.
        await stopClient.CancelAsync();
        await client;
        // Nobody begins with it any more; those that have begun come to their end.
        Serves = null;
        while (Volatile.Read(ref talking) > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        await stopServer.CancelAsync();
        listener.Stop();
        await server;
        stopClient.Dispose();
        stopServer.Dispose();
        listener.Dispose();
    }

    private async Task ServeAsync()
    {
        var open = new List<Task>();
        while (!stopServer.IsCancellationRequested)
        {
            try
            {
                open.Add(AnswerAsync(await listener.AcceptTcpClientAsync(stopServer.Token)));
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
                if (identity is not { } served)
                    return;
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = served,
                        ClientCertificateRequired = options.Mutual,
                        AllowTlsResume = false,
                        RemoteCertificateValidationCallback = (_, shown, _, _) => !options.Mutual || (shown is X509Certificate2 leaf && Believes(leaf)),
                    },
                    stopServer.Token);
                if (options.Mutual && await tls.ReadAsync(new byte[1], stopServer.Token) > 0)
                    await tls.WriteAsync("k"u8.ToArray(), stopServer.Token);
            }
            catch (Exception failure) when (failure is IOException or AuthenticationException or OperationCanceledException)
            {
                // The client says what it did not like.
            }
        }
    }

    private async Task AskAsync()
    {
        while (!stopClient.IsCancellationRequested)
        {
            if (Serves is not null && (options.Mutual ? another(this) : this) is { } server)
                await HandshakeAsync(server);
            // Many pods on a small machine: all of them are asked all the time, and not all at once.
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(options.Mutual ? 150 : 20), time, stopClient.Token));
        }
    }

    private bool Believes(X509Certificate2 leaf)
    {
        using var read = ReadLeaf.Of(leaf.ExportCertificatePem())!;
        return read.ChainsTo(authorities, time.GetUtcNow());
    }

    /// <summary>As a careful client: the chain to what is published, the name, the time, and whether it was revoked.</summary>
    private async Task HandshakeAsync(TlsPod server)
    {
        Interlocked.Increment(ref server.talking);
        try
        {
            if (server.Serves is null)
                return;
            string? wrong = null, serial = null;
            using var connection = new TcpClient();
            await connection.ConnectAsync(server.Address, options.Port);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = options.ServerName,
                AllowTlsResume = false,
                ClientCertificates = options.Mutual ? [identity!] : null,
                RemoteCertificateValidationCallback = (_, shown, _, errors) =>
                {
                    var leaf = (X509Certificate2)shown!;
                    serial = ReadLeaf.SerialOf(leaf);
                    wrong = errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? "another name"
                        : !Believes(leaf) ? "not trusted" : null;
                    return wrong is null;
                },
            });
            if (options.Mutual)
            {
                await tls.WriteAsync("h"u8.ToArray());
                if (await tls.ReadAsync(new byte[1]) == 0)
                    failed($"{server.Address} hangs up");
            }

            if (await options.IsRevoked(serial!))
                failed($"serves {serial}, which is revoked");
            made();
        }
        catch (Exception failure) when (failure is IOException or AuthenticationException or SocketException)
        {
            failed($"{server.Address}: {(failure.InnerException ?? failure).Message}");
        }
        finally
        {
            Interlocked.Decrement(ref server.talking);
        }
    }
}
