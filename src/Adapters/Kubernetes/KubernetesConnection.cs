using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Exceptions;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Speaks with the Kubernetes API of one region. Authentication and transport are those of the official client; objects are plain
/// JSON, since a catalog may hold any kind. Every call has a timeout and is made once.</summary>
public sealed class KubernetesConnection : IDisposable
{
    /// <summary>Shorter than the heartbeat timeouts of the activities that call, so that they can say what did not answer.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly k8s.Kubernetes client;
    private readonly KubernetesFailures failures;

    private KubernetesConnection(k8s.Kubernetes client, KubernetesAccount account)
    {
        (this.client, Account) = (client, account);
        failures = new(account);
        Kinds = new(this, failures);
    }

    /// <summary>Which cluster, and as whom.</summary>
    public KubernetesAccount Account { get; }

    /// <summary>The region whose cluster this is.</summary>
    public string Region => Account.Region;

    internal ServedKinds Kinds { get; }

    internal KubernetesFailures Failures => failures;

    /// <summary>Opens a connection; nothing is sent yet.</summary>
    /// <param name="defaultContext">The kubeconfig context when the connections do not state one. It is never the kubeconfig's current context:
    /// that one may be another cluster.</param>
    /// <exception cref="AdapterException">There is no such kubeconfig or context.</exception>
    public static KubernetesConnection Open(PlatformConnections connections, string region, string defaultContext)
    {
        var (configuration, account) = KubernetesConfiguration.Read(connections.Of(region), region, defaultContext);
        // The timeout of a call is ours; the client's would also end watches.
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        return new(new(configuration), account);
    }

    /// <summary>Makes one call.</summary>
    /// <exception cref="AdapterException">Anything but success, and "there is no such object".</exception>
    internal async Task<ApiAnswer> SendAsync(ApiCall call, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(CallTimeout);
        try
        {
            using var response = await RespondAsync(call, HttpCompletionOption.ResponseContentRead, deadline.Token);
            var answer = new ApiAnswer(response.StatusCode, Parse(await response.Content.ReadAsStringAsync(deadline.Token)));
            return response.IsSuccessStatusCode || answer.Missing ? answer : throw failures.Of(call, response, answer);
        }
        catch (Exception failure) when (Transport(failure, ct) is { } reason)
        {
            throw failures.Unreachable(reason, failure);
        }
    }

    /// <summary>Follows a watch, event by event, until the server or the caller ends it.</summary>
    internal async IAsyncEnumerable<JsonObject> WatchAsync(ApiCall call, [EnumeratorCancellation] CancellationToken ct)
    {
        using var response = await WatchResponseAsync(call, ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (await LineAsync(reader, ct) is { } line)
        {
            if (Parse(line) is { Count: > 0 } change)
                yield return change;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> WatchResponseAsync(ApiCall call, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(CallTimeout);
        try
        {
            var response = await RespondAsync(call, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
                throw failures.Of(call, response, new(response.StatusCode, Parse(await response.Content.ReadAsStringAsync(deadline.Token))));
        }
        catch (Exception failure) when (Transport(failure, ct) is { } reason)
        {
            throw failures.Unreachable(reason, failure);
        }
    }

    private async Task<HttpResponseMessage> RespondAsync(ApiCall call, HttpCompletionOption completion, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(call.Method, new Uri(client.BaseUri, call.Path));
        request.Headers.Accept.ParseAdd(call.Accept);
        if (call.Body is not null)
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(call.Body)) { Headers = { ContentType = new MediaTypeHeaderValue(call.ContentType) } };
        if (client.Credentials is { } credentials)
            await credentials.ProcessHttpRequestAsync(request, ct);
        return await client.HttpClient.SendAsync(request, completion, ct);
    }

    /// <summary>A line, or null at the end; a connection that breaks in the middle of a watch is its end too.</summary>
    private static async Task<string?> LineAsync(StreamReader reader, CancellationToken ct)
    {
        try
        {
            return await reader.ReadLineAsync(ct);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Why the cluster could not be reached; null when this is another kind of failure.</summary>
    private static string? Transport(Exception failure, CancellationToken ct) => failure switch
    {
        OperationCanceledException when !ct.IsCancellationRequested => $"there was no answer within {CallTimeout.TotalSeconds:0} s",
        HttpRequestException { InnerException: SocketException socket } => socket.Message,
        HttpRequestException { InnerException: System.Security.Authentication.AuthenticationException tls } => $"its TLS certificate is not trusted ({tls.Message})",
        HttpRequestException or IOException or SocketException => failure.Message,
        KubeConfigException => $"the credentials could not be obtained ({failure.Message})",
        _ => null,
    };

    private static JsonObject Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // Not from an API server (a proxy's page): the status code alone speaks.
            return [];
        }
    }
}
