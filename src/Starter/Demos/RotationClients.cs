using System.Collections.Concurrent;

namespace PlatformOps.Starter.Demos;

/// <summary>For every pod of the demo's Deployments, and every login that it uses, a client that logs in again and again with what the Secret held when the pod began.</summary>
internal sealed class RotationClients : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Of all clients together: a login is a new process of PostgreSQL and thousands of rounds of hashing, and what is measured is not how long those take.</summary>
    private const double LoginsPerSecond = 100;

    /// <summary>Of one client between two logins.</summary>
    private TimeSpan Pause => TimeSpan.FromSeconds(Math.Max(1, Pods) / LoginsPerSecond);

    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<(string Pod, string Login), (CancellationTokenSource Stop, Task Running)> clients = [];
    private readonly ConcurrentQueue<string> refusals = [];
    private readonly RotationDemoWorld world;
    private readonly TimeProvider clock;
    private readonly Task watching;
    private long logins;
    private bool disposed;

    public RotationClients(RotationDemoWorld world, TimeProvider clock)
    {
        (this.world, this.clock) = (world, clock);
        watching = Task.Run(WatchAsync);
    }

    /// <summary>Logins that worked.</summary>
    public long Logins => Interlocked.Read(ref logins);

    /// <summary>Who was refused.</summary>
    public IReadOnlyCollection<string> Refusals => refusals;

    /// <summary>How many pods there are.</summary>
    public int Pods { get; private set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await stop.CancelAsync();
        await watching;
        foreach (var client in clients.Keys.ToList())
            await EndAsync(client);
        stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync();
                await Task.Delay(Between, clock, stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task LookAsync()
    {
        var pods = await world.PodsAsync(stop.Token);
        var there = world.Logins.SelectMany(login => login.Value.SelectMany(deployment => pods[deployment]).Select(pod => (Pod: pod, Login: login.Key))).ToHashSet();
        Pods = there.Select(client => client.Pod).Distinct().Count();
        foreach (var client in there.Where(client => !clients.ContainsKey(client)))
        {
            var published = await world.PublishedAsync(client.Login, stop.Token);
            var ended = new CancellationTokenSource();
            clients[client] = (ended, Task.Run(() => LogInAsync(client.Pod, published, ended.Token)));
        }

        foreach (var gone in clients.Keys.Where(client => !there.Contains(client)).ToList())
            await EndAsync(gone);
    }

    private async Task EndAsync((string, string) client)
    {
        var (ended, running) = clients[client];
        clients.Remove(client);
        await ended.CancelAsync();
        await running;
        ended.Dispose();
    }

    private async Task LogInAsync(string pod, (string Login, string Password) with, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await world.Postgres.LetsInAsync(with.Login, with.Password, pod, ct))
                    Interlocked.Increment(ref logins);
                else
                    refusals.Enqueue($"{pod} as {with.Login}");
                await Task.Delay(Pause, clock, ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
