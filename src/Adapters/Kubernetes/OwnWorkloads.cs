using System.Text.Json.Nodes;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>Which workloads of a cluster are ours: those with our labels, our own workers, and those that Argo CD installs for an Application with our labels, since charts know nothing of these.</summary>
/// <param name="labels">What our own objects carry.</param>
internal sealed class OwnWorkloads(KubernetesConnection connection, IReadOnlyDictionary<string, string> labels)
{
    /// <summary>By which Argo CD knows whose an object is: <c>application:group/kind:namespace/name</c>.</summary>
    private const string Tracking = "argocd.argoproj.io/tracking-id";

    /// <summary>What the workers in <c>k8s/platformops/domains</c> carry.</summary>
    private const string Domain = "platformops.io/domain";

    private static readonly ObjectKind Application = new("argoproj.io/v1alpha1", "Application");

    private HashSet<string>? applications;

    public async Task<bool> HasAsync(JsonObject manifest, CancellationToken ct) =>
        Carries(manifest) || ((string?)manifest["metadata"]?["annotations"]?[Tracking] is { } tracked && (await ApplicationsAsync(ct)).Contains(tracked.Split(':')[0]));

    private async Task<HashSet<string>> ApplicationsAsync(CancellationToken ct)
    {
        var objects = new LiveObjects(connection);
        return applications ??= (await objects.ServedAsync([Application], ct)).Count == 0
            ? []
            : [.. (await objects.ListAsync(Application, null, "", ct)).Where(application => Carries(application.Manifest)).Select(application => application.Address.Name)];
    }

    /// <summary>Whether it carries our labels itself, or that of our own workers, which belong to no environment.</summary>
    public bool Carries(JsonObject manifest) => manifest["metadata"]?["labels"] is JsonObject carried && (carried.ContainsKey(Domain) || labels.All(label => (string?)carried[label.Key] == label.Value));
}
