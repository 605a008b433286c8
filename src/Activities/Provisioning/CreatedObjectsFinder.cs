using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Finds what one operation created, by its mark and our labels, whatever the specification says of it by now.</summary>
internal sealed class CreatedObjectsFinder(RegionConnections connections, RegionObserver observer, SpecifiedEnvironment specified, string operationId)
{
    /// <param name="component">Only of this one; null: of all.</param>
    /// <returns>In the order in which they are to be removed: what was applied last comes first.</returns>
    public async Task<IReadOnlyList<ObservedObject>> FindAsync(RegionSpecification region, string? component, CancellationToken ct)
    {
        var temporal = Kinds.FindAll(kind => kind.ApiVersion == ResourceAddress.TemporalApiVersion && (component is null || specified.Catalog.Find(component) is not { } one || KindsOf(one).Contains(kind)));
        var served = await ServedAsync(region, ct);
        var observation = await observer.ObserveAsync(specified, region, [.. served, .. temporal], [], ct);
        var order = ApplyOrder(region);
        return [.. observation.Objects
            .Where(item => IsCreated(item) && (component is null || Label(item, Ownership.ComponentLabel) == component))
            .OrderByDescending(item => order.GetValueOrDefault(item.Address, int.MaxValue))
            .ThenByDescending(item => (string?)item.Manifest["metadata"]?["creationTimestamp"], StringComparer.Ordinal)
            .ThenBy(item => item.Address.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>What else is in a namespace that is to go, and would go with it: not made out of something else, nor by Kubernetes for every namespace.</summary>
    public async Task<IReadOnlyList<ObservedObject>> BystandersAsync(RegionSpecification region, string space, CancellationToken ct)
    {
        var kinds = (await ServedAsync(region, ct)).Append(new("v1", "Pod"));
        var found = await new LiveObjects(connections.Cluster(region)).InNamespaceAsync(space, kinds, ct);
        return [.. found.Where(item => item.Manifest["metadata"] is var metadata
            && metadata?["deletionTimestamp"] is null
            && metadata?["ownerReferences"] is null
            && metadata?["annotations"]?["kubernetes.io/service-account.name"] is null
            && item.Address is not ({ Kind: "ServiceAccount", Name: "default" } or { Kind: "ConfigMap", Name: "kube-root-ca.crt" }))];
    }

    /// <summary>Whether the operation created it, and it is still ours.</summary>
    public bool IsCreated(ObservedObject item) =>
        (string?)item.Manifest["metadata"]?["annotations"]?[Ownership.CreatedByAnnotation] == operationId
        && specified.Labels.All(label => Label(item, label.Key) == label.Value)
        // A copy that a controller made goes with its owner.
        && item.Manifest["metadata"]?["ownerReferences"] is null;

    private List<ObjectKind> Kinds => [.. specified.Catalog.Components.SelectMany(KindsOf).Distinct()];

    /// <summary>What the cluster does not even serve cannot have been created there.</summary>
    private Task<IReadOnlyList<ObjectKind>> ServedAsync(RegionSpecification region, CancellationToken ct) =>
        new LiveObjects(connections.Cluster(region)).ServedAsync(Kinds.Where(kind => kind.ApiVersion != ResourceAddress.TemporalApiVersion), ct);

    private Dictionary<ResourceAddress, int> ApplyOrder(RegionSpecification region) => specified.InDependencyOrder(region.Name)
        .SelectMany(component => ManifestRenderer.Render(specified.Environment, component, region.Name))
        .Select((item, index) => (item.Address, index))
        .DistinctBy(pair => pair.Address)
        .ToDictionary(pair => pair.Address, pair => pair.index);

    private static IEnumerable<ObjectKind> KindsOf(ComponentDefinition component) =>
        component.Manifests.Select(manifest => new ObjectKind((string)manifest.Tree["apiVersion"]!, (string)manifest.Tree["kind"]!))
            .Concat(component.Secrets.Count > 0 ? [new ObjectKind("v1", "Secret")] : []);

    private static string? Label(ObservedObject item, string name) => (string?)item.Manifest["metadata"]?["labels"]?[name];
}
