using System.Net;
using System.Net.Sockets;

namespace PlatformOps.Integration.Tests.Postgres;

/// <summary>Stands before a server and cuts all connections once something was sent so many times: what was sent last has its effect, and nobody hears of it.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly string host;
    private readonly int port;
    private int left = int.MaxValue;

    public CuttingProxy(string server)
    {
        (host, port) = (server.Split(':')[0], int.Parse(server.Split(':')[1]));
        listener.Start();
        _ = AcceptAsync();
    }

    public string Address => $"localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>From now on, <paramref name="times"/> pieces get through.</summary>
    public void CutAfter(int times) => Volatile.Write(ref left, times);

    public void Dispose() => listener.Dispose();

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
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(host, port);
            var back = AnswerAsync(server.GetStream(), client.GetStream());
            await AskAsync(client.GetStream(), server.GetStream());
            // The server reads what it was sent before it sees the end.
            client.Close();
            server.Client.Shutdown(SocketShutdown.Send);
            await back;
        }
    }

    private async Task AskAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var count)
            {
                await to.WriteAsync(buffer.AsMemory(0, count));
                if (Interlocked.Decrement(ref left) < 0)
                    return;
            }
        }
        catch (IOException)
        {
            // One of both has gone.
        }
    }

    private static async Task AnswerAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var count)
                await to.WriteAsync(buffer.AsMemory(0, count));
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }
}
