using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters.Kubernetes.Health;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Secrets;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Who uses a Secret of a cluster, with which version of it, and restarts them. A workload that was restarted for a version says so in an annotation of its pod template, which its pods have from then on.</summary>
public sealed class SecretConsumers(KubernetesConnection connection)
{
    /// <summary>The field manager of the annotation: it is no field of the catalog's, so that drift does not find it and an apply does not take it away.</summary>
    private const string FieldManager = "platformops-secrets";

    private static readonly ObjectKind[] Workloads = [new("apps/v1", "Deployment"), new("apps/v1", "StatefulSet"), new("apps/v1", "DaemonSet")];

    private readonly LiveObjects objects = new(connection);
    private readonly ClusterHealth health = new(connection);
    private readonly WorkloadRestarts restarts = new(connection);

    /// <summary>Everybody who uses it, by name.</summary>
    /// <param name="version">The version that they are to use; 0: none yet, then nobody is asked how far it is.</param>
    /// <param name="stamp">The name by which restarts are remembered: that of the Secret, or of the one that it is a copy of.</param>
    /// <param name="labels">What our own workloads carry.</param>
    /// <param name="reloads">Those that take a changed Secret up by themselves, as <c>Kind/name</c>.</param>
    /// <param name="readBy">Those that are declared to read it through the API, so that their pods say nothing of it.</param>
    /// <param name="readers">Those that were seen to do so.</param>
    public async Task<IReadOnlyList<SecretConsumer>> FindAsync(
        string space, string secret, string stamp, int version, IReadOnlyDictionary<string, string> labels, IReadOnlyList<string> reloads, IReadOnlyList<string> readBy, IReadOnlyList<string> readers,
        CancellationToken ct)
    {
        var workloads = (await objects.InNamespaceAsync(space, Workloads, ct))
            .Where(workload => Uses(workload.Manifest["spec"]?["template"]?["spec"], secret) || Name(workload) is var name && (readBy.Contains(name) || readers.Contains(name))).ToList();
        // After the workloads: a rollout that was over then has no pod of before that comes later.
        var pods = await objects.InNamespaceAsync(space, [new("v1", "Pod")], ct);
        var consumers = new List<SecretConsumer>();
        var own = new OwnWorkloads(connection, labels);
        foreach (var workload in workloads)
            consumers.Add(await ConsumerAsync(workload, pods, stamp, version, own, reloads, readBy, ct));
        var selectors = workloads.Select(workload => LabelSelector.Of(workload.Manifest["spec"]?["selector"])).ToList();
        foreach (var pod in pods)
        {
            var belongs = selectors.Exists(selector => selector?.Selects(pod.Manifest) == true);
            if (belongs || !Uses(pod.Manifest["spec"], secret) || (string?)pod.Manifest["status"]?["phase"] is "Succeeded" or "Failed")
                continue;
            consumers.Add(own.Carries(pod.Manifest)
                ? new($"Pod/{pod.Address.Name}", Declared: true, ConsumerStanding.Changing, "It runs to its end with what it started with; the next one starts with the current version.")
                : new($"Pod/{pod.Address.Name}", Declared: false, ConsumerStanding.Unknown, "It belongs to no Deployment, StatefulSet or DaemonSet, and does not carry our labels."));
        }

        return [.. consumers.OrderBy(consumer => consumer.Name, StringComparer.Ordinal)];
    }

