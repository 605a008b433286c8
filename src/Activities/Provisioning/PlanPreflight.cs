using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Catalog;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Provisioning.Preflight;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Refuses a plan that could not be carried out: our credentials do not allow it, a quota does not leave room, or Helm is at work where a chart is to
/// go. Changes nothing, and asks nothing of a region where nothing is to change.</summary>
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
            var desired = Desired(plan, region.Name);
            await RequireRoomAsync(cluster, desired, observations.First(observation => observation.Region == region.Name), ct);
            await RequireNoUnfinishedReleaseAsync(cluster, plan, desired, ct);
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

    private List<DesiredObject> Desired(ProvisioningPlan plan, string region) =>
    [
        .. plan.Components.Where(component => component.Region == region && !component.Retired)
            .SelectMany(component => ManifestRenderer.Render(specified.Environment, specified.Catalog.Find(component.Component)!, component.Region)),
    ];

    private static async Task RequireRoomAsync(KubernetesConnection cluster, List<DesiredObject> desired, RegionObservation observation, CancellationToken ct)
    {
        var live = new LiveObjects(cluster);
        var quotas = await live.ListAsync(new("v1", "ResourceQuota"), null, "", ct);
        // Claims make room only: they are listed when there is none without them.
        if (QuotaCheck.Problems(desired, observation.Objects, quotas, []).Count == 0)
            return;
        var claims = await live.ListAsync(new("v1", "PersistentVolumeClaim"), null, "", ct);
        if (QuotaCheck.Problems(desired, observation.Objects, quotas, claims) is { Count: > 0 } problems)
            throw new ApplicationFailureException(
                $"{string.Join("\n", problems)}\nNothing was changed.", FailureTypes.QuotaExceeded, nonRetryable: true);
    }

    private static async Task RequireNoUnfinishedReleaseAsync(KubernetesConnection cluster, ProvisioningPlan plan, List<DesiredObject> desired, CancellationToken ct)
    {
        if (HelmReleases.Applications(plan, desired) is not { Count: > 0 } applications)
            return;
        var unfinished = await new LiveObjects(cluster).ListAsync(new("v1", "Secret"), null, HelmReleases.Unfinished, ct);
        if (HelmReleases.Problems(applications, unfinished) is { Count: > 0 } problems)
            throw new ApplicationFailureException($"{string.Join("\n", problems)}\nNothing was changed.", FailureTypes.Conflict, nonRetryable: true);
    }
}
