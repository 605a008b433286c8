using System.Text.Json.Nodes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes.Health;

/// <summary>Reads how workloads, Jobs and Services of a region are. Changes nothing.</summary>
public sealed class ClusterHealth(KubernetesConnection connection)
{
    private const string SliceApi = "discovery.k8s.io/v1";

    private readonly LiveObjects objects = new(connection);

    /// <summary>Whether a workload's newest template is rolled out.</summary>
    /// <param name="askPods">Whether the pods of one that is on its way are asked what holds them up: without, nothing is hopeless, and a look is one call.</param>
    public async Task<GateStatus> RolloutAsync(RolloutGate gate, CancellationToken ct, bool askPods = true)
    {
        var name = $"{gate.Kind} {gate.Namespace}/{gate.Name}";
        if (await FindAsync("apps/v1", gate.Kind, gate.Namespace, gate.Name, ct) is not { } workload)
            return GateStatus.OnTheWay($"{name} does not exist");
        if (RolloutStatus.Missing(workload) is not { } missing)
            return GateStatus.Passed($"{name}: {RolloutStatus.Ready(workload)}");
        return Judge($"{name}: {missing}", askPods ? await new NewestPods(objects).OfAsync(workload, ct) : [], hopelessFrom: PodTroubleKind.CrashLoop);
    }

    /// <summary>Whether a Job has completed.</summary>
    public async Task<GateStatus> JobAsync(JobGate gate, CancellationToken ct)
    {
        var name = $"Job {gate.Namespace}/{gate.Name}";
        if (await FindAsync("batch/v1", "Job", gate.Namespace, gate.Name, ct) is not { } job)
            return GateStatus.OnTheWay($"{name} does not exist");
        if (Condition(job, "Complete") is not null)
            return GateStatus.Passed($"{name} has completed");
        var pods = await new NewestPods(objects).OfAsync(job, ct);
        if (Condition(job, "Failed") is { } failed)
            return GateStatus.Hopeless($"{name} failed ({failed["reason"]}: {((string?)failed["message"])?.TrimEnd('.')}). See the logs of its pods; delete the Job to run it again");
        // A Job starts crashed pods again on purpose, and says itself when it gives up.
        return Judge($"{name}: {(long?)job["status"]?["active"] ?? 0} pods active, {(long?)job["status"]?["failed"] ?? 0} failed", pods, hopelessFrom: PodTroubleKind.ImagePull);
    }

    /// <summary>Whether a Service has enough ready endpoints.</summary>
    public async Task<GateStatus> EndpointsAsync(EndpointsGate gate, CancellationToken ct)
    {
        var ready = await ReadyEndpointsAsync(gate.Namespace, gate.Service, ct);
        var message = $"Service {gate.Namespace}/{gate.Service}: {ready} of {gate.Minimum} endpoints ready";
        return ready >= gate.Minimum ? GateStatus.Passed(message) : GateStatus.OnTheWay(message);
    }

