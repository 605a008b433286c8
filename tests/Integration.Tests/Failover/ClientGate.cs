using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Where clients reach a node that has no server of its own: what they send is passed on to a real PostgreSQL server exactly while whoever operates the node lets it take writes.</summary>
/// <param name="look">What the node is at this moment.</param>
internal sealed class ClientGate(string server, Func<GateSight> look) : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> open = new();
    private volatile bool lost;

    public string Address => $"localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Nobody answers there any more, whatever is said of the node.</summary>
    public bool Lost
    {
        get => lost;
        set => lost = value;
    }

    /// <summary>Whether a write of somebody who connects now would be taken.</summary>
    public bool Takes => !lost && look() is { Admits: true, Writes: true };

    public void Start()
    {
        listener.Start();
        _ = AcceptAsync();
    }

    public void Dispose()
    {
        listener.Dispose();
        foreach (var connection in open.Keys)
            connection.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = PassAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var behind = new TcpClient();
        open.TryAdd(client, 0);
        open.TryAdd(behind, 0);
        try
        {
            if (lost || look() is not { Admits: true, Writes: true } seen)
                return;
            client.NoDelay = behind.NoDelay = true;
            await behind.ConnectAsync(IPAddress.Loopback, int.Parse(server.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
            await Task.WhenAny(AskAsync(client.GetStream(), behind.GetStream(), seen.Restarts), behind.GetStream().CopyToAsync(client.GetStream()));
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One of both has gone.
        }
        finally
        {
            open.TryRemove(client, out _);
            open.TryRemove(behind, out _);
            client.Dispose();
        }
    }

    /// <summary>A session that was open goes on when nobody may connect any more, until the server restarts or takes no writes.</summary>
    private async Task AskAsync(NetworkStream from, NetworkStream to, int restarts)
    {
        var buffer = new byte[65536];
        while (await from.ReadAsync(buffer) is > 0 and var count && !lost && look() is { Writes: true } now && now.Restarts == restarts)
            await to.WriteAsync(buffer.AsMemory(0, count));
    }
}

/// <summary>What clients meet at a node.</summary>
/// <param name="Admits">Whether somebody may connect.</param>
/// <param name="Writes">Whether it takes writes.</param>
/// <param name="Restarts">Sessions of before the last one are over.</param>
internal sealed record GateSight(bool Admits, bool Writes, int Restarts);
