using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard.Traffic;

/// <summary>The way of the other node's server to ours, with mutual TLS: for its WAL receiver, for rewinding and for cloning; operators of the API may clone too, for a drill's copy. It does not ask for the lease: a primary that is
/// taken out of service still gives away everything that was committed.</summary>
internal sealed class ReplicationPath(GuardConfiguration configuration, ILogger log)
    : Listener(configuration.Replication.Listen, configuration.SocketDirectory, log)
{
    private readonly SslServerAuthenticationOptions tls = Certificates.Mutual(
        Certificates.Load(configuration.Tls.Certificate, configuration.Tls.Key), Certificates.Authorities(configuration.Tls), name => name == configuration.Peer.Node || configuration.Api.Operators!.Contains(name));

    protected override async Task CarryAsync(Socket socket, CancellationToken ct)
    {
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(ct);
        hurry.CancelAfter(StartupPatience);
        var plain = new NetworkStream(socket, ownsSocket: false);
        var first = await StartupPacket.ReadAsync(plain, hurry.Token);
        if (first is { Kind: StartupKind.Gss })
        {
            await plain.WriteAsync(new[] { (byte)'N' }, hurry.Token);
            first = await StartupPacket.ReadAsync(plain, hurry.Token);
        }

        if (first is not { Kind: StartupKind.Tls })
            return;
        await plain.WriteAsync(new[] { (byte)'S' }, hurry.Token);
        await using var client = new SslStream(plain);
        await client.AuthenticateAsServerAsync(tls, hurry.Token);
        if (await StartupPacket.ReadAsync(client, hurry.Token) is not { Kind: StartupKind.Session } packet)
            return;
        if (packet.User != ServerRoles.Replication)
            await RefuseAsync(client, ServerErrors.InvalidAuthorization, $"This way is for {ServerRoles.Replication} alone.", hurry.Token);
        else if (await ConnectAsync(hurry.Token) is not { } server)
            await RefuseAsync(client, ServerErrors.CannotConnectNow, $"The server of {configuration.Node} is not running.", hurry.Token);
        else
        {
            using var relay = new Relay(client, socket, server);
            await server.SendAsync(packet.Bytes, hurry.Token);
            await relay.RunAsync(() => true, follower: null, ct);
        }
    }
}
