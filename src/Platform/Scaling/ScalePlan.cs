using System.Globalization;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>A change of a number of replicas, or of the class of a managed database, as a plan, so that it is shown, hashed and approved like every other.</summary>
public static class ScalePlan
{
    /// <param name="address">The workload.</param>
    /// <param name="until">When the number of before comes back; null: it does not.</param>
    public static ProvisioningPlan Of(EnvironmentSpecification environment, ComponentCatalog catalog, string component, ResourceAddress address, ScalingDecision decision, DateTimeOffset? until) =>
        Of(environment, catalog, component, address, decision.Verdict, decision.Why, new("spec.replicas", Word(decision.From), Word(decision.To)), until);

    /// <param name="address">The database instance.</param>
    /// <param name="until">When the class of before comes back; null: it does not.</param>
    public static ProvisioningPlan Of(EnvironmentSpecification environment, ComponentCatalog catalog, string component, ResourceAddress address, DatabaseClassDecision decision, DateTimeOffset? until) =>
        Of(environment, catalog, component, address, decision.Verdict, decision.Why, new("spec.instanceClass", decision.From, decision.To), until);

    private static ProvisioningPlan Of(
        EnvironmentSpecification environment, ComponentCatalog catalog, string component, ResourceAddress address, ScalingVerdict verdict, string why, FieldChange change, DateTimeOffset? until) =>
        ProvisioningPlanner.Hashed(environment, catalog,
        [
            new()
            {
                Component = component,
                Region = address.Region,
                DependsOn = [],
                Objects =
                [
                    new()
                    {
                        Address = address,
                        Action = verdict switch { ScalingVerdict.Scale => PlannedAction.Change, ScalingVerdict.Wait => PlannedAction.None, _ => PlannedAction.Conflict },
                        Reason = why,
                        Changes = verdict == ScalingVerdict.Scale
                            ? [change, .. until is { } end ? [new FieldChange(ScaleMarks.Until, null, ScaleMarks.Text(end))] : Array.Empty<FieldChange>()]
                            : [],
                    },
                ],
            },
        ], []);

    private static string? Word(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
