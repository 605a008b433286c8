using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>Plays the kubelet where there is none: gives the pods of a namespace the status that tests want, by status patches.</summary>
internal sealed class PodPlayer : IAsyncDisposable
{
    private const string Node = "test-node";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient client;
    private readonly CancellationTokenSource stop = new();
    private readonly Task playing;
    private readonly Func<string, PodFate> fates;
    private readonly string network;

    /// <param name="fates">By image.</param>
    /// <param name="network">The first three numbers of the pods' addresses. Services do not lead to pods with addresses of this machine, but tests can answer for them.</param>
    public PodPlayer(TestCluster cluster, string space, Func<string, PodFate> fates, string network = "10.1.0")
    {
        (this.fates, this.network) = (fates, network);
        client = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator })
        {
            BaseAddress = cluster.Api,
            DefaultRequestHeaders = { Authorization = new("Bearer", cluster.Token) },
        };
        playing = PlayAsync($"/api/v1/namespaces/{space}/pods");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await playing;
        client.Dispose();
        stop.Dispose();
    }

    private async Task PlayAsync(string pods)
    {
        var given = new Dictionary<string, PodFate>();
        // Endpoints are only made for pods on a node that exists.
        await SendAsync(HttpMethod.Post, "/api/v1/nodes", $$"""{"apiVersion":"v1","kind":"Node","metadata":{"name":"{{Node}}"} }""", "application/json");
        while (!stop.IsCancellationRequested)
        {
            // A server that is too busy to answer is asked again.
            using var answer = await client.GetAsync(new Uri(pods, UriKind.Relative));
            var list = answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync()) : null;
            foreach (var pod in (list?["items"]?.AsArray() ?? []).OfType<JsonObject>())
            {
                var (uid, name) = ((string)pod["metadata"]!["uid"]!, (string)pod["metadata"]!["name"]!);
                if (pod["metadata"]!["deletionTimestamp"] is not null)
                    await SendAsync(HttpMethod.Delete, $"{pods}/{name}", """{"gracePeriodSeconds":0}""", "application/json");
                else if (fates((string)pod["spec"]!["containers"]![0]!["image"]!) is var fate && (!given.TryGetValue(uid, out var known) || known != fate))
                {
                    if (fate == PodFate.Ready && pod["spec"]!["nodeName"] is null)
                        await SendAsync(HttpMethod.Post, $"{pods}/{name}/binding", $$"""{"apiVersion":"v1","kind":"Binding","metadata":{"name":"{{name}}"},"target":{"kind":"Node","name":"{{Node}}"} }""", "application/json");
                    if (await SendAsync(HttpMethod.Patch, $"{pods}/{name}/status", Status(pod, fate, $"{network}.{given.Count + 1}"), "application/merge-patch+json"))
                        given[uid] = fate;
                }
            }

            await Task.WhenAny(Task.Delay(Pause, stop.Token));
        }
    }

    private async Task<bool> SendAsync(HttpMethod method, string path, string body, string contentType)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } } };
        using var answer = await client.SendAsync(request);
        return answer.IsSuccessStatusCode;
    }

    private static string Status(JsonObject pod, PodFate fate, string address)
    {
        var container = pod["spec"]!["containers"]![0]!;
        var (state, last, restarts) = fate switch
        {
            PodFate.Ready => ("""{"running":{"startedAt":"2026-01-01T00:00:00Z"}}""", "{}", 0),
            PodFate.ImagePull => ("""{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}""", "{}", 0),
            PodFate.CrashLoop => ("""{"waiting":{"reason":"CrashLoopBackOff"}}""", """{"terminated":{"exitCode":137,"reason":"OOMKilled"}}""", 4),
            _ => ("", "", 0),
        };
        if (fate == PodFate.Unschedulable)
            return """{"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/3 nodes are available: 3 Insufficient memory."}]}}""";
        var ready = fate == PodFate.Ready ? "True" : "False";
        return $$"""
            {"status":{"phase":"{{(fate == PodFate.Ready ? "Running" : "Pending")}}","podIP":"{{address}}","podIPs":[{"ip":"{{address}}"}],
              "conditions":[{"type":"PodScheduled","status":"True"},{"type":"ContainersReady","status":"{{ready}}"},{"type":"Ready","status":"{{ready}}","lastTransitionTime":"2026-01-01T00:00:00Z"}],
              "containerStatuses":[{"name":"{{container["name"]}}","image":"{{container["image"]}}","imageID":"","ready":{{(fate == PodFate.Ready ? "true" : "false")}},"restartCount":{{restarts}},"state":{{state}},"lastState":{{last}} }]} }
            """;
    }
}
