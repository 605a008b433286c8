using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;

namespace PlatformOps.Adapters.Kubernetes.Health;

/// <summary>Finds the pods of a workload's newest template. Those of earlier ones say nothing about what was just applied: they may be the
/// very pods that it repairs.</summary>
internal sealed class NewestPods(LiveObjects objects)
{
    private const string Revision = "deployment.kubernetes.io/revision";

    public async Task<IReadOnlyList<JsonObject>> OfAsync(JsonObject workload, CancellationToken ct)
    {
        if (LabelSelector.Of(workload["spec"]?["selector"]) is not { } labels)
            return [];
        var space = (string)workload["metadata"]!["namespace"]!;
        var selector = labels.ToString();
        if (await NewestAsync(workload, space, selector, ct) is { } newest)
            selector += $",{newest}";
        return [.. (await objects.ListAsync(new("v1", "Pod"), space, selector, ct)).Select(pod => pod.Manifest)];
    }

    /// <summary>The label that the newest template's pods carry; null when the workload has but one template.</summary>
    private async Task<string?> NewestAsync(JsonObject workload, string space, string selector, CancellationToken ct) => (string?)workload["kind"] switch
    {
        "Deployment" => await NewestOfDeploymentAsync(workload, space, selector, ct),
        "StatefulSet" => Label("controller-revision-hash", workload["status"]?["updateRevision"]),
        "DaemonSet" => Label("pod-template-generation", workload["metadata"]?["annotations"]?["deprecated.daemonset.template.generation"]),
        _ => null,
    };

    private async Task<string?> NewestOfDeploymentAsync(JsonObject deployment, string space, string selector, CancellationToken ct)
    {
        var sets = await objects.ListAsync(new("apps/v1", "ReplicaSet"), space, selector, ct);
        var newest = sets.Select(set => set.Manifest)
            .Where(set => (set["metadata"]?["ownerReferences"] as JsonArray)?.Any(owner => (string?)owner?["uid"] == (string?)deployment["metadata"]?["uid"]) == true)
            .MaxBy(set => int.TryParse((string?)set["metadata"]?["annotations"]?[Revision], CultureInfo.InvariantCulture, out var revision) ? revision : 0);
        return Label("pod-template-hash", newest?["metadata"]?["labels"]?["pod-template-hash"]);
    }

    private static string? Label(string name, JsonNode? value) => value is null ? null : $"{name}={value}";
}
