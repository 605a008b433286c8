using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Provisioning.Preflight;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Refuses a plan that could not be carried out: our credentials do not allow it, or a quota does not leave room. Changes nothing, and asks
/// nothing of a region where nothing is to change.</summary>
internal sealed class PlanPreflight(DeclaredSystems systems, SpecifiedEnvironment specified)
{
    /// <exception cref="ApplicationFailureException">Something is missing; every such thing is named.</exception>
    public async Task CheckAsync(ProvisioningPlan plan, IReadOnlyList<RegionObservation> observations, CancellationToken ct)
    {
        foreach (var region in specified.Environment.Regions)
        {
            var needs = AccessNeeds.Of(plan, region.Name).Where(need => systems.InCluster(need.ApiVersion)).ToList();
            if (needs.Count == 0)
                continue;
            var cluster = systems.Cluster(region);
            await RequireAccessAsync(cluster, needs, ct);
            await RequireRoomAsync(cluster, plan, observations.First(observation => observation.Region == region.Name), ct);
        }
    }

    private static async Task RequireAccessAsync(KubernetesConnection cluster, IReadOnlyCollection<AccessNeed> needs, CancellationToken ct)
    {
        if (await new AccessReviews(cluster).DeniedAsync(needs, ct) is not { Count: > 0 } denied)
            return;
        var missing = denied.GroupBy(need => (need.ApiVersion, need.Kind, need.Namespace))
            .Select(group => $"{string.Join(", ", group.Select(need => need.Verb))} {group.Key.Kind} ({group.Key.ApiVersion}) in {group.Key.Namespace ?? "the whole cluster"}");
        throw new ApplicationFailureException(
            $"The Kubernetes API of {cluster.Region} ({cluster.Account.Address}, context {cluster.Account.Context}) does not let us do what the plan takes: {string.Join("; ", missing)}. "
            + "Nothing was changed. Grant it to the user of this context, then start again.",
            FailureTypes.Forbidden, nonRetryable: true);
    }

    private async Task RequireRoomAsync(KubernetesConnection cluster, ProvisioningPlan plan, RegionObservation observation, CancellationToken ct)
    {
        var desired = plan.Components.Where(component => component.Region == observation.Region && !component.Retired)
            .SelectMany(component => ManifestRenderer.Render(specified.Environment, specified.Catalog.Find(component.Component)!, component.Region))
            .ToList();
        var quotas = await new LiveObjects(cluster).ListAsync(new("v1", "ResourceQuota"), null, "", ct);
        if (QuotaCheck.Problems(desired, observation.Objects, quotas) is { Count: > 0 } problems)
            throw new ApplicationFailureException(
                $"{string.Join("\n", problems)}\nNothing was changed.", FailureTypes.QuotaExceeded, nonRetryable: true);
    }
}
