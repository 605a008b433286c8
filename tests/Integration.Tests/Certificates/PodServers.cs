using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace PlatformOps.Integration.Tests.Certificates;

/// <summary>For every pod of the world's namespace a TLS server at the pod's own address, which serves what the Secret held when the pod began, or what it holds now;
/// and a client of each that makes handshakes all the time.</summary>
internal sealed class PodServers : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<string, PodServer> servers = [];
    private readonly CertificateWorld world;
    private readonly Task watching;
    private long handshakes;

    public PodServers(CertificateWorld world)
    {
        this.world = world;
        watching = WatchAsync();
    }

    /// <summary>Workloads whose pods take up a changed Secret by themselves.</summary>
    public ConcurrentDictionary<string, bool> Reloading { get; } = new() { ["web"] = true };

    /// <summary>A pod that goes on with what it serves, whatever happens; null: none.</summary>
    public string? Refusing { get; set; }

    /// <summary>Handshakes that failed, and why.</summary>
    public ConcurrentQueue<string> Failures { get; } = [];

    /// <summary>Handshakes that worked.</summary>
    public long Handshakes => Interlocked.Read(ref handshakes);

    /// <summary>Every private key that was seen in the Secret.</summary>
    public ConcurrentDictionary<string, bool> Keys { get; } = [];

    /// <summary>The pods that serve now.</summary>
    public ICollection<string> Names => servers.Keys;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        foreach (var server in servers.Values)
            await server.DisposeAsync();
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var pods = (await world.Kubectl.GetAsync($"/api/v1/namespaces/{world.Platform.Space}/pods"))?["items"]?.AsArray().OfType<JsonObject>()
                .Where(pod => pod["metadata"]!["deletionTimestamp"] is null && pod["status"]?["podIP"] is not null).ToDictionary(pod => (string)pod["metadata"]!["name"]!) ?? [];
            if ((await world.SecretAsync())?["data"] is { } data && data["tls.crt"] is not null)
                Follow(pods, CertificateWorld.Text(data["tls.crt"]), CertificateWorld.Text(data["tls.key"]), CertificateWorld.Text(data["ca.crt"]));
            foreach (var name in servers.Keys.Where(name => !pods.ContainsKey(name)).ToList())
            {
                if (servers.TryRemove(name, out var gone))
                    await gone.DisposeAsync();
            }

            await Task.WhenAny(Task.Delay(Pause, stop.Token));
        }
    }

    private void Follow(Dictionary<string, JsonObject> pods, string certificate, string key, string authorities)
    {
        Keys[key] = true;
        foreach (var (name, pod) in pods)
        {
            var workload = name.Split('-')[0];
            if (!servers.TryGetValue(name, out var server))
                servers[name] = server = new((string)pod["status"]!["podIP"]!, authorities, Made, why => Failures.Enqueue($"{name}: {why}"), world);
            if (server.Serves is null || (Reloading.ContainsKey(workload) && Refusing != name))
                server.Serve(certificate, key);
            server.Trust(authorities);
        }
    }

    private void Made() => Interlocked.Increment(ref handshakes);
}
