using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using PlatformOps.Guard.Traffic;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>How bytes are passed on to a client that speaks TLS.</summary>
public class RelayTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_record_is_larger_than_what_the_programs_of_PostgreSQL_read_at_once()
    {
        var folder = Directory.CreateTempSubdirectory("relay-").FullName;
        var certificates = new LocalCertificates(folder, TimeProvider.System);
        certificates.Make("node");
        using var certificate = X509Certificate2.CreateFromPemFile(certificates.Certificate("node"), certificates.Key("node"));
        var (client, atGuard) = await PairAsync();
        var (toServer, server) = await PairAsync();
        var records = new Records(new NetworkStream(client, ownsSocket: true));
        await using var reader = new SslStream(records, false, (_, presented, _, _) => certificate.Equals(presented));
        await using var writer = new SslStream(new NetworkStream(atGuard, ownsSocket: false));
        await Task.WhenAll(writer.AuthenticateAsServerAsync(certificate), reader.AuthenticateAsClientAsync("node"));
        using var relay = new Relay(writer, atGuard, toServer);
        var passing = relay.RunAsync(() => true, follower: null, Ct);

        var sent = new byte[200_000];
        Random.Shared.NextBytes(sent);
        await server.SendAsync(sent, Ct);
        var got = new byte[sent.Length];
        await reader.ReadExactlyAsync(got, Ct);
        relay.Cut();
        await passing;
        server.Dispose();
        Directory.Delete(folder, recursive: true);

        Assert.Equal(sent, got);
        // A record adds less than a hundred bytes of its own.
        Assert.InRange(records.Largest, 1024, (8 * 1024) + 100);
    }

    private static async Task<(Socket, Socket)> PairAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var one = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var accepting = listener.AcceptSocketAsync(Ct);
        await one.ConnectAsync(listener.LocalEndpoint, Ct);
        return (one, await accepting);
    }

    /// <summary>Sees the length of each record of data in what passes through.</summary>
    private sealed class Records(Stream inner) : Stream
    {
        private readonly byte[] header = new byte[5];
        private int at, left;

        public int Largest { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            for (var index = 0; index < count; index++)
                See(buffer.Span[index]);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        private void See(byte value)
        {
            if (left > 0)
            {
                left--;
                return;
            }

            header[at++] = value;
            if (at < header.Length)
                return;
            (at, left) = (0, (header[3] << 8) | header[4]);
            const byte Data = 23;
            if (header[0] == Data)
                Largest = Math.Max(Largest, left);
        }
    }
}
