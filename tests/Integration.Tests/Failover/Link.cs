using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>A network link on loopback that can be cut: what was sent is not delivered, and nobody is told, as when packets are dropped.</summary>
internal sealed class Link : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> open = new();
    private readonly int port;
    private volatile TaskCompletionSource whole = Done();
    private volatile bool broken;

    public Link(int port)
    {
        this.port = port;
        listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public void Cut() => whole = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends all connections and takes no new ones, as when whoever used it has died.</summary>
    public void Break()
    {
        broken = true;
        foreach (var connection in open.Keys)
            connection.Dispose();
    }

    public void Restore()
    {
        broken = false;
        whole.TrySetResult();
    }

    public void Dispose()
    {
        listener.Dispose();
        foreach (var connection in open.Keys)
            connection.Dispose();
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
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
        using var server = new TcpClient();
        open.TryAdd(client, 0);
        open.TryAdd(server, 0);
        try
        {
            if (broken)
                return;
            client.NoDelay = server.NoDelay = true;
            await whole.Task;
            await server.ConnectAsync(IPAddress.Loopback, port);
            await Task.WhenAny(PumpAsync(client.GetStream(), server.GetStream()), PumpAsync(server.GetStream(), client.GetStream()));
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One of both has gone.
        }
        finally
        {
            open.TryRemove(client, out _);
            open.TryRemove(server, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var count)
            {
                await whole.Task;
                await to.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }

        // The end of a connection is a packet too.
        await whole.Task;
    }
}
