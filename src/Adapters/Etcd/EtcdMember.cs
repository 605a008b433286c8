using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;

namespace PlatformOps.Adapters.Etcd;

/// <summary>One member of an etcd, asked for what a backup needs: <c>etcdserverpb</c> of its v3 API, of which a few fields are read. Changes nothing.</summary>
public sealed class EtcdMember : IDisposable
{
    /// <summary>From the first key to the end.</summary>
    private static readonly ByteString Everything = ByteString.CopyFrom(0);

    private readonly HttpClient client;
    private readonly GrpcStream calls;
    private readonly X509Certificate2? own;

    private EtcdMember(SocketsHttpHandler handler, Uri address, X509Certificate2? own)
    {
        // Each call has a patience of its own.
        client = new(handler) { Timeout = Timeout.InfiniteTimeSpan };
        (calls, this.own) = (new(client, address), own);
    }

    /// <summary>Over mutual TLS.</summary>
    /// <param name="authority">PEM: who signs the certificates of etcd. Nobody else is trusted.</param>
    /// <param name="certificate">PEM: what we show.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="AdapterException">They are no certificates.</exception>
    public static EtcdMember Open(Uri address, SecretText authority, SecretText certificate, SecretText key, string source)
    {
        var trusted = new X509Certificate2Collection();
        X509Certificate2 own;
        try
        {
            trusted.ImportFromPem(authority.Reveal());
            own = X509Certificate2.CreateFromPem(certificate.Reveal(), key.Reveal());
        }
        catch (CryptographicException failure)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"{source} cannot be used for etcd: {failure.Message} ca.crt, tls.crt and tls.key in PEM are expected.", failure);
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trusted);
        return new(new() { ConnectTimeout = TimeSpan.FromSeconds(10), SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [own], CertificateChainPolicy = policy } }, address, own);
    }

    /// <summary>One that listens on a socket in a folder of ours, where nobody else reaches it.</summary>
    internal static EtcdMember Open(string socket) => new(
        new()
        {
            ConnectCallback = async (_, ct) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), ct);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        },
        new("http://localhost"), null);

    /// <summary>The version of the member.</summary>
    public async Task<string> VersionAsync(CancellationToken ct)
    {
        var version = "";
        await calls.CallAsync("/etcdserverpb.Maintenance/Status", default, answer => Read(answer, (field, input) =>
        {
            if (field != 2)
                return false;
            version = input.ReadString();
            return true;
        }), ct);
        return version;
    }

    /// <summary>Where etcd is, and how many keys it has there; a quorum agrees.</summary>
    /// <param name="revision">At which to count; zero: at the newest.</param>
    public async Task<(long Revision, long Keys)> CountAsync(long revision, CancellationToken ct)
    {
        var (newest, keys) = (0L, 0L);
        await calls.CallAsync("/etcdserverpb.KV/Range", Written(output =>
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(Everything);
            output.WriteTag(2, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(Everything);
            output.WriteTag(4, WireFormat.WireType.Varint);
            output.WriteInt64(revision);
            // Only their number.
            output.WriteTag(9, WireFormat.WireType.Varint);
            output.WriteBool(true);
        }), answer => Read(answer, (field, input) =>
        {
            if (field == 1)
                newest = RevisionIn(input.ReadBytes());
            else if (field == 4)
                keys = input.ReadInt64();
            return field is 1 or 4;
        }), ct);
        return (newest, keys);
    }

    /// <summary>Writes a snapshot of everything that the member has, piece by piece as it comes, in the form that <c>etcdutl snapshot restore</c> takes.</summary>
    /// <param name="progress">Is called with how many bytes were written.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Unavailable"/>: what came is not what was sent, which another try may mend.</exception>
    public async Task<(long Bytes, string Digest)> SnapshotAsync(Stream target, Action<long> progress, CancellationToken ct)
    {
        using var hash = new SnapshotHash();
        await calls.CallAsync("/etcdserverpb.Maintenance/Snapshot", default, async answer =>
        {
            var piece = ReadOnlyMemory<byte>.Empty;
            await Read(answer, (field, input) =>
            {
                if (field != 3)
                    return false;
                piece = input.ReadBytes().Memory;
                return true;
            });
            hash.Append(piece.Span);
            await target.WriteAsync(piece, ct);
            progress(hash.Bytes);
        }, ct);
        return (hash.Bytes, hash.Digest() ?? throw new AdapterException(AdapterFailureKind.Unavailable, "The snapshot of etcd does not end with the checksum of what came before: it was cut or changed on its way."));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        own?.Dispose();
    }

    private static byte[] Written(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        write(output);
        output.Flush();
        return stream.ToArray();
    }

    /// <param name="take">Reads a field, or leaves it with false.</param>
    private static Task Read(ReadOnlyMemory<byte> message, Func<int, CodedInputStream, bool> take)
    {
        using var input = new CodedInputStream(message.ToArray());
        while (input.ReadTag() is not 0 and var tag)
        {
            if (!take(WireFormat.GetTagFieldNumber(tag), input))
                input.SkipLastField();
        }

        return Task.CompletedTask;
    }

    private static long RevisionIn(ByteString header)
    {
        using var input = header.CreateCodedInput();
        var revision = 0L;
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == 3)
                revision = input.ReadInt64();
            else
                input.SkipLastField();
        }

        return revision;
    }
}