    /// <summary>The pods of a workload, with their addresses; null: it has none yet.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    public async Task<IReadOnlyList<(string Pod, string? Address)>> PodsAsync(string space, string name, CancellationToken ct)
    {
        var (kind, workload) = name.Split('/') is [var first, var second] ? (first, second) : throw new ArgumentException($"\"{name}\" is not Kind/name.", nameof(name));
        if (await objects.FindAsync(new(connection.Region, "apps/v1", kind, space, workload), ct) is not { } found)
            return [];
        return [.. (await objects.PodsAsync(found, ct)).Where(pod => (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed"))
            .Select(pod => (pod.Address.Name, (string?)pod.Manifest["status"]?["podIP"])).OrderBy(pod => pod.Name, StringComparer.Ordinal)];
    }

    /// <summary>Every workload of a namespace, and every pod that belongs to none, with the Secrets that it takes values from.</summary>
    /// <returns>Workloads as <c>namespace/Kind/name</c>, service accounts and Secrets as <c>namespace/name</c>.</returns>
    public async Task<IReadOnlyList<(string Workload, string ServiceAccount, IReadOnlyList<string> Secrets)>> UsesAsync(string space, CancellationToken ct)
    {
        var found = await objects.InNamespaceAsync(space, [.. Workloads, new("v1", "Pod")], ct);
        return [.. found.Where(item => item.Address.Kind != "Pod" || item.Manifest["metadata"]?["ownerReferences"] is null)
            .Select(item => (item.Address, Spec: item.Address.Kind == "Pod" ? item.Manifest["spec"] : item.Manifest["spec"]?["template"]?["spec"]))
            .Select(item => ($"{space}/{item.Address.Kind}/{item.Address.Name}", $"{space}/{(string?)item.Spec?["serviceAccountName"] ?? "default"}", (IReadOnlyList<string>)[.. Names(item.Spec).Distinct().Order(StringComparer.Ordinal).Select(name => $"{space}/{name}")]))];
    }

    /// <summary>Has a workload start all of its pods anew, at its own pace, or an Application of Argo CD compared. For a version that was done for already nothing happens.</summary>
    /// <param name="name"><c>Kind/name</c>.</param>
    /// <param name="versions">By Secret, all that it takes up with this restart.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: a PodDisruptionBudget does not allow it.</exception>
    public Task RestartAsync(string space, string name, IReadOnlyDictionary<string, int> versions, CancellationToken ct) => name.Split('/') is [ArgoCdReading.Application, var application]
        ? new ArgoCdReaders(connection).CompareAsync(space, application, versions, ct)
        : restarts.RestartAsync(space, name, FieldManager, versions.ToDictionary(version => Annotation(version.Key), version => version.Value.ToString(CultureInfo.InvariantCulture)), ct);

    private async Task<SecretConsumer> ConsumerAsync(
        ObservedObject workload, IReadOnlyList<ObservedObject> pods, string secret, int version, OwnWorkloads own, IReadOnlyList<string> reloads, IReadOnlyList<string> readBy, CancellationToken ct)
    {
        var name = Name(workload);
        if (reloads.Contains(name))
            return new(name, true, ConsumerStanding.Current, "It takes up a changed Secret by itself; nothing shows that it did.");
        if (!readBy.Contains(name) && !await own.HasAsync(workload.Manifest, ct))
            return new(name, false, ConsumerStanding.Unknown, "It does not carry our labels, and no Application of Argo CD that does has installed it.");
        if (version == 0)
            return new(name, true, ConsumerStanding.Old, "Nothing was handed out yet.");
        var stamped = (string?)workload.Manifest["spec"]?["template"]?["metadata"]?["annotations"]?[Annotation(secret)];
        if (stamped != version.ToString(CultureInfo.InvariantCulture))
            return new(name, true, ConsumerStanding.Old, stamped is null ? "It was never restarted for a version." : $"It was restarted for version {stamped} last.");
        // Only of one that is on its way it is asked why: most are there already, at every look.
        if (RolloutStatus.Missing(workload.Manifest) is null)
            return OfPods(workload, pods, name, secret, stamped);
        var rollout = await health.RolloutAsync(new(workload.Address.Kind, workload.Address.Name, workload.Address.Namespace!), ct);
        return new(name, true, rollout.State == GateState.Hopeless ? ConsumerStanding.Failed : ConsumerStanding.Changing, $"{rollout.Message}.");
    }

    /// <summary>A rollout that counts as done can still have pods of before: those that are on their way out, or that a partition keeps.</summary>
    private static SecretConsumer OfPods(ObservedObject workload, IReadOnlyList<ObservedObject> all, string name, string secret, string version)
    {
        var selector = LabelSelector.Of(workload.Manifest["spec"]?["selector"]);
        var pods = all.Where(pod => selector?.Selects(pod.Manifest) == true).ToList();
        var old = pods.Where(pod => (string?)pod.Manifest["metadata"]?["annotations"]?[Annotation(secret)] != version && (string?)pod.Manifest["status"]?["phase"] is not ("Succeeded" or "Failed"))
            .Select(pod => pod.Address.Name).ToList();
        return old.Count == 0
            ? new(name, true, ConsumerStanding.Current, $"All {pods.Count} pods started with version {version}.")
            : new(name, true, ConsumerStanding.Changing, $"Pods of before are still there: {string.Join(", ", old.Take(5))}.");
    }

    private static string Name(ObservedObject workload) => $"{workload.Address.Kind}/{workload.Address.Name}";

    /// <summary>Where it is remembered which version of a Secret something was restarted for, or compared with.</summary>
    internal static string Annotation(string secret) => $"secrets.platformops.io/{secret}";

    /// <summary>Whether a pod's specification takes values from the Secret.</summary>
    internal static bool Uses(JsonNode? spec, string secret) => Names(spec).Contains(secret);

    /// <summary>The Secrets that a pod's specification takes values from: as environment, or as files.</summary>
    private static IEnumerable<string> Names(JsonNode? spec)
    {
        var containers = Items(spec?["containers"]).Concat(Items(spec?["initContainers"])).Concat(Items(spec?["ephemeralContainers"]));
        return containers.SelectMany(container => Items(container["env"]).Select(variable => variable["valueFrom"]?["secretKeyRef"]?["name"]).Concat(Items(container["envFrom"]).Select(source => source["secretRef"]?["name"])))
            .Concat(Items(spec?["volumes"]).SelectMany(volume => Items(volume["projected"]?["sources"]).Select(source => source["secret"]?["name"]).Prepend(volume["secret"]?["secretName"])))
            .Select(name => (string?)name).OfType<string>();
    }

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}
