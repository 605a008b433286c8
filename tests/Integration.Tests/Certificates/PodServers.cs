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

    /// <summary>Whether a workload cannot serve a certificate: its pods that start with it are never ready.</summary>
    public Func<string, string, bool>? Breaks { get; set; }

    /// <summary>The pods by name, with what each serves.</summary>
    public IReadOnlyDictionary<string, string?> Served => servers.ToDictionary(server => server.Key, server => server.Value.Serves);

    /// <summary>Shows every pod a certificate; the names of those that accept it.</summary>
    public async Task<IReadOnlyList<string>> AcceptAsync(System.Security.Cryptography.X509Certificates.X509Certificate2 identity)
    {
        var accepting = new List<string>();
        foreach (var (name, server) in servers)
        {
            if ((await PlatformOps.Adapters.Certificates.TrustProbe.AskAsync(server.Address, CertificateWorld.Port, CertificateWorld.ServerName, identity, CancellationToken.None)).Accepts != false)
                accepting.Add(name);
        }

        return accepting;
    }

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
            foreach (var secret in pods.Keys.Select(name => world.SecretOf(Workload(name))).Distinct().ToList())
            {
                if ((await world.SecretAsync(secret))?["data"] is { } data && data["tls.crt"] is not null)
                    Follow(pods.Where(pod => world.SecretOf(Workload(pod.Key)) == secret), CertificateWorld.Text(data["tls.crt"]), CertificateWorld.Text(data["tls.key"]), CertificateWorld.Text(data["ca.crt"]));
            }

            foreach (var name in servers.Keys.Where(name => !pods.ContainsKey(name)).ToList())
            {
                if (servers.TryRemove(name, out var gone))
                    await gone.DisposeAsync();
            }

            await Task.WhenAny(Task.Delay(Pause, stop.Token));
        }
    }

    private static string Workload(string pod) => pod.Split('-')[0];

    private void Follow(IEnumerable<KeyValuePair<string, JsonObject>> pods, string certificate, string key, string authorities)
    {
        Keys[key] = true;
        foreach (var (name, pod) in pods)
        {
            var reloads = Reloading.ContainsKey(Workload(name)) && Refusing != name;
            if (!servers.TryGetValue(name, out var server))
                servers[name] = server = new((string)pod["status"]!["podIP"]!, authorities, Made, why => Failures.Enqueue($"{name}: {why}"), Another, world);
            if ((server.Serves is null || reloads) && Breaks?.Invoke(Workload(name), certificate) != true)
                server.Serve(certificate, key);
            // Clients of pods that do not look at each other are somebody else, and up to date.
            if (!world.Mutual || reloads)
                server.Trust(authorities);
        }
    }

    /// <summary>Somebody to talk to.</summary>
    private PodServer? Another(PodServer from)
    {
        var ready = servers.Values.Where(server => server != from && server.Serves is not null).ToList();
        return ready.Count == 0 ? null : ready[Random.Shared.Next(ready.Count)];
    }

    private void Made() => Interlocked.Increment(ref handshakes);
}
