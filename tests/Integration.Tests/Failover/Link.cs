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
    private volatile TaskCompletionSource asks = Done(), answers = Done();
    private volatile bool broken;

    public Link(int port)
    {
        this.port = port;
        listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public void Cut() => (asks, answers) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>What is asked arrives and has its effect; whoever asked hears nothing of it.</summary>
    public void CutAnswers() => answers = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
        asks.TrySetResult();
        answers.TrySetResult();
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
            await asks.Task;
            await server.ConnectAsync(IPAddress.Loopback, port);
            await Task.WhenAny(PumpAsync(client.GetStream(), server.GetStream(), () => asks.Task), PumpAsync(server.GetStream(), client.GetStream(), () => answers.Task));
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

    private static async Task PumpAsync(NetworkStream from, NetworkStream to, Func<Task> whole)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var count)
            {
                await whole();
                await to.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }

        // The end of a connection is a packet too.
        await whole();
    }
}
