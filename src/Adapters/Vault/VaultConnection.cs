using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.Vault;

/// <summary>Speaks with Vault, or OpenBao, for one privilege domain. Every call has a timeout and is made once; redirects are not followed, since
/// they would carry the token elsewhere.</summary>
public sealed class VaultConnection : IDisposable
{
    private readonly VaultOptions options;
    private readonly IVaultTokenSource tokens;
    private readonly HttpClient client;
    private readonly VaultFailures failures;

    private VaultConnection(VaultOptions options, IVaultTokenSource tokens, HttpClient client)
    {
        (this.options, this.tokens, this.client) = (options, tokens, client);
        failures = new(options);
    }

    /// <summary>Which Vault, and for what.</summary>
    public VaultOptions Options => options;

    /// <summary>Prepares a connection; nothing is sent yet.</summary>
    /// <param name="tokens">Where its tokens come from.</param>
    /// <exception cref="AdapterException">The file with certificate authorities cannot be read, or the timeout is out of range.</exception>
    public static VaultConnection Open(VaultOptions options, IVaultTokenSource tokens)
    {
        if (options.CallTimeout < TimeSpan.FromMilliseconds(100) || options.CallTimeout > TimeSpan.FromMinutes(1))
            throw new AdapterException(AdapterFailureKind.Rejected, $"The timeout of calls to Vault is {options.CallTimeout}: 100 ms to 1 minute is expected.");
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = options.CallTimeout };
        if (options.CertificateAuthorityFile is { } file)
            handler.SslOptions = Trusting(file);
        return new(options, tokens, new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan });
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>The token that calls are made with now.</summary>
    /// <exception cref="AdapterException">There is none to be had.</exception>
    internal Task<SecretText> TokenAsync(CancellationToken ct) => tokens.TokenAsync(this, ct);

    /// <summary>Makes one call.</summary>
    /// <param name="allowed">Status codes that are answers here, not failures.</param>
    /// <exception cref="VaultException">Anything but success, and "there is no such thing".</exception>
    internal async Task<VaultAnswer> SendAsync(VaultCall call, CancellationToken ct, Func<int, bool>? allowed = null)
    {
        var token = call.Anonymous ? null : call.Token ?? await tokens.TokenAsync(this, ct);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(call.Within ?? options.CallTimeout);
        try
        {
            using var request = Request(call, token);
            using var response = await client.SendAsync(request, deadline.Token);
            var raw = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            var answer = new VaultAnswer(response.StatusCode, Parse(raw), raw);
            if (response.IsSuccessStatusCode || answer.Missing || allowed?.Invoke((int)answer.Status) == true)
                return answer;
            var failure = failures.Of(call, response, answer, token);
            if (failure.Trouble is VaultTrouble.InvalidToken or VaultTrouble.Denied && token is not null && call.Token is null)
                tokens.Doubt(token);
            throw failure;
        }
        catch (Exception failure) when (Transport(failure, ct) is { } reason)
        {
            throw failures.Unreachable(reason, failure);
        }
    }

    /// <summary>Makes a call whose answer may be large, and writes it to a stream as it comes. The timeout is for its beginning, and for each piece.</summary>
    /// <exception cref="VaultException">Anything but success.</exception>
    internal async Task DownloadAsync(VaultCall call, Stream target, CancellationToken ct)
    {
        var token = call.Token ?? await tokens.TokenAsync(this, ct);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(options.CallTimeout);
        try
        {
            using var request = Request(call, token);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (!response.IsSuccessStatusCode)
            {
                var raw = await response.Content.ReadAsByteArrayAsync(deadline.Token);
                throw failures.Of(call, response, new(response.StatusCode, Parse(raw), raw), token);
            }

            await using var content = await response.Content.ReadAsStreamAsync(deadline.Token);
            var piece = new byte[64 * 1024];
            while (await content.ReadAsync(piece, deadline.Token) is > 0 and var read)
            {
                await target.WriteAsync(piece.AsMemory(0, read), ct);
                deadline.CancelAfter(options.CallTimeout);
            }
        }
        catch (Exception failure) when (Transport(failure, ct) is { } reason)
        {
            throw failures.Unreachable(reason, failure);
        }
    }

    /// <summary>As <see cref="SendAsync"/>, where nothing being there is a failure.</summary>
    internal async Task<VaultAnswer> RequireAsync(VaultCall call, CancellationToken ct)
    {
        var answer = await SendAsync(call, ct);
        return answer.Missing ? throw failures.Absent(call) : answer;
    }

    private HttpRequestMessage Request(VaultCall call, SecretText? token)
    {
        var request = new HttpRequestMessage(call.Method, new Uri(options.Address, $"/v1/{call.Path}"));
        request.Headers.Add("X-Vault-Request", "true");
        if (token is not null)
            request.Headers.Add("X-Vault-Token", token.Reveal());
        if (options.Namespace is { } space)
            request.Headers.Add("X-Vault-Namespace", space);
        if (call.Content is { } content)
            request.Content = new StreamContent(content);
        else if (call.Body is not null)
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(call.Body)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    private string? Transport(Exception failure, CancellationToken ct) => failure switch
    {
        OperationCanceledException when !ct.IsCancellationRequested => $"there was no answer within {options.CallTimeout.TotalSeconds:0.#} s",
        HttpRequestException { InnerException: SocketException socket } => socket.Message,
        HttpRequestException { InnerException: AuthenticationException tls } => $"its TLS certificate is not trusted ({tls.Message})",
        HttpRequestException or IOException or SocketException => failure.Message,
        _ => null,
    };

    private static SslClientAuthenticationOptions Trusting(string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"The file {file} with Vault's certificate authorities cannot be read: {failure.Message}", failure);
        }

        if (authorities.Count == 0)
            throw new AdapterException(AdapterFailureKind.Rejected, $"The file {file} holds no certificate: state a PEM file with Vault's certificate authorities.");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return new() { CertificateChainPolicy = policy };
    }

    private static JsonObject Parse(byte[] raw)
    {
        try
        {
            return raw.Length == 0 ? [] : JsonNode.Parse(raw) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // A certificate, a list of revocations, or a proxy's page.
            return [];
        }
    }
}
