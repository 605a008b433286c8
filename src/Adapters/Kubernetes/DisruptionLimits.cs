using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>The PodDisruptionBudgets of a workload, and whether a rollout may take more of its pods away at once than they allow. Kubernetes holds evictions to them, and rollouts not.</summary>
public sealed class DisruptionLimits(KubernetesConnection connection)
{
    private const double DeploymentsUsually = 0.25;

    private static readonly ObjectKind[] Kinds = [new("policy/v1", "PodDisruptionBudget"), new("policy/v1beta1", "PodDisruptionBudget")];

    private readonly LiveObjects objects = new(connection);

    /// <summary>Those that select the pods of its template.</summary>
    public async Task<IReadOnlyList<ObservedObject>> BudgetsAsync(ObservedObject workload, CancellationToken ct) =>
        await objects.ServedAsync(Kinds, ct) is not [var kind, ..] ? []
            : [.. (await objects.InNamespaceAsync(workload.Address.Namespace!, [kind], ct)).Where(budget => Selects(kind, budget.Manifest["spec"]?["selector"], workload.Manifest["spec"]?["template"]))];

    /// <summary>Why its rollout must not begin, as a sentence; null: it may.</summary>
    public async Task<string?> ObjectionAsync(ObservedObject workload, CancellationToken ct)
    {
        var spec = workload.Manifest["spec"];
        foreach (var budget in await BudgetsAsync(workload, ct))
        {
            var pods = workload.Address.Kind == "DaemonSet" ? (int?)workload.Manifest["status"]?["desiredNumberScheduled"] ?? 1 : (int?)spec?["replicas"] ?? 1;
            var (away, allowed) = (Away(workload.Address.Kind, spec, pods), Allowed(budget.Manifest["spec"], pods));
            if (away > allowed)
                return $"A rollout of {workload.Address.Kind} {workload.Address.Name} may take {away} of its {pods} pods away at once, and PodDisruptionBudget {budget.Address.Name} allows {allowed}: run more pods, or change its strategy, then retry.";
        }

        return null;
    }

    /// <summary>An empty selector selects every pod of the namespace, and in <c>policy/v1beta1</c> none.</summary>
    internal static bool Selects(ObjectKind kind, JsonNode? selector, JsonNode? template) =>
        LabelSelector.Of(selector) is { } given && (kind.ApiVersion != "policy/v1beta1" || given.ToString().Length > 0) && given.Selects(template);

    /// <summary>How many pods a rollout may take away at once.</summary>
    internal static int Away(string kind, JsonNode? spec, int pods)
    {
        if (kind is "StatefulSet" or "DaemonSet")
            return (string?)spec?["updateStrategy"]?["type"] == "OnDelete" ? 0 : Amount(spec?["updateStrategy"]?["rollingUpdate"]?["maxUnavailable"], pods, up: true) ?? 1;
        if ((string?)spec?["strategy"]?["type"] == "Recreate")
            return pods;
        var rolling = spec?["strategy"]?["rollingUpdate"];
        var away = Amount(rolling?["maxUnavailable"], pods, up: false) ?? (int)(pods * DeploymentsUsually);
        var more = Amount(rolling?["maxSurge"], pods, up: true) ?? (int)Math.Ceiling(pods * DeploymentsUsually);
        // With neither more nor fewer it could not move: then Kubernetes takes one away.
        return away == 0 && more == 0 ? 1 : away;
    }

    /// <summary>How many pods a budget lets be away at once.</summary>
    internal static int Allowed(JsonNode? spec, int pods) =>
        Amount(spec?["maxUnavailable"], pods, up: true) ?? (pods - (Amount(spec?["minAvailable"], pods, up: true) ?? 1));

    private static int? Amount(JsonNode? node, int pods, bool up)
    {
        if (node is not JsonValue value)
            return null;
        if (value.TryGetValue<string>(out var text) && text.EndsWith('%'))
        {
            var share = pods * double.Parse(text[..^1], System.Globalization.CultureInfo.InvariantCulture) / 100;
            return (int)(up ? Math.Ceiling(share) : Math.Floor(share));
        }

        return (int?)value;
    }
}
