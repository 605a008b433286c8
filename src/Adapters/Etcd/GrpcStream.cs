using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace PlatformOps.Adapters.Etcd;

/// <summary>Calls methods of gRPC that take one message: HTTP/2, five bytes in front of each message, the status in the trailers.</summary>
internal sealed class GrpcStream(HttpClient client, Uri address)
{
    private const int HeadBytes = 5;

    /// <summary>etcd sends pieces of 32 KiB.</summary>
    private const int MostBytes = 4 * 1024 * 1024;

    /// <summary>How long it may be silent.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Calls, and hands over each message that is answered; it is in memory until the next one comes.</summary>
    /// <exception cref="AdapterException">It does not answer, or refuses.</exception>
    public async Task CallAsync(string method, ReadOnlyMemory<byte> message, Func<ReadOnlyMemory<byte>, Task> answered, CancellationToken ct)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(ct);
        silence.CancelAfter(Silence);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, method)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent([.. Head(message.Length), .. message.Span]) };
            request.Content.Headers.ContentType = new("application/grpc");
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new AdapterException(AdapterFailureKind.Rejected, $"{address} answered {(int)response.StatusCode} to a call of gRPC: it is no etcd. Name the address that etcd's clients use.");
            await using var body = await response.Content.ReadAsStreamAsync(silence.Token);
            var (head, buffer) = (new byte[HeadBytes], Array.Empty<byte>());
            while (await body.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, silence.Token) == HeadBytes)
            {
                var length = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(1));
                if (head[0] != 0 || length > MostBytes)
                    throw new AdapterException(AdapterFailureKind.Rejected, $"{address} answered what was not asked for: a message that is compressed or has {length} bytes.");
                if (buffer.Length < length)
                    buffer = new byte[length];
                await body.ReadExactlyAsync(buffer.AsMemory(0, (int)length), silence.Token);
                // What is done with it may take longer than etcd may be silent.
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                await answered(buffer.AsMemory(0, (int)length));
                silence.CancelAfter(Silence);
            }

            Check(Said(response, "grpc-status"), Said(response, "grpc-message"));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"{address} said nothing for {Silence.TotalSeconds:0} s. Look whether etcd runs there and has a leader.");
        }
        // A connection that is lost before both have shown who they are says nothing about trust.
        catch (HttpRequestException failure) when (failure is { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: not IOException })
        {
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"No connection to {address} that both sides trust: {failure.InnerException?.Message ?? failure.Message} Look at the authority (ca.crt), the certificate (tls.crt) and the names in that of etcd.", failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"{address} does not answer: {failure.Message} Look whether etcd runs there, and whether workers may reach it.", failure);
        }
    }

    private static byte[] Head(int length)
    {
        var head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), (uint)length);
        return head;
    }

    /// <summary>An answer without messages may have it among its headers.</summary>
    private static string? Said(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? Uri.UnescapeDataString(string.Join(' ', values)) : null;

    private void Check(string? status, string? message)
    {
        if (status == "0")
            return;
        throw status is null
            ? new AdapterException(AdapterFailureKind.Unavailable, $"{address} ended in the middle of an answer.")
            : new AdapterException(
                int.TryParse(status, CultureInfo.InvariantCulture, out var code) ? KindOf(code) : AdapterFailureKind.Rejected, $"{address} refused (gRPC status {status}): {message}");
    }

    private static AdapterFailureKind KindOf(int status) => status switch
    {
        // Deadline, resources, aborted, unavailable.
        4 or 8 or 10 or 14 => AdapterFailureKind.Unavailable,
        7 => AdapterFailureKind.Forbidden,
        12 => AdapterFailureKind.NotServed,
        16 => AdapterFailureKind.Unauthorized,
        _ => AdapterFailureKind.Rejected,
    };
}
