using System.Security.Cryptography.X509Certificates;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Who uses a Secret with a certificate, what each of their pods serves, and how they are restarted for a new one.</summary>
public sealed class CertificateConsumers(KubernetesConnection connection)
{
    /// <summary>The field manager of the annotation: it is no field of the catalog's, so that drift does not find it and an apply does not take it away.</summary>
    private const string FieldManager = "platformops-certificates";

    private const string NotOurs = "It does not carry our labels, and no Application of Argo CD that does has installed it.";

    /// <summary>How many handshakes are under way at once.</summary>
    private const int Parallel = 16;

    private static readonly ObjectKind[] Workloads = [new("apps/v1", "Deployment"), new("apps/v1", "StatefulSet"), new("apps/v1", "DaemonSet")];

    private readonly LiveObjects objects = new(connection);
    private readonly ClusterHealth health = new(connection);
    private readonly WorkloadRestarts restarts = new(connection);

    /// <summary>Everybody who uses it, by name.</summary>
    /// <param name="fingerprint">Of the current certificate; empty: there is none, then nobody is asked how far it is.</param>
    /// <param name="identity">Shown to pods that want to know who asks; null: nothing.</param>
    /// <param name="labels">What our own workloads carry.</param>
    public async Task<IReadOnlyList<CertificateConsumer>> FindAsync(CertificateDefinition certificate, string fingerprint, X509Certificate2? identity, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        var (workloads, pods) = await UsersAsync(certificate.Namespace, certificate.Secret, ct);
        using var room = new SemaphoreSlim(Parallel);
        var ours = new OwnWorkloads(connection, labels);
        var consumers = new List<CertificateConsumer>();
        foreach (var workload in workloads)
        {
            var own = pods.Where(pod => Selects(workload, pod)).ToList();
            var (name, declared) = ($"{workload.Address.Kind}/{workload.Address.Name}", await ours.HasAsync(workload.Manifest, ct));
            var (standing, detail) = declared
                ? await StandingAsync(workload, own, certificate.Reloads, Annotation(certificate.Secret), fingerprint.Length == 0 ? null : Stamp(fingerprint), ct)
                : (RestartStanding.Old, NotOurs);
            consumers.Add(new(name, declared, standing, detail, certificate.Clients.Contains(name) ? [] : await ServedAsync(certificate, own, identity, room, ct)));
        }

        foreach (var pod in pods.Where(pod => SecretConsumers.Uses(pod.Manifest["spec"], certificate.Secret) && !workloads.Exists(workload => Selects(workload, pod))))
        {
            consumers.Add(ours.Carries(pod.Manifest)
                ? new($"Pod/{pod.Address.Name}", Declared: true, RestartStanding.Changing, "It runs to its end with what it started with; the next one starts with the current certificate.", [])
                : new($"Pod/{pod.Address.Name}", Declared: false, RestartStanding.Old, "It belongs to no Deployment, StatefulSet or DaemonSet, and does not carry our labels.", []));
        }

        consumers.AddRange(await ReadersAsync(certificate, identity, ours, room, ct));
        return [.. consumers.OrderBy(consumer => consumer.Name, StringComparer.Ordinal)];
    }

