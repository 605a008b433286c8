using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Kubernetes;

/// <summary>The objects of a Kubernetes cluster: read with our labels, written by server-side apply.</summary>
public sealed class ClusterObjects(KubernetesConnection connection) : IDeclaredObjects
{
    private const int BystandersShown = 5;

    private readonly LiveObjects objects = new(connection);
    private readonly ObjectWriter writer = new(connection);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct) => objects.ServedAsync(kinds, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct) =>
        objects.ObserveAsync(kinds, labels, wanted.Select(item => item.Address), ct);

    /// <inheritdoc/>
    public Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => objects.FindAsync(address, ct);

    /// <inheritdoc/>
    public Task CreateAsync(DesiredObject wanted, CancellationToken ct) => wanted.Address is { ApiVersion: "v1", Kind: "Secret" }
        ? writer.CreateSecretAsync(wanted.Address, wanted.Manifest, ct)
        : writer.CreateAsync(wanted.Address, wanted.Manifest, ct);

    /// <inheritdoc/>
    public Task RehearseAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => writer.ChangeAsync(wanted.Address, wanted.Manifest, Uid(live), rehearse: true, ct);

    /// <inheritdoc/>
    public Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) => writer.ChangeAsync(wanted.Address, wanted.Manifest, Uid(live), rehearse: false, ct);

    /// <inheritdoc/>
    public Task TakeBackAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct) =>
        writer.ChangeAsync(wanted.Address, wanted.Manifest, Uid(live), rehearse: false, ct, force: true);

    /// <summary>A namespace takes with it whatever is in it by then, and that may be somebody else's.</summary>
    public async Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct)
    {
        if (live.Address is not { ApiVersion: "v1", Kind: "Namespace" } || await BystandersAsync(live, kinds, ct) is not { Count: > 0 } others)
            return null;
        var more = others.Count > BystandersShown ? $" and {others.Count - BystandersShown} more" : "";
        return $"{live.Address} holds what would go with it and is not this operation's to remove: {string.Join(", ", others.Take(BystandersShown).Select(other => other.Address))}{more}. "
            + "Move or delete it and retry, or skip the step to keep the namespace.";
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct) => writer.DeleteAsync(live, ct);

    /// <inheritdoc/>
    public Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct) =>
        writer.WaitUntilGoneAsync(live.Address, Uid(live), patience, _ => waiting(), ct);

    /// <summary>What else is in a namespace: not made out of something else, nor by Kubernetes for every namespace.</summary>
    private async Task<IReadOnlyList<ObservedObject>> BystandersAsync(ObservedObject space, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct)
    {
        var served = await objects.ServedAsync(kinds, ct);
        var found = await objects.InNamespaceAsync(space.Address.Name, served.Append(new("v1", "Pod")), ct);
        return [.. found.Where(item => item.Manifest["metadata"] is var metadata
            && metadata?["deletionTimestamp"] is null
            && metadata?["ownerReferences"] is null
            && metadata?["annotations"]?["kubernetes.io/service-account.name"] is null
            && !IsLeftByCertificate(item, space)
            && item.Address is not ({ Kind: "ServiceAccount", Name: "default" } or { Kind: "ConfigMap", Name: "kube-root-ca.crt" }))];
    }

    /// <summary>Whether cert-manager made it for a Certificate of the namespace's own environment. One that is still there is found itself.</summary>
    private static bool IsLeftByCertificate(ObservedObject item, ObservedObject space) =>
        item.Manifest["metadata"]?["annotations"]?[Ownership.CertificateNameAnnotation] is not null
        && ((string[])[Ownership.ManagedByLabel, Ownership.PlatformLabel, Ownership.EnvironmentLabel]).All(label => Label(item, label) is { } value && value == Label(space, label));

    private static string? Label(ObservedObject item, string name) => (string?)item.Manifest["metadata"]?["labels"]?[name];

    private static string Uid(ObservedObject live) => (string)live.Manifest["metadata"]!["uid"]!;
}
