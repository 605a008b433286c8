using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Starter.Certificates;

/// <summary>Which pods speak TLS, and how.</summary>
/// <param name="Cluster">A cluster of the sandbox whose pods have addresses of this machine.</param>
/// <param name="Space">The namespace whose pods they are.</param>
/// <param name="Port">Where every pod speaks TLS.</param>
/// <param name="ServerName">What clients ask for.</param>
/// <param name="Mutual">Whether pods want to see each other's certificates; then each is the client of others. Otherwise clients are somebody else, who trusts what is published.</param>
/// <param name="IsRevoked">Whether the authority has revoked a certificate, by its serial number: a careful client asks.</param>
internal sealed record TlsPodsOptions(KubernetesConnection Cluster, string Space, int Port, string ServerName, bool Mutual, Func<string, Task<bool>> IsRevoked);

/// <summary>For every pod that takes a Secret with a certificate a TLS server at the pod's own address, which serves what the Secret held when the pod began, or what it holds now; and a client of each
/// that makes handshakes all the time. For tests and demonstrations.</summary>
internal sealed class TlsPods : IAsyncDisposable
{
    private const string WorkloadLabel = "app.kubernetes.io/name";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<string, TlsPod> servers = [];
    private readonly TlsPodsOptions options;
    private readonly LiveObjects objects;
    private readonly TlsSecrets secrets;
    private readonly TimeProvider time = TimeProvider.System;
    private readonly Task watching;
    private long handshakes;
    private bool disposed;

    public TlsPods(TlsPodsOptions options)
    {
        (this.options, objects, secrets) = (options, new(options.Cluster), new(options.Cluster));
        watching = Task.Run(WatchAsync);
    }

    /// <summary>Workloads whose pods take up a changed Secret by themselves.</summary>
    public ConcurrentDictionary<string, bool> Reloading { get; } = new();

    /// <summary>Workloads of <see cref="Reloading"/> whose pods go on with the roots that they read when they started.</summary>
    public ConcurrentDictionary<string, bool> KeepingRoots { get; } = new();

    /// <summary>What a workload's pods make of the roots that they are given; null: they trust all of them.</summary>
    public Func<string, string, string>? Reads { get; set; }

    /// <summary>A pod that goes on with what it serves and trusts, whatever happens; null: none.</summary>
    public string? Refusing { get; set; }

    /// <summary>A pod that goes on with the certificate that it serves, and takes up whom to trust; null: none.</summary>
    public string? Keeping { get; set; }

    /// <summary>Whether a workload cannot serve a certificate: its pods that start with it are never ready.</summary>
    public Func<string, string, bool>? Breaks { get; set; }

    /// <summary>The pods by name, with what each serves.</summary>
    public IReadOnlyDictionary<string, string?> Served => servers.ToDictionary(server => server.Key, server => server.Value.Serves);

    /// <summary>Handshakes that failed, and why.</summary>
    public ConcurrentQueue<string> Failures { get; } = [];

    /// <summary>Handshakes that worked.</summary>
    public long Handshakes => Interlocked.Read(ref handshakes);

    /// <summary>Every private key that was seen in a Secret.</summary>
    public ConcurrentDictionary<string, bool> Keys { get; } = [];

    /// <summary>The pods that serve now.</summary>
    public ICollection<string> Names => servers.Keys;

    /// <summary>Shows every pod a certificate; the names of those that accept it.</summary>
    public async Task<IReadOnlyList<string>> AcceptAsync(X509Certificate2 identity, CancellationToken ct)
    {
        var accepting = new List<string>();
        foreach (var (name, server) in servers)
        {
            if ((await TrustProbe.AskAsync(server.Address, options.Port, options.ServerName, identity, ct)).Accepts != false)
                accepting.Add(name);
        }

        return accepting;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
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
            try
            {
                await LookAsync(stop.Token);
                await Task.Delay(Pause, time, stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var pods = (await objects.ListAsync(new("v1", "Pod"), options.Space, "", ct))
            .Where(pod => pod.Manifest["metadata"]!["deletionTimestamp"] is null && pod.Manifest["status"]?["podIP"] is not null && SecretOf(pod.Manifest) is not null).ToList();
        foreach (var users in pods.GroupBy(pod => SecretOf(pod.Manifest)!))
        {
            if (await secrets.FindAsync(options.Space, users.Key, ct) is { Certificate: { } certificate, Key: { } key } secret)
                Follow(users, certificate, key.Reveal(), secret.Authorities ?? "");
        }

        foreach (var name in servers.Keys.Except(pods.Select(pod => pod.Address.Name)).ToList())
        {
            if (servers.TryRemove(name, out var gone))
                await gone.DisposeAsync();
        }
    }

    /// <summary>The Secret that it has as files; null: none.</summary>
    private static string? SecretOf(JsonObject pod) =>
        (pod["spec"]?["volumes"] as JsonArray ?? []).Select(volume => (string?)volume?["secret"]?["secretName"]).FirstOrDefault(name => name is not null);

    private void Follow(IEnumerable<ObservedObject> pods, string certificate, string key, string published)
    {
        Keys[key] = true;
        foreach (var pod in pods)
        {
            var (name, workload) = (pod.Address.Name, (string?)pod.Manifest["metadata"]!["labels"]?[WorkloadLabel] ?? "");
            var authorities = Reads?.Invoke(workload, published) ?? published;
            var reloads = Reloading.ContainsKey(workload) && Refusing != name;
            if (!servers.TryGetValue(name, out var server))
                servers[name] = server = new((string)pod.Manifest["status"]!["podIP"]!, authorities, options, Made, why => Failures.Enqueue($"{name}: {why}"), Another);
            if ((server.Serves is null || (reloads && Keeping != name)) && Breaks?.Invoke(workload, certificate) != true)
                server.Serve(certificate, key);
            // Clients of pods that do not look at each other are somebody else, and up to date.
            if (!options.Mutual || (reloads && !KeepingRoots.ContainsKey(workload)))
                server.Trust(authorities);
        }
    }

    /// <summary>Somebody to talk to.</summary>
    private TlsPod? Another(TlsPod from)
    {
        var ready = servers.Values.Where(server => server != from && server.Serves is not null).ToList();
        return ready.Count == 0 ? null : ready[Random.Shared.Next(ready.Count)];
    }

    private void Made() => Interlocked.Increment(ref handshakes);
}
