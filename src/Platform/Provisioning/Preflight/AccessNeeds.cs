namespace PlatformOps.Platform.Provisioning.Preflight;

/// <summary>Something that our credentials have to allow before a plan may begin.</summary>
/// <param name="Verb">As in RBAC rules: create, patch, delete.</param>
/// <param name="Namespace">Null for cluster-scoped objects.</param>
public sealed record AccessNeed(string Verb, string ApiVersion, string Kind, string? Namespace);

/// <summary>Which permissions carrying out a plan takes. Reading is not among them: who could not read could not have planned.</summary>
public static class AccessNeeds
{
    /// <summary>Of one region, each once. What is created may have to be removed again by a rollback, so that takes the right to delete too.</summary>
    public static IReadOnlyList<AccessNeed> Of(ProvisioningPlan plan, string region) =>
    [
        .. plan.Components.Where(component => component.Region == region)
            .SelectMany(component => component.Objects)
            .SelectMany(planned => Verbs(planned.Action).Select(verb => new AccessNeed(verb, planned.Address.ApiVersion, planned.Address.Kind, planned.Address.Namespace)))
            .Distinct(),
    ];

    /// <summary>Server-side apply is a patch, and creates only where create is allowed too
    /// (https://kubernetes.io/docs/reference/using-api/server-side-apply/#permissions).</summary>
    private static string[] Verbs(PlannedAction action) => action switch
    {
        PlannedAction.Create => ["create", "patch", "delete"],
        PlannedAction.Change => ["patch"],
        PlannedAction.Prune => ["delete"],
        _ => [],
    };
}
