using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;

namespace PlatformOps.Guard.Traffic;

/// <summary>Passes bytes on between a connection and the server, until one of both ends or may no longer pass.</summary>
internal sealed class Relay(Stream client, Socket clientSocket, Socket server) : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    /// <summary>As much as PostgreSQL itself puts into one TLS record at most. pg_basebackup and WAL receivers read so much at once and then wait at the socket, although their TLS layer may still hold the
    /// rest of a larger record: a clone would wait for its end for ever.</summary>
    private const int RecordBytes = 8 * 1024;

    /// <summary>For a client to read what it was told at the end and to close: a connection that is closed with something unread in it is reset, and the client loses what it has not read.</summary>
    private static readonly TimeSpan Lingering = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource over = new();
    private int cut;

    /// <summary>Ends it at once. What was not sent yet is not sent any more.</summary>
    public void Cut()
    {
        if (Interlocked.Exchange(ref cut, 1) != 0)
            return;
        // Without lingering: a reset throws away what still waits to be sent.
        clientSocket.Close(0);
        server.Close(0);
    }

    /// <summary>Ends it when the client has got what was written to it.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref cut, 1) != 0)
            return;
        try
        {
            over.CancelAfter(Lingering);
            clientSocket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It has gone.
        }

        server.Close(0);
    }

    /// <param name="passes">Asked before every write: a process that was stopped between reading and asking passes nothing on late.</param>
    public async Task RunAsync(Func<bool> passes, SessionFollower? follower, CancellationToken ct)
    {
        await using var toServer = new NetworkStream(server, ownsSocket: false);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, over.Token);
        var ask = PassAsync(client, toServer, passes, follower is null ? null : bytes => follower.FromClient(bytes.Span), null, end.Token);
        var answer = PassAsync(toServer, client, passes, null, follower is null ? null : bytes => follower.FromServer(bytes.Span), end.Token);
        await Task.WhenAny(ask, answer);
        Cut();
        await Task.WhenAll(ask, answer);
    }

    public void Dispose()
    {
        Cut();
        over.Dispose();
    }

    /// <param name="before">Whether what was read is to be passed on; else it is thrown away.</param>
    /// <param name="after">Told what the other side has.</param>
    private static async Task PassAsync(
        Stream from, Stream to, Func<bool> passes, Func<ReadOnlyMemory<byte>, bool>? before, Action<ReadOnlyMemory<byte>>? after, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await from.ReadAsync(buffer, ct) is > 0 and var count)
            {
                if (before?.Invoke(buffer.AsMemory(0, count)) == false)
                    continue;
                var most = to is SslStream ? RecordBytes : count;
                for (var sent = 0; sent < count; sent += most)
                {
                    if (!passes())
                        return;
                    await to.WriteAsync(buffer.AsMemory(sent, Math.Min(most, count - sent)), ct);
                }

                after?.Invoke(buffer.AsMemory(0, count));
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One of both ended, or it was cut.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
