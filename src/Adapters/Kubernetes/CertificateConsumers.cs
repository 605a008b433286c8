using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Certificates;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Platform.Certificates;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Who uses a Secret with a certificate, what each of their pods serves, and how they are restarted for a new one.</summary>
public sealed class CertificateConsumers(KubernetesConnection connection)
{
    /// <summary>The field manager of the annotation: it is no field of the catalog's, so that drift does not find it and an apply does not take it away.</summary>
    private const string FieldManager = "platformops-certificates";

    /// <summary>How many handshakes are under way at once.</summary>
    private const int Parallel = 16;

    private static readonly ObjectKind[] Workloads = [new("apps/v1", "Deployment"), new("apps/v1", "StatefulSet"), new("apps/v1", "DaemonSet")];

    private readonly LiveObjects objects = new(connection);
    private readonly ClusterHealth health = new(connection);

    /// <summary>Everybody who uses it, by name.</summary>
    /// <param name="fingerprint">Of the current certificate; empty: there is none, then nobody is asked how far it is.</param>
    /// <param name="identity">Shown to pods that want to know who asks; null: nothing.</param>
    /// <param name="labels">What our own workloads carry.</param>
    public async Task<IReadOnlyList<CertificateConsumer>> FindAsync(CertificateDefinition certificate, string fingerprint, X509Certificate2? identity, IReadOnlyDictionary<string, string> labels, CancellationToken ct)
    {
        var workloads = (await objects.InNamespaceAsync(certificate.Namespace, Workloads, ct)).Where(workload => SecretConsumers.Uses(workload.Manifest["spec"]?["template"]?["spec"], certificate.Secret)).ToList();
        var pods = (await objects.InNamespaceAsync(certificate.Namespace, [new("v1", "Pod")], ct)).Where(pod => (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed")).ToList();
        using var room = new SemaphoreSlim(Parallel);
        var consumers = new List<CertificateConsumer>();
        foreach (var workload in workloads)
        {
            var own = pods.Where(pod => Selects(workload, pod)).ToList();
            var (name, declared) = ($"{workload.Address.Kind}/{workload.Address.Name}", Carries(workload.Manifest, labels));
            var (standing, detail) = declared ? await StandingAsync(certificate, workload, own, name, fingerprint, ct) : (RestartStanding.Old, "It does not carry our labels.");
            consumers.Add(new(name, declared, standing, detail, certificate.Clients.Contains(name) ? [] : await ServedAsync(certificate, own, identity, room, ct)));
        }

        foreach (var pod in pods.Where(pod => SecretConsumers.Uses(pod.Manifest["spec"], certificate.Secret) && !workloads.Exists(workload => Selects(workload, pod))))
        {
            consumers.Add(Carries(pod.Manifest, labels)
                ? new($"Pod/{pod.Address.Name}", Declared: true, RestartStanding.Changing, "It runs to its end with what it started with; the next one starts with the current certificate.", [])
                : new($"Pod/{pod.Address.Name}", Declared: false, RestartStanding.Old, "It belongs to no Deployment, StatefulSet or DaemonSet, and does not carry our labels.", []));
        }

        return [.. consumers.OrderBy(consumer => consumer.Name, StringComparer.Ordinal)];
    }

    /// <summary>Has a workload start all of its pods anew, at its own pace. For a certificate that it was restarted for already nothing happens.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    public async Task RestartAsync(string space, string name, string secret, string fingerprint, CancellationToken ct)
    {
        var parts = name.Split('/');
        var served = await connection.Kinds.FindAsync(new("apps/v1", parts[0]), ct);
        var call = new ApiCall(
            HttpMethod.Patch, $"{served.Path(space, parts[1])}?fieldManager={FieldManager}", "patch", LiveObjects.InWords(new(connection.Region, "apps/v1", parts[0], space, parts[1])))
        {
            Body = new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotation(secret)] = Stamp(fingerprint) } } } } },
            ContentType = "application/merge-patch+json",
        };
        if (await connection.SendAsync(call, ct) is { Missing: true } answer)
            throw connection.Failures.Absent(call, answer);
    }

    private async Task<(RestartStanding Standing, string Detail)> StandingAsync(
        CertificateDefinition certificate, ObservedObject workload, IReadOnlyList<ObservedObject> pods, string name, string fingerprint, CancellationToken ct)
    {
        if (certificate.Reloads.Contains(name))
            return (RestartStanding.Reloads, "It takes up a changed Secret by itself.");
        var stamped = (string?)workload.Manifest["spec"]?["template"]?["metadata"]?["annotations"]?[Annotation(certificate.Secret)];
        if (fingerprint.Length == 0 || stamped != Stamp(fingerprint))
            return (RestartStanding.Old, "It was not restarted for the current certificate.");
        var rollout = await health.RolloutAsync(new(workload.Address.Kind, workload.Address.Name, certificate.Namespace), ct);
        if (rollout.State != GateState.Passed)
            return (rollout.State == GateState.Hopeless ? RestartStanding.Failed : RestartStanding.Changing, $"{rollout.Message}.");
        // A rollout that counts as done can still have pods of before: those that are on their way out, or that a partition keeps.
        var old = pods.Where(pod => (string?)pod.Manifest["metadata"]?["annotations"]?[Annotation(certificate.Secret)] != stamped).Select(pod => pod.Address.Name).ToList();
        return old.Count == 0
            ? (RestartStanding.Restarted, $"All {pods.Count} pods started with the current certificate.")
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

    private static bool Selects(ObservedObject workload, ObservedObject pod) =>
        workload.Manifest["spec"]?["selector"]?["matchLabels"] is JsonObject { Count: > 0 } selector && Carries(pod.Manifest, selector.ToDictionary(label => label.Key, label => (string)label.Value!));

    private static bool Carries(JsonObject manifest, IReadOnlyDictionary<string, string> labels) =>
        manifest["metadata"]?["labels"] is JsonObject carried && labels.All(label => (string?)carried[label.Key] == label.Value);
}
