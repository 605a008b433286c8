using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard.Traffic;

/// <summary>The only way of clients to the server. Nobody gets through it, and nothing of those who are through, but while the node holds the lease.</summary>
/// <param name="elsewhere">Says who is primary, for those who are refused.</param>
/// <param name="mayCancel">Whether the statement of a server process may be cancelled now.</param>
internal sealed class ClientPath(
    GuardConfiguration configuration, ClientGate gate, Func<string> elsewhere, Func<int, CancellationToken, Task<bool>> mayCancel, ILogger log)
    : Listener(configuration.Clients.Listen, configuration.SocketDirectory, log)
{
    private readonly ConcurrentDictionary<Session, byte> sessions = new();
    private readonly X509Certificate2? certificate = configuration.Clients is { Certificate: { } file, Key: { } key } ? Certificates.Load(file, key) : null;
    private volatile bool draining;

    /// <summary>How many sessions are through.</summary>
    public int Sessions => sessions.Count;

    /// <summary>Ends all sessions at once.</summary>
    public void Cut()
    {
        foreach (var session in sessions.Keys)
            session.Relay.Cut();
    }

    /// <summary>Lets nobody in any more, and ends each session when nothing is under way in it; after the patience ends what is left.</summary>
    /// <returns>How many sessions had to be ended in the middle of something.</returns>
    public async Task<int> DrainAsync(TimeSpan patience, TimeProvider clock, CancellationToken ct)
    {
        draining = true;
        try
        {
            var started = clock.GetTimestamp();
            bool Going(Session session) => !session.Follower.Closed;
            while (sessions.Keys.Any(Going) && clock.GetElapsedTime(started) < patience)
            {
                foreach (var session in sessions.Keys.Where(session => Going(session) && session.Follower.TryClose()))
                    await session.EndAsync(elsewhere(), ct);
                await Task.Delay(TimeSpan.FromMilliseconds(2), clock, ct);
            }

            var left = sessions.Keys.Count(Going);
            Cut();
            return left;
        }
        finally
        {
            draining = false;
        }
    }

    protected override async Task CarryAsync(Socket socket, CancellationToken ct)
    {
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(ct);
        hurry.CancelAfter(StartupPatience);
        Stream client = new NetworkStream(socket, ownsSocket: false);
        var encrypted = false;
        var packet = await StartupPacket.ReadAsync(client, hurry.Token);
        while (packet is { Kind: StartupKind.Tls or StartupKind.Gss })
        {
            var tls = packet.Kind == StartupKind.Tls && certificate is not null && !encrypted;
            await client.WriteAsync(new[] { tls ? (byte)'S' : (byte)'N' }, hurry.Token);
            if (tls)
            {
                var secured = new SslStream(client);
                await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, hurry.Token);
                (client, encrypted) = (secured, true);
            }

            packet = await StartupPacket.ReadAsync(client, hurry.Token);
        }

        await using (client)
        {
            if (packet?.Kind == StartupKind.Cancel)
                await CancelAsync(packet, hurry.Token);
            else if (packet is not null)
                await BeginAsync(socket, client, packet, encrypted, hurry.Token, ct);
        }
    }

    private async Task BeginAsync(Socket socket, Stream client, StartupPacket packet, bool encrypted, CancellationToken hurry, CancellationToken ct)
    {
        var epoch = gate.Epoch;
        var refusal = packet switch
        {
            _ when draining || !gate.Passes(epoch) || epoch == 0 => (ServerErrors.CannotConnectNow, elsewhere()),
            _ when configuration.Clients.RequireTls && !encrypted => (ServerErrors.InvalidAuthorization, "This node lets clients in with TLS only: set sslmode=require or better."),
            _ when packet.Replication || ServerRoles.IsOurs(packet.User) => (ServerErrors.InvalidAuthorization, $"The role {packet.User} does not come in this way: it belongs to the guards, or asks for replication."),
            _ => ((string Code, string Why)?)null,
        };
        if (refusal is { } known)
        {
            await RefuseAsync(client, known.Item1, known.Item2, hurry);
            return;
        }

        if (await ConnectAsync(hurry) is not { } server)
        {
            await RefuseAsync(client, ServerErrors.CannotConnectNow, elsewhere(), hurry);
            return;
        }

        using var relay = new Relay(client, socket, server);
        var session = new Session(relay, client);
        sessions.TryAdd(session, 0);
        try
        {
            if (!session.Passes(gate, epoch))
                return;
            await server.SendAsync(packet.Bytes, hurry);
            await relay.RunAsync(() => session.Passes(gate, epoch), session.Follower, ct);
        }
        finally
        {
            sessions.TryRemove(session, out _);
        }
    }

    /// <summary>Of a commit that waits for the standby the server would make one that does not: it is not cancelled.</summary>
    private async Task CancelAsync(StartupPacket packet, CancellationToken ct)
    {
        if (!gate.IsOpen || packet.Bytes.Length < 12 || !await mayCancel(packet.CancelledProcess, ct) || await ConnectAsync(ct) is not { } server)
            return;
        using (server)
        {
            await server.SendAsync(packet.Bytes, ct);
            // The server closes when the signal is sent; until then the client waits too.
            await server.ReceiveAsync(new byte[1], ct);
        }
    }

    private sealed class Session(Relay relay, Stream client)
    {
        public Relay Relay => relay;

        public SessionFollower Follower { get; } = new();

        public bool Passes(ClientGate gate, long epoch) => !Follower.Closed && gate.Passes(epoch);

        /// <summary>Says that it is over, to a client that waits for nothing. What it sends from now on is not passed on: it was not carried out.</summary>
        public async Task EndAsync(string why, CancellationToken ct)
        {
            try
            {
                await client.WriteAsync(ServerErrors.Fatal(ServerErrors.AdminShutdown, why), ct);
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException or NotSupportedException)
            {
                // It has gone, or the server says something to it by itself just now.
            }

            relay.End();
        }
    }
}
