using System.Collections.Concurrent;
using System.Diagnostics;
using k8s;
using k8s.Models;

namespace PlatformOps.Bench.Provisioning;

/// <summary>Sees on the wire when pods appear and when they are ready or done, with a finer clock than their own timestamps have.</summary>
internal sealed class PodWatch : IAsyncDisposable
{
    private const string ComponentLabel = "platformops.io/component";

    private readonly ConcurrentDictionary<(string Namespace, string Name), Sighting> pods = new();
    private readonly ConcurrentDictionary<(string Namespace, string Workload), string> components = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Kubernetes client;
    private readonly Task watching;

    private PodWatch(Kubernetes client)
    {
        this.client = client;
        watching = Task.WhenAll(
            FollowAsync(client.CoreV1.WatchListPodForAllNamespacesAsync(cancellationToken: stopping.Token), See),
            FollowAsync(client.AppsV1.WatchListDeploymentForAllNamespacesAsync(cancellationToken: stopping.Token), Know),
            FollowAsync(client.AppsV1.WatchListStatefulSetForAllNamespacesAsync(cancellationToken: stopping.Token), Know),
            FollowAsync(client.BatchV1.WatchListJobForAllNamespacesAsync(cancellationToken: stopping.Token), Know));
    }

    /// <summary>Begins when <paramref name="up"/> has said how its cluster is reached.</summary>
    public static async Task<PodWatch> StartAsync(string data, UpProcess up)
    {
        // The last file that it writes before it provisions.
        while (!File.Exists(Path.Combine(data, "running.json")))
        {
            if (up.HasEnded)
                throw new InvalidOperationException("up has ended before it announced itself.");
            await Task.Delay(5);
        }

        return new PodWatch(new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(data, "us-east-1.kubeconfig"))));
    }

    /// <summary>By component, from its first pod's appearance to its last pod's readiness, in seconds.</summary>
    public IReadOnlyDictionary<string, double> ReadySecondsByComponent() => pods
        .Where(pod => pod.Value.Ready is not null)
        .GroupBy(pod => ComponentOf(pod.Key.Namespace, pod.Key.Name))
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(
            group => group.Key,
            group => Math.Round(Stopwatch.GetElapsedTime(group.Min(pod => pod.Value.Seen), group.Max(pod => pod.Value.Ready!.Value)).TotalSeconds, 2));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        try
        {
            await watching;
        }
        catch (Exception failure) when (failure is OperationCanceledException or HttpRequestException or IOException)
        {
            // That is how watches end.
        }

        client.Dispose();
        stopping.Dispose();
    }

    private static async Task FollowAsync<T>(IAsyncEnumerable<(WatchEventType Type, T Item)> watch, Action<T> see)
    {
        await foreach (var (type, item) in watch)
        {
            if (type is WatchEventType.Added or WatchEventType.Modified)
                see(item);
        }
    }

    private void See(V1Pod pod)
    {
        var sighting = pods.GetOrAdd((pod.Namespace(), pod.Name()), _ => new Sighting(Stopwatch.GetTimestamp()));
        var ready = pod.Status?.Phase == "Succeeded" || pod.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;
        if (ready)
            sighting.Ready ??= Stopwatch.GetTimestamp();
    }

    private void Know(IMetadata<V1ObjectMeta> workload)
    {
        if (workload.GetLabel(ComponentLabel) is { } component)
            components[(workload.Namespace(), workload.Name())] = component;
    }

    /// <summary>A pod's name begins with that of its workload.</summary>
    private string ComponentOf(string space, string pod) => components
        .Where(known => known.Key.Namespace == space && pod.StartsWith($"{known.Key.Workload}-", StringComparison.Ordinal))
        .OrderByDescending(known => known.Key.Workload.Length)
        .Select(known => known.Value)
        .FirstOrDefault(pod);

    private sealed class Sighting(long seen)
    {
        public long Seen => seen;

        public long? Ready { get; set; }
    }
}