    /// <summary>Where the ready endpoints behind a Service's port answer, <c>host:port</c>, sorted.</summary>
    public async Task<IReadOnlyList<string>> EndpointAddressesAsync(string space, string service, int port, CancellationToken ct)
    {
        var found = new List<string>();
        var name = Objects((await FindAsync("v1", "Service", space, service, ct))?["spec"]?["ports"]).FirstOrDefault(item => (int?)item["port"] == port) is { } named ? (string?)named["name"] ?? "" : null;
        foreach (var subset in Objects((await FindAsync("v1", "Endpoints", space, service, ct))?["subsets"]))
            if (Objects(subset["ports"]).FirstOrDefault(item => ((string?)item["name"] ?? "") == name) is { } behind)
                found.AddRange(Objects(subset["addresses"]).Select(address => $"{address["ip"]}:{behind["port"]}"));
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>The names of the ready pods behind a Service, sorted.</summary>
    public async Task<IReadOnlyList<string>> EndpointPodsAsync(string space, string service, CancellationToken ct) =>
        [.. Objects((await FindAsync("v1", "Endpoints", space, service, ct))?["subsets"]).SelectMany(subset => Objects(subset["addresses"]))
            .Where(address => (string?)address["targetRef"]?["kind"] == "Pod").Select(address => (string)address["targetRef"]!["name"]!).Order(StringComparer.Ordinal)];

    /// <summary>Whether Argo CD has brought an Application to what is declared.</summary>
    public async Task<GateStatus> ApplicationAsync(ApplicationGate gate, CancellationToken ct) =>
        ApplicationStatus.Judge($"Application {gate.Namespace}/{gate.Name}", await FindAsync("argoproj.io/v1alpha1", "Application", gate.Namespace, gate.Name, ct));

    /// <summary>Whether a custom resource is as it has to be.</summary>
    public async Task<GateStatus> ConditionAsync(ConditionGate gate, DateTimeOffset now, CancellationToken ct)
    {
        var name = $"{gate.Kind.Kind} {(gate.Namespace is null ? "" : $"{gate.Namespace}/")}{gate.Name}";
        // Whoever installs the definition may not be done yet.
        if (await connection.Kinds.FindOrNullAsync(gate.Kind, ct) is null)
            return GateStatus.OnTheWay($"{name}: the cluster does not serve {gate.Kind} yet");
        if (await FindAsync(gate.Kind.ApiVersion, gate.Kind.Kind, gate.Namespace, gate.Name, ct) is not { } live)
            return GateStatus.OnTheWay($"{name} does not exist");
        var readers = CustomResourceStatus.ReadersOf(gate.Kind) is { } kind && await connection.Kinds.FindOrNullAsync(kind, ct) is not null
            ? await objects.ListAsync(kind, null, "", ct) : [];
        return CustomResourceStatus.Judge(name, live, [.. readers.Select(reader => reader.Manifest)], now);
    }

    /// <summary>The login that a Secret holds under <c>username</c> and <c>password</c>; null: there is none (yet).</summary>
    public async Task<(string User, SecretText Password)?> LoginAsync(string space, string secret, CancellationToken ct)
    {
        var values = await new SecretReader(connection).FindAsync(space, secret, ct);
        return values?.GetValueOrDefault("username") is { } user && values.GetValueOrDefault("password") is { } password ? (user.Reveal(), password) : null;
    }

    /// <summary>Whether a Service exists.</summary>
    public async Task<bool> ServiceExistsAsync(string space, string name, CancellationToken ct) =>
        await FindAsync("v1", "Service", space, name, ct) is not null;

    private static GateStatus Judge(string message, IEnumerable<JsonObject> pods, PodTroubleKind hopelessFrom)
    {
        if (PodTrouble.Worst(pods) is not { } trouble)
            return GateStatus.OnTheWay(message);
        return new(trouble.Kind >= hopelessFrom ? GateState.Hopeless : GateState.OnTheWay, $"{message}. {trouble.Message}");
    }

    private async Task<int> ReadyEndpointsAsync(string space, string service, CancellationToken ct)
    {
        var slices = await connection.Kinds.FindOrNullAsync(new(SliceApi, "EndpointSlice"), ct) is null
            ? []
            : await objects.ListAsync(new(SliceApi, "EndpointSlice"), space, $"kubernetes.io/service-name={service}", ct);
        if (slices.Count > 0)
            return slices.SelectMany(slice => Objects(slice.Manifest["endpoints"])).Count(endpoint => (bool?)endpoint["conditions"]?["ready"] != false);
        // Older clusters only have the predecessor.
        var endpoints = await FindAsync("v1", "Endpoints", space, service, ct);
        return Objects(endpoints?["subsets"]).Sum(subset => Objects(subset["addresses"]).Count());
    }

    private async Task<JsonObject?> FindAsync(string apiVersion, string kind, string? space, string name, CancellationToken ct) =>
        (await objects.FindAsync(new ResourceAddress(connection.Region, apiVersion, kind, space, name), ct))?.Manifest;

    private static JsonObject? Condition(JsonObject of, string type) =>
        Objects(of["status"]?["conditions"]).FirstOrDefault(condition => (string?)condition["type"] == type && (string?)condition["status"] == "True");

    private static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();
}
