using System.Collections.Concurrent;
using PlatformOps.Sandbox.Behaviours.Access;
using PlatformOps.Sandbox.Behaviours.Reconciling;
using PlatformOps.Sandbox.Behaviours.Workloads;

namespace PlatformOps.Sandbox.Behaviours.Pods;

/// <summary>Plays every node's kubelet: pods that got to a node run after a while, or go wrong as told, and those that were deleted stop.</summary>
internal sealed class Kubelet : Controller
{
    private static readonly TimeSpan StopTime = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _started = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _stopping = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _nextCrash = new();
    private readonly PodAddresses _addresses;

    public Kubelet(Cluster cluster, BehaviourOptions options) : base(cluster, options, workers: 4)
    {
        _addresses = new(cluster.Of(Resources.Pods), options.PodNetwork);
        cluster.Of(Resources.Pods).Changed += change =>
        {
            if (change.After is null)
                Forget(change.Latest.Uid);
        };
        For(Resources.Pods);
    }

    /// <summary>Looks at every pod again, because what it was told about misbehaviours may have changed.</summary>
    public void Reconsider()
    {
        foreach (var pod in Cluster.Of(Resources.Pods).All)
            Look(pod.Key);
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (Cluster.Of(Resources.Pods).Find(key) is not { } pod)
            return;
        if (pod.Deleting)
            await StopAsync(pod, ct);
        else if (pod.Spec.Text("nodeName") is { } node && !PodState.IsFinished(pod))
            await RunAsync(pod, node, ct);
    }

    private async Task RunAsync(ClusterObject pod, string node, CancellationToken ct)
    {
        var workload = WorkloadOf.Name(Cluster, pod);
        var wrong = Options.Misbehaviour(pod.Namespace, workload);
        var delay = Options.Scaled(ReadyTimes.Of(Options.Seed, pod.Namespace, workload));
        if (wrong == MisbehaviourKind.Slow)
            delay *= ReadyTimes.SlowFactor;
        // A restart of the behaviours does not start the wait anew.
        var started = _started.GetOrAdd(pod.Uid, _ => pod.Status.Time("startTime") ?? Now);
        var hostIp = Cluster.Of(Resources.Nodes).Find("", node)?.Status.Item("addresses", "type", "InternalIP").Text("address") ?? "10.0.0.1";
        var outlook = new PodOutlook(Now, started, delay, wrong, NextCrash(pod), pod.Spec.Flag("hostNetwork") ? hostIp : _addresses.Of(pod));
        var step = PodStep.Next(outlook, ContainerStatuses.AnyRunning(pod), pod.Spec.Text("restartPolicy") ?? "Always");
        if (step.Again is { } again)
            LookAgain(pod.Key, again);
        var patched = await Cluster.PatchStatusAsync(pod, PodStatus.Of(pod, step.Stage, outlook, hostIp), ct);
        if (step.Stage == PodStage.Crashed && ContainerStatuses.Restarts(patched) > ContainerStatuses.Restarts(pod))
            _nextCrash[pod.Uid] = Now + Backoff(patched);
        else if (step.Stage != PodStage.Crashed)
            _nextCrash.TryRemove(pod.Uid, out _);
    }

    private DateTimeOffset? NextCrash(ClusterObject pod)
    {
        if (_nextCrash.TryGetValue(pod.Uid, out var known))
            return known;
        // Found crashed after a restart of the behaviours: it waits its time, then crashes again.
        return ContainerStatuses.AnyCrashed(pod) ? _nextCrash[pod.Uid] = Now + Backoff(pod) : null;
    }

    private TimeSpan Backoff(ClusterObject pod)
    {
        var backoff = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(10, ContainerStatuses.Restarts(pod) - 1)));
        var scaled = Options.Scaled(backoff < LongestBackoff ? backoff : LongestBackoff);
        return scaled > Scheduler.Recheck ? scaled : Scheduler.Recheck;
    }

    private async Task StopAsync(ClusterObject pod, CancellationToken ct)
    {
        // Nothing is left to do for a pod that only its finalizers keep.
        if (pod.Metadata.Number("deletionGracePeriodSeconds") == 0 && pod.Finalizers.Count > 0)
            return;
        var left = ContainerStatuses.AnyRunning(pod)
            ? _stopping.GetOrAdd(pod.Uid, _ => Now) + Options.Scaled(StopTime) - Now
            : TimeSpan.Zero;
        if (left > TimeSpan.Zero)
            LookAgain(pod.Key, left);
        else
            await Cluster.DeleteAsync(pod, ct, graceSeconds: 0);
    }

    private void Forget(string uid)
    {
        _started.TryRemove(uid, out _);
        _stopping.TryRemove(uid, out _);
        _nextCrash.TryRemove(uid, out _);
    }
}
