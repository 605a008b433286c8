using System.Globalization;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>A change of a number of replicas as a plan, so that it is shown, hashed and approved like every other.</summary>
public static class ScalePlan
{
    /// <param name="address">The workload.</param>
    /// <param name="until">When the number of before comes back; null: it does not.</param>
    public static ProvisioningPlan Of(EnvironmentSpecification environment, ComponentCatalog catalog, string component, ResourceAddress address, ScalingDecision decision, DateTimeOffset? until) =>
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
                        Action = decision.Verdict switch { ScalingVerdict.Scale => PlannedAction.Change, ScalingVerdict.Wait => PlannedAction.None, _ => PlannedAction.Conflict },
                        Reason = decision.Why,
                        Changes = decision.Verdict == ScalingVerdict.Scale
                            ? [new("spec.replicas", Word(decision.From), Word(decision.To)), .. until is { } end ? [new FieldChange(ScaleMarks.Until, null, ScaleMarks.Text(end))] : Array.Empty<FieldChange>()]
                            : [],
                    },
                ],
            },
        ], []);

    private static string? Word(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
