using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace PlatformOps.Adapters.Failover;

/// <summary>Calls of guards over HTTPS with mutual TLS, and what their failures mean. Each call has a timeout; nothing is retried.</summary>
internal sealed class GuardClient : IDisposable
{
    private readonly GuardAccess access;
    private readonly HttpClient client;

    /// <summary>Nothing is called yet.</summary>
    /// <exception cref="AdapterException">The certificates cannot be read.</exception>
    public GuardClient(GuardAccess access)
    {
        this.access = access;
        var authorities = new X509Certificate2Collection();
        X509Certificate2 own;
        try
        {
            authorities.ImportFromPemFile(access.Authority);
            own = X509Certificate2.CreateFromPemFile(access.Certificate, access.Key);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"The certificates for the guards cannot be used: {failure.Message} Correct the paths.", failure);
        }

        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = access.LookTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = [own],
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck }.Trusting(authorities),
            },
        };
        // Each call has a timeout of its own.
        client = new(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Looks. A guard that waits says so now and then: one that is silent for longer than a look may take is frozen or cut off.</summary>
    public async Task<T> GetAsync<T>(string node, string path, CancellationToken ct)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(ct);
        silence.CancelAfter(access.LookTimeout);
        return await SaidAsync(node, path.Split('?')[0]["/v1/".Length..], async () =>
        {
            using var answer = await client.GetAsync(Address(node, path), HttpCompletionOption.ResponseHeadersRead, silence.Token);
            await using var stream = await answer.Content.ReadAsStreamAsync(silence.Token);
            using var text = new MemoryStream();
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, silence.Token) is > 0 and var count)
            {
                text.Write(buffer, 0, count);
                silence.CancelAfter(access.LookTimeout);
            }

            return Read<T>(node, answer.StatusCode, text.ToArray());
        }, access.LookTimeout, ct);
    }

    /// <summary>Tells a guard to do something.</summary>
    public async Task<T> PostAsync<T>(string node, string path, object order, TimeSpan patience, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(patience);
        return await SaidAsync(node, path["/v1/".Length..], async () =>
        {
            using var answer = await client.PostAsJsonAsync(Address(node, path), order, GuardWire.Json, deadline.Token);
            return Read<T>(node, answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(deadline.Token));
        }, patience, ct);
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private static T Read<T>(string node, HttpStatusCode status, byte[] text)
    {
        if (status == HttpStatusCode.OK)
            return JsonSerializer.Deserialize<T>(text, GuardWire.Json)!;
        var said = text.Length == 0 ? $"HTTP {(int)status}" : JsonSerializer.Deserialize<GuardRefusal>(text, GuardWire.Json)?.Message ?? $"HTTP {(int)status}";
        throw new AdapterException(
            status switch
            {
                HttpStatusCode.Conflict or HttpStatusCode.BadRequest => AdapterFailureKind.Rejected,
                HttpStatusCode.Forbidden => AdapterFailureKind.Forbidden,
                HttpStatusCode.NotFound => AdapterFailureKind.Missing,
                _ => AdapterFailureKind.Unavailable,
            },
            $"The guard of {node}: {said}");
    }

    private static async Task<T> SaidAsync<T>(string node, string what, Func<Task<T>> call, TimeSpan patience, CancellationToken ct)
    {
        try
        {
            return await call();
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The guard of {node} did not answer to {what} within {patience.TotalMilliseconds:0} ms. Look at the node, and at the network to it.", late);
        }
        catch (HttpRequestException failure) when (failure.InnerException is AuthenticationException tls)
        {
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"The guard of {node} and we do not trust each other: {tls.Message} Check the certificates of both.", failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException)
        {
            throw new AdapterException(AdapterFailureKind.Unavailable, $"The guard of {node} cannot be reached: {failure.Message.TrimEnd('.')}. Look at the node, and at the network to it.", failure);
        }
    }

    private Uri Address(string node, string path) => access.Nodes.TryGetValue(node, out var address)
        ? new(address, path)
        : throw new AdapterException(AdapterFailureKind.Rejected, $"There is no guard of {node}: there are {string.Join(", ", access.Nodes.Keys)}. Correct the connections.");
}

file static class Policies
{
    public static X509ChainPolicy Trusting(this X509ChainPolicy policy, X509Certificate2Collection authorities)
    {
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
