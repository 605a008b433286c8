using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>PostgreSQL behind guards, over their HTTPS API with mutual TLS.</summary>
public sealed class GuardedPostgres : IFailoverDatabase, IDisposable
{
    private readonly GuardAccess access;
    private readonly HttpClient client;

    /// <summary>Nothing is called yet.</summary>
    /// <exception cref="AdapterException">The certificates cannot be read.</exception>
    public GuardedPostgres(GuardAccess access)
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

    /// <inheritdoc/>
    public Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct) => LookAsync(node, "/v1/status", ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct) => known is null
        ? ObserveAsync(node, ct)
        : LookAsync(node, $"/v1/status?known={Uri.EscapeDataString(known.StateText())}&patienceMs={(int)patience.TotalMilliseconds}", ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "fence", new() { Epoch = epoch, DrainMs = (int)drain.TotalMilliseconds }, drain, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct) => ChangeAsync<DatabaseNode>(node, "unfence", new() { Epoch = epoch }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct) => ChangeAsync<DatabaseNode>(node, "promote", new() { Epoch = epoch }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct) =>
        ChangeAsync<Divergence>(node, "divergence", new() { Epoch = epoch, Primary = primary }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "follow", new() { Epoch = epoch, Primary = primary }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct) =>
        ChangeAsync<DatabaseNode>(node, "synchronous", new() { Epoch = epoch, Synchronous = synchronous }, TimeSpan.Zero, ct);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>A guard that waits says so now and then: one that is silent for longer than a look may take is frozen or cut off.</summary>
    private async Task<DatabaseNode> LookAsync(string node, string path, CancellationToken ct)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(ct);
        silence.CancelAfter(access.LookTimeout);
        return await SaidAsync(node, "status", async () =>
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

            return Read<DatabaseNode>(node, answer.StatusCode, text.ToArray());
        }, access.LookTimeout, ct);
    }

    private async Task<T> ChangeAsync<T>(string node, string change, GuardOrder order, TimeSpan wait, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var patience = access.ChangeTimeout + wait;
        deadline.CancelAfter(patience);
        return await SaidAsync(node, change, async () =>
        {
            using var answer = await client.PostAsJsonAsync(Address(node, $"/v1/{change}"), order, GuardWire.Json, deadline.Token);
            return Read<T>(node, answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(deadline.Token));
        }, patience, ct);
    }

    private static T Read<T>(string node, HttpStatusCode status, byte[] text)
    {
        if (status == HttpStatusCode.OK)
            return JsonSerializer.Deserialize<T>(text, GuardWire.Json)!;
        var said = JsonSerializer.Deserialize<GuardRefusal>(text, GuardWire.Json)?.Message ?? $"HTTP {(int)status}";
        throw new AdapterException(
            status switch
            {
                HttpStatusCode.Conflict or HttpStatusCode.BadRequest => AdapterFailureKind.Rejected,
                HttpStatusCode.Forbidden => AdapterFailureKind.Forbidden,
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
