using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Adapters.External;
using PlatformOps.Integration.Tests.Aws;
using PlatformOps.Sandbox.External;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>An Elasticsearch with three indices, and a bucket for what is kept of it.</summary>
internal sealed class SearchWorld : IAsyncDisposable
{
    public static readonly string[] Indices = ["orders", "temporal_visibility_v1", "users"];

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-search-").FullName;
    private readonly IDisposable bucket;
    private readonly string name;
    private readonly HttpClient client;

    private SearchWorld(ExternalStandIn server, IDisposable bucket, StoredObjects objects, string name)
    {
        (Server, this.bucket, Objects, this.name) = (server, bucket, objects, name);
        File.WriteAllText(TokenFile, server.Token);
        client = new()
        {
            BaseAddress = server.Address("elasticsearch"),
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{server.Token}"))) },
        };
    }

    public ExternalStandIn Server { get; }

    public SearchStorage Storage => Server.Snapshots;

    public StoredObjects Objects { get; }

    /// <summary>How the stores see the cluster; for another one it is the quarantine.</summary>
    public ExternalAccess Access => AccessTo(Server);

    public string TokenFile => Path.Combine(folder, "token");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<SearchWorld> StartAsync(SandboxAws aws)
    {
        var (server, connection, name) = (await ExternalStandIn.StartAsync(ct: Ct), aws.Connect(), $"backups-{Guid.NewGuid():N}"[..20]);
        await new Buckets(connection).EnsureAsync(new() { Name = name }, new("test", "production", "backups"), "op-1", Ct);
        var world = new SearchWorld(server, connection, new(connection, name), name);
        foreach (var index in Indices)
        {
            await world.CreateAsync(index);
            for (var number = 1; number <= 3; number++)
                await world.WriteAsync(index, $"{number}");
        }

        return world;
    }

    /// <param name="quarantine">Where sets are proved; null: in the same cluster.</param>
    public SearchStore Store(TimeProvider? time = null, ExternalStandIn? quarantine = null) => new(
        _ => Task.FromResult(Cluster(Server)), quarantine is null ? null : _ => Task.FromResult(Cluster(quarantine)), new("platformops-production-search", name, "production/repository/search", "default"),
        new(Objects, name, "production/sets/search/"), "production/search", "production", "us-east-1", time ?? TimeProvider.System);

    public ElasticsearchCluster Cluster(ExternalStandIn server)
    {
        var connections = new PlatformConnections { Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { External = new Dictionary<string, ExternalAccess> { ["elasticsearch"] = AccessTo(server) } } } };
        using var services = new ExternalServices(connections, "us-east-1");
        return services.Elasticsearch(server.Address("elasticsearch"), null);
    }

    public Task CreateAsync(string index) => SendAsync(HttpMethod.Put, index, new JsonObject { ["settings"] = new JsonObject { ["index"] = new JsonObject { ["number_of_shards"] = 2, ["number_of_replicas"] = 1 } } });

    public Task WriteAsync(string index, string id) => SendAsync(HttpMethod.Put, $"{index}/_doc/{id}", new JsonObject { ["id"] = id });

    public async Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Names of the indices that are there, hidden ones too.</summary>
    public async Task<IReadOnlyList<string>> ListAsync() => [.. (await SendAsync(HttpMethod.Get, "_cat/indices?format=json&h=index&expand_wildcards=all"))!.AsArray().Select(row => (string)row!["index"]!)];

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        bucket.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private ExternalAccess AccessTo(ExternalStandIn server)
    {
        var file = Path.Combine(folder, $"token-{server.Token[..8]}");
        File.WriteAllText(file, server.Token);
        return new(server.Address("elasticsearch").AbsoluteUri, file, User: "admin");
    }
}
