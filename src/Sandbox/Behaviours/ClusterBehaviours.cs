using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Backups;
using PlatformOps.Sandbox.Behaviours.Certificates;
using PlatformOps.Sandbox.Behaviours.Custom;
using PlatformOps.Sandbox.Behaviours.Garbage;
using PlatformOps.Sandbox.Behaviours.GitOps;
using PlatformOps.Sandbox.Behaviours.Namespaces;
using PlatformOps.Sandbox.Behaviours.Pods;
using PlatformOps.Sandbox.Behaviours.Quotas;
using PlatformOps.Sandbox.Behaviours.Reconciling;
using PlatformOps.Sandbox.Behaviours.Secrets;
using PlatformOps.Sandbox.Behaviours.Traffic;
using PlatformOps.Sandbox.Behaviours.Volumes;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours;

/// <summary>
/// Brings a Kubernetes API server to life: plays the controllers, the scheduler and the kubelets of a cluster, through the API alone. What it
/// finds it takes over: nothing is kept outside the API, so it can stop and start again at any time.
/// </summary>
internal sealed class ClusterBehaviours : IAsyncDisposable
{
    private readonly List<Controller> _controllers = [];

    private ClusterBehaviours(Cluster cluster) => Cluster = cluster;

    /// <summary>The cluster as the behaviours see it.</summary>
    public Cluster Cluster { get; }

    /// <summary>Whether nothing is left to do now. What is due later does not count.</summary>
    public bool Idle => _controllers.TrueForAll(controller => controller.Idle);

    /// <summary>
    /// Returns when the first lists are read and all controllers are at work. Throws <see cref="HttpRequestException"/> when the API does not
    /// answer and <see cref="ClusterError"/> when it refuses.
    /// </summary>
    public static async Task<ClusterBehaviours> StartAsync(BehaviourOptions options, CancellationToken ct)
    {
        var behaviours = new ClusterBehaviours(new(new(options.Api, options.Token, options.Handler)));
        try
        {
            await behaviours.RunAsync(options, ct);
            return behaviours;
        }
        catch
        {
            await behaviours.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Asks about misbehaviours again, for every pod and now. Pods that misbehave are asked about once a second anyway; those that are well
    /// are not.
    /// </summary>
    public void Reconsider()
    {
        foreach (var scheduler in _controllers.OfType<Scheduler>())
            scheduler.Reconsider();
        foreach (var kubelet in _controllers.OfType<Kubelet>())
            kubelet.Reconsider();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var controller in _controllers)
            await controller.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private async Task RunAsync(BehaviourOptions options, CancellationToken ct)
    {
        await Cluster.DiscoverAsync(ct);
        _controllers.AddRange(Controllers(options));
        await Task.WhenAll(Cluster.Caches.Select(cache => cache.StartAsync(ct)));
        await SandboxNodes.EnsureAsync(Cluster, options.TimeProvider, ct);
        foreach (var controller in _controllers)
            controller.Start();
    }

    private IEnumerable<Controller> Controllers(BehaviourOptions options)
    {
        var garbage = new GarbageCollector(Cluster, options);
        return
        [
            new DeploymentController(Cluster, options),
            new ReplicaSetController(Cluster, options),
            new StatefulSetController(Cluster, options),
            new DaemonSetController(Cluster, options),
            new JobController(Cluster, options),
            new Scheduler(Cluster, options),
            new Kubelet(Cluster, options),
            new TlsPodController(Cluster, options),
            new VolumeController(Cluster, options),
            new QuotaController(Cluster, options),
            new EndpointsController(Cluster, options),
            .. Cluster.Serves(Resources.EndpointSlices) ? [new EndpointSliceController(Cluster, options)] : Array.Empty<Controller>(),
            new ServiceAccountController(Cluster, options),
            new NamespaceController(Cluster, options),
            garbage,
            new CustomKinds(Cluster, options, garbage.Reconsider),
            new ApplicationController(Cluster, options),
            new IssuerController(Cluster, options, "Issuer"),
            new IssuerController(Cluster, options, "ClusterIssuer"),
            new CertificateController(Cluster, options),
            new ExternalSecretController(Cluster, options),
            new VeleroRunController(Cluster, options, "Backup"),
            new VeleroRunController(Cluster, options, "Restore"),
            .. SettledKind.ReadAll().Select(kind => new SettledKindController(Cluster, options, kind)),
        ];
    }
}
