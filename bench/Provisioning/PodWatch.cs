using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace PlatformOps.Bench.Provisioning;

/// <summary>Sees on the wire of every region when pods appear and when they are ready or done, with a finer clock than their own timestamps have.</summary>
internal sealed class PodWatch : IAsyncDisposable
{
    private readonly IReadOnlyList<RegionPods> regions;

    private PodWatch(IReadOnlyList<RegionPods> regions) => this.regions = regions;

    /// <summary>Begins when <paramref name="up"/> has said how its clusters are reached.</summary>
    public static async Task<PodWatch> StartAsync(string data, UpProcess up)
    {
        // The last file that it writes before it provisions.
        while (!File.Exists(Path.Combine(data, "running.json")))
        {
            if (up.HasEnded)
                throw new InvalidOperationException("up has ended before it announced itself.");
            await Task.Delay(5);
        }

        return new([.. Directory.GetFiles(data, "*.kubeconfig").Select(file =>
            new RegionPods(Path.GetFileNameWithoutExtension(file), new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(file))))]);
    }

    /// <summary>By step, <c>component@region</c>: from its first pod's appearance to its last pod's readiness, in seconds.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ReadySecondsByStepAsync()
    {
        var all = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var region in regions)
        {
            foreach (var (step, seconds) in await region.ReadySecondsAsync())
                all[step] = seconds;
        }

        return all;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var region in regions)
            await region.DisposeAsync();
    }
}

/// <summary>The pods of one region's cluster.</summary>
internal sealed class RegionPods : IAsyncDisposable
{
    private const string ComponentLabel = "platformops.io/component", InstanceLabel = "app.kubernetes.io/instance";

    private readonly ConcurrentDictionary<(string Namespace, string Name), Sighting> pods = new();
    private readonly ConcurrentDictionary<(string Namespace, string Workload), string> components = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly string region;
    private readonly Kubernetes client;
    private readonly Task watching;

    public RegionPods(string region, Kubernetes client)
    {
        (this.region, this.client) = (region, client);
        watching = Task.WhenAll(
            FollowAsync(client.CoreV1.WatchListPodForAllNamespacesAsync(cancellationToken: stopping.Token), See),
            FollowAsync(client.AppsV1.WatchListDeploymentForAllNamespacesAsync(cancellationToken: stopping.Token), Know),
            FollowAsync(client.AppsV1.WatchListStatefulSetForAllNamespacesAsync(cancellationToken: stopping.Token), Know),
            FollowAsync(client.AppsV1.WatchListDaemonSetForAllNamespacesAsync(cancellationToken: stopping.Token), Know),
            FollowAsync(client.BatchV1.WatchListJobForAllNamespacesAsync(cancellationToken: stopping.Token), Know));
    }

    public async Task<IReadOnlyDictionary<string, double>> ReadySecondsAsync()
    {
        var releases = await ReleasesAsync();
        return pods.Where(pod => pod.Value.Ready is not null)
            .GroupBy(pod => ComponentOf(pod.Key.Namespace, pod.Key.Name) ?? releases.GetValueOrDefault(pod.Value.Instance ?? "") ?? pod.Key.Name)
            .ToDictionary(
                group => $"{group.Key}@{region}",
                group => Math.Round(Stopwatch.GetElapsedTime(group.Min(pod => pod.Value.Seen), group.Max(pod => pod.Value.Ready!.Value)).TotalSeconds, 2));
    }

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
        var sighting = pods.GetOrAdd((pod.Namespace(), pod.Name()), _ => new Sighting(Stopwatch.GetTimestamp(), pod.GetLabel(InstanceLabel)));
        // A pod of a Job is ready while it still works: what waits for the Job waits for the end of it.
        var runsToCompletion = pod.Metadata.OwnerReferences?.Any(owner => owner.Kind == "Job") == true;
        if (pod.Status?.Phase == "Succeeded" || (!runsToCompletion && pod.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true))
            sighting.Ready ??= Stopwatch.GetTimestamp();
    }

    private void Know(IMetadata<V1ObjectMeta> workload)
    {
        if (workload.GetLabel(ComponentLabel) is { } component)
            components[(workload.Namespace(), workload.Name())] = component;
    }

    /// <summary>A pod's name begins with that of its workload.</summary>
    private string? ComponentOf(string space, string pod) => components
        .Where(known => known.Key.Namespace == space && pod.StartsWith($"{known.Key.Workload}-", StringComparison.Ordinal))
        .OrderByDescending(known => known.Key.Workload.Length)
        .Select(known => known.Value)
        .FirstOrDefault();

    /// <summary>What Argo CD makes of a chart carries the release's name, and its Application the component's.</summary>
    private async Task<IReadOnlyDictionary<string, string>> ReleasesAsync()
    {
        var releases = new Dictionary<string, string>();
        JsonElement list;
        try
        {
            list = JsonSerializer.SerializeToElement(await client.CustomObjects.ListClusterCustomObjectAsync("argoproj.io", "v1alpha1", "applications"));
        }
        catch (k8s.Autorest.HttpOperationException failure) when (failure.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return releases;
        }

        foreach (var application in list.GetProperty("items").EnumerateArray())
        {
            var metadata = application.GetProperty("metadata");
            if (!metadata.GetProperty("labels").TryGetProperty(ComponentLabel, out var component))
                continue;
            var source = application.GetProperty("spec").GetProperty("source");
            var name = source.TryGetProperty("helm", out var helm) && helm.TryGetProperty("releaseName", out var release) ? release : metadata.GetProperty("name");
            releases[name.GetString()!] = component.GetString()!;
        }

        return releases;
    }

    private sealed class Sighting(long seen, string? instance)
    {
        public long Seen => seen;

        public string? Instance => instance;

        public long? Ready { get; set; }
    }
}
