using System.Globalization;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Platform.Scaling;

/// <summary>A rollout of a worker version as a plan, so that it is shown, hashed and approved like every other.</summary>
public static class RolloutPlan
{
    /// <param name="component">Whose workers they are.</param>
    /// <param name="temporalNamespace">Where they poll.</param>
    public static ProvisioningPlan Of(
        EnvironmentSpecification environment, ComponentCatalog catalog, string component, string region, string temporalNamespace, RolloutSight sight, RolloutPolicy policy)
    {
        var decision = RolloutRules.Decide(sight, policy, null);
        var changes = decision.Verdict is not (RolloutVerdict.Finished or RolloutVerdict.Leave);
        return ProvisioningPlanner.Hashed(environment, catalog,
        [
            new()
            {
                Component = component,
                Region = region,
                DependsOn = [],
                Objects =
                [
                    new()
                    {
                        Address = new(region, ResourceAddress.TemporalApiVersion, "WorkerDeployment", temporalNamespace, sight.Deployment),
                        Action = changes ? PlannedAction.Change : decision.Verdict == RolloutVerdict.Leave ? PlannedAction.Conflict : PlannedAction.None,
                        Reason = decision.Why,
                        Changes = changes
                            ? [new("currentVersion", sight.Current, policy.BuildId), new("percentages", null, string.Join(", ", policy.Percentages.Append(100).Select(part => part.ToString("0.##", CultureInfo.InvariantCulture))))]
                            : [],
                    },
                ],
            },
        ], []);
    }
}