    /// <summary>Those that read it through the API. Declared is who of several can serve it; one of them has to be there.</summary>
    private async Task<IReadOnlyList<CertificateConsumer>> ReadersAsync(CertificateDefinition certificate, X509Certificate2? identity, OwnWorkloads ours, SemaphoreSlim room, CancellationToken ct)
    {
        var readers = new List<CertificateConsumer>();
        foreach (var space in certificate.ReadBy.Select(name => ConsumerName.In(certificate.Namespace, name)).GroupBy(reader => reader.Namespace, reader => reader.Workload))
        {
            var found = await objects.InNamespaceAsync(space.Key, [.. Workloads, new("v1", "Pod")], ct);
            foreach (var workload in found.Where(item => space.Contains($"{item.Address.Kind}/{item.Address.Name}")))
            {
                var pods = found.Where(pod => pod.Address.Kind == "Pod" && (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed") && Selects(workload, pod)).ToList();
                var declared = await ours.HasAsync(workload.Manifest, ct);
                readers.Add(new(
                    ConsumerName.Of(certificate.Namespace, space.Key, $"{workload.Address.Kind}/{workload.Address.Name}"), declared, RestartStanding.Reloads, declared ? "It reads the Secret through the API." : NotOurs,
                    await ServedAsync(certificate, pods, identity, room, ct)));
            }
        }

        // Nobody to ask is no proof.
        return readers.Count > 0 || certificate.ReadBy is not [var first, ..] ? readers
            : [new(first, Declared: true, RestartStanding.Reloads, "It is not there.", [new(first, null, $"None of {string.Join(", ", certificate.ReadBy)} is there to serve it.")])];
    }

    /// <summary>Has a workload start all of its pods anew, at its own pace. For a certificate that it was restarted for already nothing happens.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: a PodDisruptionBudget does not allow it.</exception>
    public Task RestartAsync(string space, string name, string secret, string fingerprint, CancellationToken ct) =>
        RestartAsync(space, name, new KeyValuePair<string, string>(Annotation(secret), Stamp(fingerprint)), ct);

    /// <summary>Who trusts what a Secret says, and whom each of their pods trusts.</summary>
    /// <param name="reloads">Those that take up a changed one by themselves.</param>
    /// <param name="stamp">The annotation of a restart for what the Secret says now.</param>
    /// <param name="ask">Asks a pod at its address; null: they cannot be asked.</param>
    public async Task<IReadOnlyList<TrustingConsumer>> TrustingAsync(
        string space, string secret, IReadOnlyList<string> reloads, KeyValuePair<string, string> stamp, IReadOnlyDictionary<string, string> labels, Func<string, string, Task<TrustingPod>>? ask, IReadOnlyList<string> silent, CancellationToken ct)
    {
        var (workloads, pods) = await UsersAsync(space, secret, ct);
        using var room = new SemaphoreSlim(Parallel);
        var ours = new OwnWorkloads(connection, labels);
        var consumers = new List<TrustingConsumer>();
        foreach (var workload in workloads)
        {
            var own = pods.Where(pod => Selects(workload, pod)).ToList();
            var (name, declared) = ($"{workload.Address.Kind}/{workload.Address.Name}", await ours.HasAsync(workload.Manifest, ct));
            var (standing, detail) = declared ? await StandingAsync(workload, own, reloads, stamp.Key, stamp.Value, ct) : (RestartStanding.Old, NotOurs);
            var asked = ask is not null && !silent.Contains(name);
            consumers.Add(new($"{space}/{name}", declared, standing, detail, asked, asked ? await Task.WhenAll(own.Select(pod => AskAsync(pod, ask!, room, ct))) : []));
        }

        foreach (var pod in pods.Where(pod => SecretConsumers.Uses(pod.Manifest["spec"], secret) && !workloads.Exists(workload => Selects(workload, pod))))
            consumers.Add(new($"{space}/Pod/{pod.Address.Name}", ours.Carries(pod.Manifest), RestartStanding.Changing, "It belongs to no workload, and trusts what it read when it started.", false, []));
        return consumers;
    }

    /// <summary>Has a workload start all of its pods anew. For a stamp that it has already nothing happens.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: a PodDisruptionBudget does not allow it.</exception>
    public Task RestartAsync(string space, string name, KeyValuePair<string, string> stamp, CancellationToken ct) =>
        restarts.RestartAsync(space, name, FieldManager, new Dictionary<string, string> { [stamp.Key] = stamp.Value }, ct);

    private async Task<(List<ObservedObject> Workloads, List<ObservedObject> Pods)> UsersAsync(string space, string secret, CancellationToken ct) => (
        [.. (await objects.InNamespaceAsync(space, Workloads, ct)).Where(workload => SecretConsumers.Uses(workload.Manifest["spec"]?["template"]?["spec"], secret))],
        [.. (await objects.InNamespaceAsync(space, [new("v1", "Pod")], ct)).Where(pod => (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed"))]);

    private static async Task<TrustingPod> AskAsync(ObservedObject pod, Func<string, string, Task<TrustingPod>> ask, SemaphoreSlim room, CancellationToken ct)
    {
        if ((string?)pod.Manifest["status"]?["podIP"] is not { Length: > 0 } address)
            return new(pod.Address.Name, null, null, "It has no address yet.");
        await room.WaitAsync(ct);
        try
        {
            return await ask(pod.Address.Name, address);
        }
        finally
        {
            room.Release();
        }
    }

    /// <param name="stamp">What its template carries when it was restarted for what the Secret holds now; null: there is nothing.</param>
    private async Task<(RestartStanding Standing, string Detail)> StandingAsync(
        ObservedObject workload, IReadOnlyList<ObservedObject> pods, IReadOnlyList<string> reloads, string annotation, string? stamp, CancellationToken ct)
    {
        var stamped = (string?)workload.Manifest["spec"]?["template"]?["metadata"]?["annotations"]?[annotation];
        var restarted = stamp is not null && stamped == stamp;
        // One that was restarted all the same is as far as its restart.
        if (!restarted && reloads.Contains($"{workload.Address.Kind}/{workload.Address.Name}"))
            return (RestartStanding.Reloads, "It takes up a changed Secret by itself.");
        if (!restarted)
            return (RestartStanding.Old, "It was not restarted for what the Secret holds now.");
        var rollout = await health.RolloutAsync(new(workload.Address.Kind, workload.Address.Name, workload.Address.Namespace!), ct);
        if (rollout.State != GateState.Passed)
            return (rollout.State == GateState.Hopeless ? RestartStanding.Failed : RestartStanding.Changing, $"{rollout.Message}.");
        // A rollout that counts as done can still have pods of before: those that are on their way out, or that a partition keeps.
        var old = pods.Where(pod => (string?)pod.Manifest["metadata"]?["annotations"]?[annotation] != stamped).Select(pod => pod.Address.Name).ToList();
        return old.Count == 0
            ? (RestartStanding.Restarted, $"All {pods.Count} pods started with what the Secret holds.")
            : (RestartStanding.Changing, $"Pods of before are still there: {string.Join(", ", old.Take(5))}.");
    }

    private static async Task<IReadOnlyList<ServingPod>> ServedAsync(CertificateDefinition certificate, IReadOnlyList<ObservedObject> pods, X509Certificate2? identity, SemaphoreSlim room, CancellationToken ct)
    {
        return certificate.Port is not { } port ? [] : await Task.WhenAll(pods.Select(AskAsync));

        async Task<ServingPod> AskAsync(ObservedObject pod)
        {
            if ((string?)pod.Manifest["status"]?["podIP"] is not { Length: > 0 } address)
                return new(pod.Address.Name, null, "It has no address yet.");
            await room.WaitAsync(ct);
            try
            {
                var (served, detail) = await TlsHandshake.AskAsync(address, port, certificate.ServerName, identity, ct);
                return new(pod.Address.Name, served, detail);
            }
            finally
            {
                room.Release();
            }
        }
    }

    private static string Annotation(string secret) => $"certificates.platformops.io/{secret}";

    /// <summary>As much of a fingerprint as tells certificates apart.</summary>
    private static string Stamp(string fingerprint) => fingerprint[..16];

    private static bool Selects(ObservedObject workload, ObservedObject pod) => LabelSelector.Of(workload.Manifest["spec"]?["selector"])?.Selects(pod.Manifest) == true;
}
