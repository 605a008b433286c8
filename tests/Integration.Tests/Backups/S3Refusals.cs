using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Stands before an S3 server and passes everything on, until it is told to refuse: then every request gets the error that S3 answers with.</summary>
internal sealed class S3Refusals : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly int port;
    private readonly Task accepting;
    private CancellationTokenSource passing = new();
    private volatile string? answer;

    /// <param name="port">The server's, on loopback.</param>
    public S3Refusals(int port)
    {
        this.port = port;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Every request from now on, also on connections that are open, is refused.</summary>
    public void Refuse(HttpStatusCode status, string code)
    {
        var content = $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>Refused.</Message><RequestId>1</RequestId></Error>";
        answer = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {(int)status} {status}\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: {content.Length}\r\n\r\n{content}");
        passing.Cancel();
    }

    public void PassOn() => (passing, answer) = (new(), null);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(stop.Token));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(TcpClient from)
    {
        using var ended = from;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, passing.Token);
        var stream = from.GetStream();
        try
        {
            if (answer is { } refusal)
            {
                await RefuseAsync(stream, refusal);
                return;
            }

            using var to = new TcpClient { NoDelay = true };
            from.NoDelay = true;
            await to.ConnectAsync(IPAddress.Loopback, port, both.Token);
            var server = to.GetStream();
            await Task.WhenAny(stream.CopyToAsync(server, both.Token), server.CopyToAsync(stream, both.Token));
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
        {
            // One of the two went.
        }
    }

    /// <summary>After the head of the request: HEAD is answered without content.</summary>
    private async Task RefuseAsync(NetworkStream stream, string refusal)
    {
        var head = new StringBuilder();
        var buffer = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, stop.Token);
            if (read == 0)
                return;
            head.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        var said = head.ToString().StartsWith("HEAD ", StringComparison.Ordinal) ? refusal[..(refusal.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)] : refusal;
        await stream.WriteAsync(Encoding.Latin1.GetBytes(said), stop.Token);
        stream.Socket.Shutdown(SocketShutdown.Send);
        // What is left of its content is read: an answer must not be lost to a reset.
        while (await stream.ReadAsync(buffer, stop.Token) > 0)
        {
        }
    }
}
