using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace PlatformOps.Guard.Traffic;

/// <summary>Accepts connections and knows those that are open.</summary>
internal abstract class Listener : IDisposable
{
    /// <summary>For the first packet and the login's first step: nobody holds a connection open for nothing.</summary>
    protected static readonly TimeSpan StartupPatience = TimeSpan.FromSeconds(10);

    private readonly Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentDictionary<Socket, byte> open = new();
    private readonly ILogger log;

    protected Listener(string address, string socketDirectory, ILogger log)
    {
        this.log = log;
        Server = new(Path.Combine(socketDirectory, ".s.PGSQL.5432"));
        try
        {
            listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            listener.Bind(IPEndPoint.Parse(address));
            listener.Listen(512);
        }
        catch (SocketException failure)
        {
            throw new GuardException($"The guard cannot listen on {address}: {failure.Message}. Free the port, or configure another one.", failure);
        }
    }

    /// <summary>The server's only way in.</summary>
    protected UnixDomainSocketEndPoint Server { get; }

    /// <summary>How many connections there are.</summary>
    public int Connections => open.Count;

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var socket = await listener.AcceptAsync(ct);
            socket.NoDelay = true;
            open.TryAdd(socket, 0);
            _ = Task.Run(() => ServeAsync(socket, ct), CancellationToken.None);
        }
    }

    public void Dispose() => listener.Dispose();

    /// <summary>Carries one connection to its end.</summary>
    protected abstract Task CarryAsync(Socket socket, CancellationToken ct);

    protected static async Task RefuseAsync(Stream to, string code, string why, CancellationToken ct)
    {
        await to.WriteAsync(ServerErrors.Fatal(code, why), ct);
        await to.FlushAsync(ct);
    }

    protected async Task<Socket?> ConnectAsync(CancellationToken ct)
    {
        var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await server.ConnectAsync(Server, ct);
            return server;
        }
        catch (SocketException)
        {
            server.Dispose();
            return null;
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken ct)
    {
        try
        {
            await CarryAsync(socket, ct);
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            log.LogDebug("A connection ended: {Why}", gone.Message);
        }
        finally
        {
            open.TryRemove(socket, out _);
            socket.Dispose();
        }
    }
}
