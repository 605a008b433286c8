using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Provisioning;

/// <summary>Decides what of an environment is removed and in which order: each component after everything that stands on it. What is kept says why.</summary>
public static class DecommissionPlanner
{
    /// <summary>Traffic ends before what serves it does.</summary>
    private static readonly string[] First = ["Ingress", "Service"];

    /// <param name="observations">Everything of ours in every region; objects of a component in the order in which they are to go.</param>
    /// <param name="includeDataStores">Whether data is to go too. It does only where the guard rails allow it.</param>
    public static ProvisioningPlan Plan(
        EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<RegionObservation> observations, bool includeDataStores)
    {
        var found = observations.SelectMany(observation => observation.Objects)
            .Where(item => Label(item, Ownership.ComponentLabel) is not null && !ObjectOwnership.GoesWithItsOwner(item.Manifest))
            .GroupBy(item => (Component: Label(item, Ownership.ComponentLabel)!, item.Address.Region))
            .ToDictionary(group => $"{group.Key.Component}@{group.Key.Region}");
        var needs = Needs(environment, catalog, [.. observations.Select(observation => observation.Region)]);
        var kept = includeDataStores && environment.GuardRails.MayDestroy ? new Dictionary<string, string>() : WhatStays(catalog, observations, found.Keys, needs);
        var order = DependencyGraph.Order(found.Keys.ToDictionary(
            step => step, step => (IReadOnlyList<string>)[.. found.Keys.Where(other => other != step && Stands(other, step, needs)).Order(StringComparer.Ordinal)]));
        var why = environment.GuardRails.MayDestroy ? "data stores were not asked for (includeDataStores)" : "the guard rails of this environment do not allow it (mayDestroy: false)";
        return ProvisioningPlanner.Hashed(environment, catalog, [.. order.Select(step => new PlannedComponent
        {
            Component = found[step].Key.Component,
            Region = found[step].Key.Region,
            DependsOn = [.. found.Keys.Where(other => other != step && Stands(other, step, needs)).Order(StringComparer.Ordinal)],
            Objects = [.. InOrder(found[step]).Select(item => Plan(item, kept.GetValueOrDefault(step), why, includeDataStores && environment.GuardRails.MayDestroy))],
        })], observations);
    }

    /// <summary>The objects of a component in the order in which they go.</summary>
    internal static IEnumerable<ObservedObject> TrafficFirst(IEnumerable<ObservedObject> objects) => objects.OrderBy(item => First.Contains(item.Address.Kind) ? 0 : 1);

    /// <summary>cert-manager makes a Secret again for as long as its Certificate is there.</summary>
    private static IEnumerable<ObservedObject> InOrder(IEnumerable<ObservedObject> objects) => TrafficFirst(objects).OrderBy(item => ObjectOwnership.IsLeftByCertificate(item.Manifest) ? 1 : 0);

    private static PlannedObject Plan(ObservedObject item, string? store, string why, bool withData)
    {
        var reason = withData ? null
            : store is not null ? $"Kept: {store}, and {why}."
            : item.Address.ApiVersion == ResourceAddress.TemporalApiVersion ? $"Kept: it stays in Temporal's database with its workflow executions, and {why}."
            : DataHolders.Contains(item.Address) ? $"Kept: a {item.Address.Kind} holds data or everything else, and {why}."
            : null;
        return new()
        {
            Address = item.Address,
            Action = reason is null ? PlannedAction.Prune : PlannedAction.None,
            Reason = reason ?? (item.Address.Kind switch
            {
                "Namespace" => "It is ours; the volumes of what is in it go with it.",
                "TemporalNamespace" => "It is ours; the workflow executions in it go with it.",
                "Secret" when item.Manifest["metadata"]?["annotations"]?[Ownership.CertificateNameAnnotation] is { } certificate => $"cert-manager made it for our Certificate {certificate}.",
                _ => "It is ours.",
            }),
            Changes = [],
            ObservedFingerprint = Fingerprint.OfUndeclared(item.Manifest),
        };
    }

    /// <summary>A data store that is kept goes on running: so does what it stands on. And an object that is kept lasts no longer than the definition of its kind.</summary>
    private static Dictionary<string, string> WhatStays(
        ComponentCatalog catalog, IReadOnlyList<RegionObservation> observations, IReadOnlyCollection<string> steps, Dictionary<string, IReadOnlyList<string>> needs)
    {
        var kept = new Dictionary<string, string>();
        foreach (var store in steps.Where(step => catalog.Find(step.Split('@')[0])?.Plane == DataHolders.Plane).Order(StringComparer.Ordinal))
            Keep(store, "it is a data store");
        var defined = from item in observations.SelectMany(observation => observation.Objects)
                      where DataHolders.Contains(item.Address)
                      from component in catalog.Components
                      where component.Provides.Contains(new(item.Address.ApiVersion, item.Address.Kind))
                      orderby item.Address.ToString(), component.Name
                      select (Step: $"{component.Name}@{item.Address.Region}", item.Address);
        foreach (var (step, address) in defined.Where(pair => steps.Contains(pair.Step) && !kept.ContainsKey(pair.Step)))
            Keep(step, $"it defines the kind of {address}");
        return kept;

        void Keep(string step, string why)
        {
            kept[step] = why;
            foreach (var ground in DependencyGraph.Closure([step], needs))
                kept.TryAdd(ground, $"{step} stands on it");
        }
    }

    /// <summary>Whether a step needs another one, directly or not.</summary>
    private static bool Stands(string step, string ground, Dictionary<string, IReadOnlyList<string>> needs) => DependencyGraph.Closure([step], needs).Contains(ground);

    private static Dictionary<string, IReadOnlyList<string>> Needs(EnvironmentSpecification environment, ComponentCatalog catalog, IReadOnlyList<string> regions) =>
        (from component in catalog.Components from region in regions select (component, region))
            .ToDictionary(pair => $"{pair.component.Name}@{pair.region}", pair => ProvisioningPlanner.DependenciesOf(environment, pair.component, pair.region));

    private static string? Label(ObservedObject item, string name) => (string?)item.Manifest["metadata"]?["labels"]?[name];
}
