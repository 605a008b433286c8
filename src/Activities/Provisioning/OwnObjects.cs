using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Finds what is ours, by our labels, whatever the specification says of it by now.</summary>
/// <param name="operationId">Only what this operation created, by its mark; null: whoever created it.</param>
internal sealed class OwnObjects(DeclaredSystems systems, RegionObserver observer, SpecifiedEnvironment specified, string? operationId)
{
    /// <summary>Every kind that the catalog declares.</summary>
    public IReadOnlyList<ObjectKind> Kinds { get; } = [.. specified.Catalog.Components.SelectMany(component => component.Kinds).Distinct()];

    /// <param name="component">Only of this one; null: of all.</param>
    /// <returns>In the order in which they are to be removed: what was applied last comes first.</returns>
    public async Task<IReadOnlyList<ObservedObject>> FindAsync(RegionSpecification region, string? component, CancellationToken ct) =>
        (await ObserveAsync(region, component, ct)).Objects;

    /// <inheritdoc cref="FindAsync"/>
    public async Task<RegionObservation> ObserveAsync(RegionSpecification region, string? component, CancellationToken ct)
    {
        // A system other than the cluster is asked only for components that have something there: the others do not need it, or us to have a login for it.
        var own = specified.InDependencyOrder().Where(one => component is null || one.Name == component).SelectMany(one => one.Kinds).ToHashSet();
        var served = new List<ObjectKind>();
        foreach (var (system, kinds) in systems.BySystem(Kinds.Where(kind => systems.InCluster(kind.ApiVersion) || (own.Contains(kind) && !IsElsewhere(kind, region))), kind => kind.ApiVersion, region))
            served.AddRange(await system.ServedAsync(kinds, ct));
        var observation = await observer.ObserveAsync(region, [], served, ct);
        var order = ApplyOrder(region);
        return observation with
        {
            Objects = [.. observation.Objects
            .Where(item => IsOurs(item) && (component is null || Label(item, Ownership.ComponentLabel) == component))
            .OrderByDescending(item => order.GetValueOrDefault(item.Address, int.MaxValue))
            .ThenByDescending(item => (string?)item.Manifest["metadata"]?["creationTimestamp"], StringComparer.Ordinal)
            .ThenBy(item => item.Address.ToString(), StringComparer.Ordinal)],
        };
    }

    /// <summary>Whether it is still ours, and the operation created it.</summary>
    public bool IsOurs(ObservedObject item) =>
        (operationId is null || (string?)item.Manifest["metadata"]?["annotations"]?[Ownership.CreatedByAnnotation] == operationId)
        && specified.Labels.All(label => Label(item, label.Key) == label.Value)
        // A copy that a controller made goes with its owner.
        && item.Manifest["metadata"]?["ownerReferences"] is null;

    /// <summary>Whether only other regions have components with such objects: a system that is one for all regions would show theirs in this one too.</summary>
    private bool IsElsewhere(ObjectKind kind, RegionSpecification region) =>
        specified.InDependencyOrder().Any(component => component.Kinds.Contains(kind)) && !specified.InDependencyOrder(region.Name).Any(component => component.Kinds.Contains(kind));

    private Dictionary<ResourceAddress, int> ApplyOrder(RegionSpecification region) => specified.InDependencyOrder(region.Name)
        .SelectMany(component => ManifestRenderer.Render(specified.Environment, component, region.Name))
        .Select((item, index) => (item.Address, index))
        .DistinctBy(pair => pair.Address)
        .ToDictionary(pair => pair.Address, pair => pair.index);

    private static string? Label(ObservedObject item, string name) => (string?)item.Manifest["metadata"]?["labels"]?[name];
}
