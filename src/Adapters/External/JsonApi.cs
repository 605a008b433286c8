using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Adapters.External;

/// <summary>Speaks with one service that has a JSON API over HTTP. Every call has a timeout and is made once; redirects are not followed, since they would
/// carry the credential elsewhere. Credentials are read from their files at each call: somebody else renews them.</summary>
public sealed class JsonApi : IDisposable
{
    private const long LongestAnswer = 8 * 1024 * 1024;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private readonly Uri address;
    private readonly IReadOnlyList<ApiCredential> credentials;
    private readonly HttpClient client;
    private readonly JsonApiFailures failures;

    private JsonApi(string service, Uri address, IReadOnlyList<ApiCredential> credentials, HttpClient client)
    {
        (this.address, this.credentials, this.client) = (address, credentials, client);
        failures = new($"{service} at {address.GetLeftPart(UriPartial.Authority)}", [.. credentials.Select(credential => credential.File)]);
    }

    /// <summary>Prepares calls; nothing is sent yet.</summary>
    /// <param name="service">The service's name, for messages.</param>
    /// <param name="address">Paths of calls are below it.</param>
    /// <param name="certificateAuthority">A PEM file with whom to trust; null: the system's authorities.</param>
    /// <exception cref="AdapterException">The file with authorities cannot be read.</exception>
    public static JsonApi Open(string service, Uri address, IReadOnlyList<ApiCredential> credentials, string? certificateAuthority)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = CallTimeout };
        if (certificateAuthority is not null)
            handler.SslOptions = Trusting(service, certificateAuthority);
        var below = new Uri(address.AbsoluteUri.TrimEnd('/') + "/");
        return new(service, below, credentials, new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LongestAnswer });
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <summary>What is at a path; null when the service says that there is nothing.</summary>
    /// <param name="what">What is asked for, in words that hold no secret: <c>read project platform/temporal</c>.</param>
    /// <exception cref="AdapterException">Any other answer than JSON with success.</exception>
    internal Task<JsonNode?> GetAsync(string path, string what, CancellationToken ct) => SendAsync(HttpMethod.Get, path, what, null, ct);

    /// <inheritdoc cref="GetAsync"/>
    internal async Task<JsonNode?> SendAsync(HttpMethod method, string path, string what, JsonNode? body, CancellationToken ct)
    {
        var (status, headers, text) = await CallAsync(method, path, what, body, ct);
        var json = Parse(text);
        if (status is >= 200 and < 300)
            return json ?? throw failures.NoJson(what, status);
        if (status == 404 && json is not null)
            return null;
        throw failures.Of(what, status, json, headers);
    }

    /// <summary>As <see cref="SendAsync"/>, for calls that may be answered with nothing.</summary>
    /// <returns>Null also when the service says that there is nothing at that path.</returns>
    internal async Task<JsonNode?> DoAsync(HttpMethod method, string path, string what, JsonNode? body, CancellationToken ct)
    {
        var (status, headers, text) = await CallAsync(method, path, what, body, ct);
        var json = Parse(text);
        if (status is >= 200 and < 300)
            return json is null && text.Length > 0 ? throw failures.NoJson(what, status) : json;
        return status == 404 && json is not null ? null : throw failures.Of(what, status, json, headers);
    }

    /// <summary>As <see cref="GetAsync"/>, for the few answers that are plain text.</summary>
    internal async Task<string> GetTextAsync(string path, string what, CancellationToken ct)
    {
        var (status, headers, text) = await CallAsync(HttpMethod.Get, path, what, null, ct);
        return status is >= 200 and < 300 ? text : throw failures.Of(what, status, Parse(text), headers);
    }

    private async Task<(int Status, HttpResponseHeaders Headers, string Text)> CallAsync(HttpMethod method, string path, string what, JsonNode? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path));
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.UserAgent.Add(new("platformops", null));
        foreach (var credential in credentials)
            request.Headers.TryAddWithoutValidation(credential.Header, Value(credential, await ReadAsync(credential, ct)));
        if (body is not null)
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body)) { Headers = { ContentType = new("application/json") } };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(CallTimeout);
        try
        {
            using var response = await client.SendAsync(request, deadline.Token);
            return ((int)response.StatusCode, response.Headers, await response.Content.ReadAsStringAsync(deadline.Token));
        }
        catch (Exception failure) when (Transport(failure, ct) is { } reason)
        {
            throw failures.Unreachable(what, reason, failure);
        }
    }

    private static string Value(ApiCredential credential, SecretText secret) => credential.User is null
        ? credential.Prefix + secret.Reveal()
        : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.User}:{secret.Reveal()}"));

    private static async Task<SecretText> ReadAsync(ApiCredential credential, CancellationToken ct)
    {
        if (credential.Secret is { } given)
            return given;
        try
        {
            return new((await File.ReadAllTextAsync(credential.File, ct)).Trim());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AdapterException(AdapterFailureKind.Unauthorized, $"A credential cannot be read: {failure.Message} Correct {credential.Setting} in the connections file.", failure);
        }
    }

    private static string? Transport(Exception failure, CancellationToken ct) => failure switch
    {
        OperationCanceledException when !ct.IsCancellationRequested => $"there was no answer within {CallTimeout.TotalSeconds:0} s",
        HttpRequestException { InnerException: SocketException socket } => socket.Message,
        HttpRequestException { InnerException: AuthenticationException tls } => $"its TLS certificate is not trusted ({tls.Message})",
        HttpRequestException or IOException or SocketException => failure.Message,
        _ => null,
    };

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // A page of a proxy or of a login.
            return null;
        }
    }

    private static SslClientAuthenticationOptions Trusting(string service, string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AdapterException(AdapterFailureKind.Rejected, $"The file {file} with the certificate authorities of {service} cannot be read: {failure.Message}", failure);
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return new() { CertificateChainPolicy = policy };
    }
}

/// <summary>A header that proves who we are.</summary>
/// <param name="Prefix">Before the credential, <c>Bearer </c>.</param>
/// <param name="File">Holds the credential.</param>
/// <param name="Setting">Where the file is named, for messages: <c>regions.us-east-1.external.gitlab.tokenFile</c>.</param>
public sealed record ApiCredential(string Header, string Prefix, string File, string Setting)
{
    /// <summary>With a user the file holds the password, and both are sent as HTTP wants it; null: without.</summary>
    public string? User { get; init; }

    /// <summary>Gives the credential instead of the file; null: the file does.</summary>
    public SecretText? Secret { get; init; }
}
