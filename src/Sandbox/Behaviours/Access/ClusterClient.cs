using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Behaviours.Access;

/// <summary>A change that a watch reported: ADDED, MODIFIED, DELETED or BOOKMARK.</summary>
internal sealed record WatchEvent(string Type, JsonObject Body);

/// <summary>
/// Speaks the Kubernetes API as plain JSON. Every method throws <see cref="ClusterError"/> for an answer that is not a success, and
/// <see cref="HttpRequestException"/> when there is none. Nothing is retried here.
/// </summary>
internal sealed class ClusterClient : IDisposable
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);
    private const int PageSize = 500;
    private readonly HttpClient _http;
    private long _writes;

    public ClusterClient(Uri api, string? token, HttpMessageHandler? handler)
    {
        _http = handler is null ? new HttpClient(new SocketsHttpHandler()) : new HttpClient(handler, disposeHandler: false);
        _http.BaseAddress = new Uri(api.AbsoluteUri.TrimEnd('/') + "/");
        _http.Timeout = Timeout.InfiniteTimeSpan;
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("platformops-sandbox-behaviours", null));
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>How many calls that may change something were sent.</summary>
    public long Writes => Interlocked.Read(ref _writes);

    /// <summary>The document at a path, for example <c>apis</c>.</summary>
    public Task<JsonObject> GetAsync(string path, CancellationToken ct) => SendAsync(HttpMethod.Get, path, null, null, ct);

    /// <summary>The object, or null when the API says that it does not exist. A path that nobody serves says nothing, and throws.</summary>
    public async Task<ClusterObject?> FindAsync(ApiResource resource, string space, string name, CancellationToken ct)
    {
        try
        {
            return new(resource, await GetAsync(resource.Path(space, name), ct));
        }
        catch (ClusterError error) when (error is { NotFound: true, Reason: "NotFound" })
        {
            return null;
        }
    }

    /// <summary>All objects of a kind and the version to watch from.</summary>
    public async Task<(IReadOnlyList<ClusterObject> Items, string Version)> ListAsync(ApiResource resource, CancellationToken ct)
    {
        List<ClusterObject> items = [];
        for (string? next = null; ;)
        {
            var query = $"?limit={PageSize}" + (next is null ? "" : $"&continue={Uri.EscapeDataString(next)}");
            var page = await GetAsync(resource.Path() + query, ct);
            items.AddRange(page.Items("items").OfType<JsonObject>().ToList().Select(item => new ClusterObject(resource, item)));
            next = page.At("metadata").Text("continue");
            if (string.IsNullOrEmpty(next))
                return (items, page.At("metadata").Text("resourceVersion") ?? "");
        }
    }

    /// <summary>Changes after a version, until the server ends the connection.</summary>
    public async IAsyncEnumerable<WatchEvent> WatchAsync(ApiResource resource, string version, [EnumeratorCancellation] CancellationToken ct)
    {
        var path = $"{resource.Path()}?watch=true&allowWatchBookmarks=true&resourceVersion={version}";
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (!response.IsSuccessStatusCode)
            throw Refusal(response.StatusCode, await response.Content.ReadAsStringAsync(ct), path);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
        while (await lines.ReadLineAsync(ct) is { } line)
        {
            if (line.Length == 0)
                continue;
            var change = JsonNode.Parse(line)!;
            var type = change.Text("type") ?? "";
            var body = change.Fields("object") ?? [];
            if (type == "ERROR")
                throw new ClusterError(
                    (HttpStatusCode)(body.Number("code") ?? 500), body.Text("reason") ?? "", body.Text("message") ?? "The watch failed.");
            yield return new(type, body);
        }
    }

    public async Task<ClusterObject> CreateAsync(ApiResource resource, string space, JsonObject body, CancellationToken ct) =>
        new(resource, await SendAsync(HttpMethod.Post, resource.Path(space), body, "application/json", ct));

    public async Task<ClusterObject> PatchAsync(ClusterObject target, JsonObject patch, string? subresource, CancellationToken ct) =>
        new(target.Resource, await SendAsync(
            HttpMethod.Patch, target.Resource.Path(target.Namespace, target.Name, subresource), patch, "application/merge-patch+json", ct));

    /// <summary>POST or PUT to a subresource, for example <c>binding</c> or <c>finalize</c>.</summary>
    public Task<JsonObject> SendToAsync(HttpMethod method, ClusterObject target, string subresource, JsonObject body, CancellationToken ct) =>
        SendAsync(method, target.Resource.Path(target.Namespace, target.Name, subresource), body, "application/json", ct);

    /// <summary>Asks for removal of exactly this object, not of a later one of that name. The answer is the object or a Status.</summary>
    public Task<JsonObject> DeleteAsync(ClusterObject target, string propagation, int? graceSeconds, CancellationToken ct)
    {
        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = propagation,
            ["preconditions"] = new JsonObject { ["uid"] = target.Uid },
        };
        if (graceSeconds is { } seconds)
            options["gracePeriodSeconds"] = seconds;
        return SendAsync(HttpMethod.Delete, target.Resource.Path(target.Namespace, target.Name), options, "application/json", ct);
    }

    /// <summary>Asks for removal of everything of a kind in a namespace.</summary>
    public Task DeleteAllAsync(ApiResource resource, string space, CancellationToken ct) =>
        SendAsync(HttpMethod.Delete, resource.Path(space), null, null, ct);

    public void Dispose() => _http.Dispose();

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? body, string? contentType, CancellationToken ct)
    {
        if (method != HttpMethod.Get)
            Interlocked.Increment(ref _writes);
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(contentType!));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(AnswerWithin);
        try
        {
            using var response = await _http.SendAsync(request, limit.Token);
            var text = await response.Content.ReadAsStringAsync(limit.Token);
            return response.IsSuccessStatusCode ? (JsonObject)JsonNode.Parse(text)! : throw Refusal(response.StatusCode, text, path);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"{method} {path} had no answer within {AnswerWithin.TotalSeconds:0} s.");
        }
    }

    private static ClusterError Refusal(HttpStatusCode code, string text, string path)
    {
        try
        {
            var status = JsonNode.Parse(text);
            return new(code, status.Text("reason") ?? "", status.Text("message") ?? $"{path} answered {(int)code}.");
        }
        catch (JsonException)
        {
            return new(code, "", $"{path} answered {(int)code}: {text[..Math.Min(text.Length, 200)]}");
        }
    }
}
