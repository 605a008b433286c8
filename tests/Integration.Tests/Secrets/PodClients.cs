using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PlatformOps.Integration.Tests.Kubernetes;

namespace PlatformOps.Integration.Tests.Secrets;

/// <summary>For every pod of a namespace a client that logs in again and again, with what the Kubernetes Secret held when the pod began.</summary>
internal sealed class PodClients : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<string, (CancellationTokenSource Stop, Task Running)> clients = [];
    private readonly ConcurrentQueue<string> refusals = [];
    private readonly RotationWorld world;
    private readonly KubectlLike kubectl;
    private readonly Task watching;
    private long logins, late;

    public PodClients(RotationWorld world, TestCluster cluster)
    {
        (this.world, kubectl) = (world, new(cluster));
        watching = WatchAsync();
    }

    /// <summary>Logins that were refused, by whom.</summary>
    public IReadOnlyCollection<string> Refusals => refusals;

    /// <summary>How often a client was refused whose pod was gone already, which a busy machine did not notice at once.</summary>
    public long Late => Interlocked.Read(ref late);

    /// <summary>Logins that worked.</summary>
    public long Logins => Interlocked.Read(ref logins);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await watching;
        foreach (var (ended, running) in clients.Values)
        {
            await ended.CancelAsync();
            await running;
            ended.Dispose();
        }

        kubectl.Dispose();
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var pods = (await kubectl.GetAsync($"/api/v1/namespaces/{world.Platform.Space}/pods"))?["items"]?.AsArray().OfType<JsonObject>()
                .Where(pod => pod["metadata"]!["deletionTimestamp"] is null).Select(pod => (string)pod["metadata"]!["name"]!).ToHashSet() ?? [];
            foreach (var name in pods.Where(name => !clients.ContainsKey(name)))
            {
                var (login, password) = await world.PublishedAsync();
                var ended = new CancellationTokenSource();
                clients[name] = (ended, ClientAsync(name, login, password, ended.Token));
            }

            foreach (var name in clients.Keys.Where(name => !pods.Contains(name)).ToList())
            {
                await clients[name].Stop.CancelAsync();
                await clients[name].Running;
                clients[name].Stop.Dispose();
                clients.Remove(name);
            }

            await Task.WhenAny(Task.Delay(20, stop.Token));
        }
    }

    private async Task ClientAsync(string pod, string login, string password, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await world.Subject.LetsInAsync(login, password, pod))
                    Interlocked.Increment(ref logins);
                else if (await kubectl.GetAsync($"/api/v1/namespaces/{world.Platform.Space}/pods/{pod}") is { } there && there["metadata"]!["deletionTimestamp"] is null)
                    refusals.Enqueue($"{pod} as {login}");
                else
                    Interlocked.Increment(ref late);

                await Task.Delay(20, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
