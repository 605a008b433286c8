using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Finds what is ours, by our labels, whatever the specification says of it by now.</summary>
/// <param name="operationId">Only what this operation created, by its mark; null: whoever created it.</param>
internal sealed class OwnObjects(DeclaredSystems systems, RegionObserver observer, SpecifiedEnvironment specified, string? operationId)
{
    private readonly OwnKinds kinds = new(systems, specified);

    /// <summary>Every kind that the catalog declares.</summary>
    public IReadOnlyList<ObjectKind> Kinds => kinds.All;

    /// <param name="component">Only of this one; null: of all.</param>
    /// <returns>In the order in which they are to be removed: what was applied last comes first.</returns>
    public async Task<IReadOnlyList<ObservedObject>> FindAsync(RegionSpecification region, string? component, CancellationToken ct) =>
        (await ObserveAsync(region, component, ct)).Objects;

    /// <inheritdoc cref="FindAsync"/>
    public async Task<RegionObservation> ObserveAsync(RegionSpecification region, string? component, CancellationToken ct)
    {
        var (asked, unanswered) = component is null ? await kinds.AnsweringAsync(region, ct) : (await kinds.ServedAsync(region, component, ct), []);
        var observation = await observer.ObserveAsync(region, [], asked, ct);
        var order = ApplyOrder(region);
        return observation with
        {
            Unanswered = unanswered,
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

    private Dictionary<ResourceAddress, int> ApplyOrder(RegionSpecification region) => specified.InDependencyOrder(region.Name)
        .SelectMany(component => ManifestRenderer.Render(specified.Environment, component, region.Name))
        .Select((item, index) => (item.Address, index))
        .DistinctBy(pair => pair.Address)
        .ToDictionary(pair => pair.Address, pair => pair.index);

    private static string? Label(ObservedObject item, string name) => (string?)item.Manifest["metadata"]?["labels"]?[name];
}
