using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Tests.Kubernetes;

/// <summary>A sandbox with one region, without controllers so that nothing moves by itself, and a plain client for it.</summary>
internal sealed class SandboxCluster : IAsyncDisposable
{
    private readonly SandboxHost host;

    private SandboxCluster(SandboxHost host)
    {
        this.host = host;
        Region = host.Regions["here"];
        Client = new HttpClient { BaseAddress = Region.PlainAddress };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Region.Kubeconfig.Split("token: \"")[1].Split('"')[0]);
    }

    public SandboxRegion Region { get; }

    public HttpClient Client { get; }

    public static async Task<SandboxCluster> StartAsync(SandboxOptions? options = null)
    {
        var cluster = new SandboxCluster(await SandboxHost.StartAsync((options ?? new() { Regions = [] }) with { Regions = ["here"], Alive = false }, TestContext.Current.CancellationToken));
        return cluster;
    }

    /// <summary>One call; the status code and the body.</summary>
    public async Task<(int Code, JsonObject Body)> SendAsync(string method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, JsonNode.Parse(text)!.AsObject());
    }

    public Task<(int Code, JsonObject Body)> ApplyAsync(string path, string body, string manager = "platformops", bool force = false) =>
        SendAsync("PATCH", $"{path}?fieldManager={manager}{(force ? "&force=true" : "")}", body, "application/apply-patch+yaml");

    public Task<(int Code, JsonObject Body)> CreateNamespaceAsync(string name) =>
        SendAsync("POST", "/api/v1/namespaces", $$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}"} }""");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await host.DisposeAsync();
    }
}
