using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Integration.Tests.Kubernetes;

/// <summary>Somebody else who works on the same cluster, past the product and its proxy.</summary>
internal sealed class KubectlLike : IDisposable
{
    private readonly HttpClient client;

    /// <param name="account">Whom the server is to take us for; null: whoever may do everything.</param>
    public KubectlLike(TestCluster cluster, string? account = null)
        : this(cluster.Api, cluster.Token)
    {
        if (account is not null)
            client.DefaultRequestHeaders.Add("Impersonate-User", account);
    }

    /// <summary>Through the proxy, as whom it says.</summary>
    public KubectlLike(ApiProxy proxy)
        : this(proxy.Address, proxy.Token)
    {
    }

    /// <summary>Any API, for example that of a region of a sandbox.</summary>
    public KubectlLike(Uri api, string token) => client = new(new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator })
    {
        BaseAddress = api,
        DefaultRequestHeaders = { Authorization = new("Bearer", token) },
    };

    public static string ConfigMap(string space, string name) => $"/api/v1/namespaces/{space}/configmaps/{name}";

    public static string Secret(string space, string name) => $"/api/v1/namespaces/{space}/secrets/{name}";

    public async Task<JsonObject?> GetAsync(string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.IsSuccessStatusCode ? JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject() : null;
    }

    /// <summary>Applies as a field manager that takes what it wants.</summary>
    public Task ApplyAsync(string path, string manifest, string manager) =>
        SendAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}&force=true", manifest, "application/apply-patch+yaml");

    public Task MergeAsync(string path, string patch) => SendAsync(HttpMethod.Patch, path, patch, "application/merge-patch+json");

    public Task CreateAsync(string collection, string manifest) => SendAsync(HttpMethod.Post, collection, manifest, "application/json");

    public Task DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null, "application/json");

    public void Dispose() => client.Dispose();

    private async Task SendAsync(HttpMethod method, string path, string? body, string contentType)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        using var answer = await client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
