using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Whether a rollout may take more pods of a workload away at once than its PodDisruptionBudgets allow. Kubernetes holds evictions to them, and rollouts not.</summary>
internal sealed class DisruptionLimits(KubernetesConnection connection)
{
    private const double DeploymentsUsually = 0.25;

    private static readonly ObjectKind[] Kinds = [new("policy/v1", "PodDisruptionBudget"), new("policy/v1beta1", "PodDisruptionBudget")];

    private readonly LiveObjects objects = new(connection);

    /// <summary>Why its rollout must not begin, as a sentence; null: it may.</summary>
    public async Task<string?> ObjectionAsync(ObservedObject workload, CancellationToken ct)
    {
        if (await objects.ServedAsync(Kinds, ct) is not [var kind, ..])
            return null;
        var spec = workload.Manifest["spec"];
        var labels = spec?["template"]?["metadata"]?["labels"] as JsonObject ?? [];
        foreach (var budget in await objects.InNamespaceAsync(workload.Address.Namespace!, [kind], ct))
        {
            if (budget.Manifest["spec"]?["selector"]?["matchLabels"] is not JsonObject { Count: > 0 } selected || !selected.All(label => (string?)labels[label.Key] == (string?)label.Value))
                continue;
            var pods = workload.Address.Kind == "DaemonSet" ? (int?)workload.Manifest["status"]?["desiredNumberScheduled"] ?? 1 : (int?)spec?["replicas"] ?? 1;
            var (away, allowed) = (Away(workload.Address.Kind, spec, pods), Allowed(budget.Manifest["spec"], pods));
            if (away > allowed)
                return $"A rollout of {workload.Address.Kind} {workload.Address.Name} may take {away} of its {pods} pods away at once, and PodDisruptionBudget {budget.Address.Name} allows {allowed}: run more pods, or change its strategy, then retry.";
        }

        return null;
    }

    /// <summary>How many pods a rollout may take away at once.</summary>
    internal static int Away(string kind, JsonNode? spec, int pods)
    {
        if (kind == "StatefulSet")
            return (string?)spec?["updateStrategy"]?["type"] == "OnDelete" ? 0 : Amount(spec?["updateStrategy"]?["rollingUpdate"]?["maxUnavailable"], pods, up: true) ?? 1;
        if (kind == "DaemonSet")
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
