using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PlatformOps.Adapters.Redis;

/// <summary>One connection to a Redis server, in its own protocol (RESP 2). Every call has a timeout and is made once. What was sent is in no failure.</summary>
internal sealed class RedisConnection : IDisposable
{
    private const int LongestText = 1024 * 1024, LongestList = 100_000;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    private readonly TcpClient client;
    private readonly Stream stream;
    private readonly string address;

    private RedisConnection(TcpClient client, Stream stream, string address) => (this.client, this.stream, this.address) = (client, stream, address);

    /// <param name="address"><c>host:port</c>.</param>
    /// <param name="authority">A PEM file with whom to trust; null: the system's authorities.</param>
    /// <exception cref="AdapterException">It does not answer.</exception>
    public static async Task<RedisConnection> OpenAsync(string address, bool tls, string? authority, CancellationToken ct)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port))
            throw new AdapterException(AdapterFailureKind.Rejected, $"The address of Redis is '{address}': host:port is expected. Correct the connections file.");
        var host = address[..colon].Trim('[', ']');
        var client = new TcpClient { NoDelay = true };
        try
        {
            return await WithinAsync(address, async limited =>
            {
                await client.ConnectAsync(host, port, limited);
                Stream stream = client.GetStream();
                if (tls)
                {
                    var secured = new SslStream(stream);
                    await secured.AuthenticateAsClientAsync(new() { TargetHost = host, CertificateChainPolicy = Trusting(authority) }, limited);
                    stream = secured;
                }

                return new RedisConnection(client, stream, address);
            }, ct);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Makes a call.</summary>
    /// <returns>A text, a number, a list of such, or null.</returns>
    /// <exception cref="RedisRefusal">Redis says no, and why.</exception>
    public Task<object?> CallAsync(CancellationToken ct, params string[] words) => WithinAsync(address, async limited =>
    {
        var sent = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words)
            sent.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n").Append(word).Append("\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(sent.ToString()), limited);
        return await ReadAsync(limited);
    }, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Dispose();
        client.Dispose();
    }

    private async Task<object?> ReadAsync(CancellationToken ct)
    {
        var line = await LineAsync(ct);
        var rest = line[1..];
        switch (line[0])
        {
            case '+':
                return rest;
            case '-':
                throw new RedisRefusal(rest);
            case ':':
                return long.Parse(rest, CultureInfo.InvariantCulture);
            case '$':
                var length = int.Parse(rest, CultureInfo.InvariantCulture);
                if (length < 0)
                    return null;
                var text = new byte[length <= LongestText ? length + 2 : throw Strange("a text that is too long")];
                await stream.ReadExactlyAsync(text, ct);
                return Encoding.UTF8.GetString(text, 0, length);
            case '*':
                var count = int.Parse(rest, CultureInfo.InvariantCulture);
                if (count > LongestList)
                    throw Strange("a list that is too long");
                var list = new List<object?>();
                for (var item = 0; item < count; item++)
                    list.Add(await ReadAsync(ct));
                return list;
            default:
                throw Strange("something else than Redis does");
        }
    }

    private async Task<string> LineAsync(CancellationToken ct)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < 2 || line[^2] != '\r' || line[^1] != '\n')
        {
            await stream.ReadExactlyAsync(one, ct);
            line.Add(one[0]);
            if (line.Count > LongestText)
                throw Strange("a line that is too long");
        }

        return line.Count > 2 ? Encoding.UTF8.GetString([.. line], 0, line.Count - 2) : throw Strange("an empty line");
    }

    private AdapterException Strange(string what) => new(AdapterFailureKind.Unavailable, $"Redis at {address} answers with {what}. Check the address in the connections file.");

    private static async Task<T> WithinAsync<T>(string address, Func<CancellationToken, Task<T>> work, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(CallTimeout);
        try
        {
            return await work(deadline.Token);
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or FormatException || (failure is OperationCanceledException && !ct.IsCancellationRequested))
        {
            var reason = failure is OperationCanceledException ? $"there was no answer within {CallTimeout.TotalSeconds:0} s" : failure.Message.TrimEnd('.');
            throw new AdapterException(AdapterFailureKind.Unavailable, $"Redis at {address} cannot be reached: {reason}. Check that it is up and that this machine reaches that address.", failure);
        }
    }

    private static X509ChainPolicy? Trusting(string? file)
    {
        if (file is null)
            return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }
}

/// <summary>What Redis says instead of doing it.</summary>
/// <param name="said">Begins with a word for the kind: <c>WRONGPASS</c>, <c>NOPERM</c>. It may repeat what was sent: never shown as it is.</param>
internal sealed class RedisRefusal(string said) : Exception($"Redis refused ({said.Split(' ')[0]})")
{
    public string Kind { get; } = said.Split(' ')[0];

    public bool Says(string words) => said.Contains(words, StringComparison.OrdinalIgnoreCase);
}
