using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Certificates;
using PlatformOps.Sandbox.Behaviours.Reconciling;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>
/// Pods that serve TLS: a running one that has a Secret with a certificate as files, and a container port named <c>https</c>, makes handshakes there, at its own address, with what the Secret held when it started. One
/// without such files is an ingress controller's: it serves what the Secrets of the Ingresses hold at that moment, each for its hosts. Only where pods have addresses of this machine (<c>127</c>).
/// </summary>
internal sealed class TlsPodController : Controller
{
    private const string PortName = "https", Loopback = "127.";

    private readonly ConcurrentDictionary<ObjectKey, TlsPodListener> listeners = new();

    public TlsPodController(Cluster cluster, BehaviourOptions options) : base(cluster, options)
    {
        if (!options.PodNetwork.StartsWith(Loopback, StringComparison.Ordinal))
            return;
        For(Resources.Pods);
        // A certificate may come after the pod.
        On(Resources.Secrets, change => cluster.Of(Resources.Pods).All.Where(pod => pod.Namespace == change.Latest.Namespace && SecretOf(pod) == change.Latest.Name).Select(pod => pod.Key));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var listener in listeners.Values)
            await listener.DisposeAsync();
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var pod = Cluster.Of(Resources.Pods).Find(key);
        if (listeners.TryGetValue(key, out var listening))
        {
            if (pod is { Deleting: false } && pod.Uid == listening.Uid && ContainerStatuses.AnyRunning(pod))
                return;
            listeners.TryRemove(key, out _);
            await listening.DisposeAsync();
        }

        if (pod is not { Deleting: false } || !ContainerStatuses.AnyRunning(pod) || pod.Status.Text("podIP") is not { } address || PortOf(pod) is not { } port)
            return;
        if (SecretOf(pod) is not { } name)
            listeners[key] = new(pod.Uid, address, port, OfIngress);
        else if (Cluster.Of(Resources.Secrets).Find(key.Namespace, name) is { } secret && IssuedCertificate.ReadWithKey(secret) is { } read && TlsPodListener.Loaded(read) is { } identity)
            listeners[key] = new(pod.Uid, address, port, _ => identity);
    }

    /// <summary>What an Ingress says for a host; null: none does.</summary>
    private X509Certificate2? OfIngress(string host) =>
        Cluster.Of(Resources.Ingresses).All.SelectMany(ingress => ingress.Spec.Items("tls").Where(tls => (tls.At("hosts") as JsonArray ?? []).Any(named => (string?)named == host)).Select(tls => (ingress.Namespace, Secret: tls.Text("secretName") ?? "")))
            .Select(at => Cluster.Of(Resources.Secrets).Find(at.Namespace, at.Secret)).OfType<ClusterObject>().Select(IssuedCertificate.ReadWithKey).OfType<X509Certificate2>().Select(TlsPodListener.Loaded).FirstOrDefault();

    private static int? PortOf(ClusterObject pod) =>
        pod.Spec.Items("containers").SelectMany(container => container.Items("ports")).Where(port => port.Text("name") == PortName).Select(port => port.Number("containerPort")).FirstOrDefault();

    private static string? SecretOf(ClusterObject pod) => pod.Spec.Items("volumes").Select(volume => volume.At("secret").Text("secretName")).FirstOrDefault(name => name is not null);
}
