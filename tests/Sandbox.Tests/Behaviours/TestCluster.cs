using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours;
using PlatformOps.Sandbox.Behaviours.Access;

namespace PlatformOps.Sandbox.Tests.Behaviours;

/// <summary>An API server and what tests do with it: apply YAML, wait, make workloads misbehave.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly IAsyncDisposable _server;
    private readonly Func<HttpMessageHandler?> _handler;
    private readonly string? _token;
    private int _spaces;

    public TestCluster(IAsyncDisposable server, Uri api, string? token, Func<HttpMessageHandler?> handler)
    {
        (_server, Api, _token, _handler) = (server, api, token, handler);
        Client = new(api, token, handler());
    }

    public Uri Api { get; }

    public ClusterClient Client { get; }

    public ConcurrentDictionary<(string Namespace, string Workload), MisbehaviourKind> Misbehaviours { get; } = new();

    /// <summary>What reconciles failed with, for messages.</summary>
    public ConcurrentQueue<string> Troubles { get; } = new();

    public BehaviourOptions Options(double timeScale = 0.02, TimeProvider? clock = null, int seed = 1) =>
        new(Api, _token, seed, timeScale, clock ?? TimeProvider.System,
            (space, workload) => Misbehaviours.TryGetValue((space, workload), out var kind) ? kind : null)
        {
            Handler = _handler(),
            Trouble = Troubles.Enqueue,
        };

    /// <summary>A namespace that no other test uses.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = $"test-{Interlocked.Increment(ref _spaces)}";
        await Client.CreateAsync(Resources.Namespaces, "", new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } }, default);
        return name;
    }

    public async Task<ClusterObject> CreateAsync(ApiResource resource, string space, string yaml)
    {
        var body = Yaml.Read(yaml);
        body["apiVersion"] = resource.ApiVersion;
        body["kind"] = resource.Kind;
        return await Client.CreateAsync(resource, space, body, default);
    }

    public async Task<ClusterObject> PatchAsync(ApiResource resource, string space, string name, string patch)
    {
        var target = await GetAsync(resource, space, name);
        return await Client.PatchAsync(target, Yaml.Read(patch), null, default);
    }

    public async Task<ClusterObject> GetAsync(ApiResource resource, string space, string name) =>
        await Client.FindAsync(resource, space, name, default) ?? throw new InvalidOperationException($"{resource} {space}/{name} does not exist.");

    public async Task<IReadOnlyList<ClusterObject>> ListAsync(ApiResource resource, string space) =>
        [.. (await Client.ListAsync(resource, default)).Items.Where(item => item.Namespace == space).OrderBy(item => item.Name, StringComparer.Ordinal)];

    public Task<IReadOnlyList<ClusterObject>> PodsAsync(string space) => ListAsync(Resources.Pods, space);

    /// <summary>Waits until an object is as it should be, and returns it; fails with how it was last.</summary>
    public async Task<ClusterObject> UntilAsync(ApiResource resource, string space, string name, Func<ClusterObject, bool> condition)
    {
        ClusterObject? last = null;
        await UntilAsync(async () => (last = await Client.FindAsync(resource, space, name, default)) is not null && condition(last),
            () => $"{resource} {space}/{name} was last: {last?.Body.ToJsonString()}");
        return last!;
    }

    public async Task UntilAsync(Func<Task<bool>> condition, Func<string>? state = null)
    {
        for (var waited = Stopwatch.StartNew(); !await condition(); await Task.Delay(20, TestContext.Current.CancellationToken))
            if (waited.Elapsed > Patience)
                Assert.Fail($"Not within {Patience.TotalSeconds:0} s. {state?.Invoke()}\nTroubles: {string.Join("\n", Troubles.TakeLast(10))}");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }
}
