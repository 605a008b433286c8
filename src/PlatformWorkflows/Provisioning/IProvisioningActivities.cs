using PlatformOps.Platform.Provisioning;
using Temporalio.Activities;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>What provisioning asks of the outside. Every one may run twice: it may die after its effect and before its answer.</summary>
public interface IProvisioningActivities
{
    /// <summary>Reads specification and catalog, observes every region of the environment and plans. Changes nothing.</summary>
    [Activity]
    Task<PlanEnvironmentResult> PlanEnvironmentAsync(PlanEnvironmentInput input);

    /// <summary>Observes one component again and carries its part of the plan out, object by object. Refuses when the facts that the plan
    /// relies on have changed. Calls nothing that changes when there is nothing to do. Heartbeats a sentence on its progress.</summary>
    [Activity]
    Task<ComponentReport> ApplyComponentAsync(ApplyComponentInput input);

    /// <summary>Waits until every health gate of a component passes; fails at once, with the reason of the pod at fault, when it cannot.
    /// Changes nothing. Heartbeats a <see cref="HealthProgress"/>.</summary>
    [Activity]
    Task<ComponentHealth> AwaitHealthAsync(AwaitHealthInput input);

    /// <summary>Removes what one operation created for one component, newest first, and waits until it is gone.</summary>
    [Activity]
    Task<RemovedObjects> RemoveCreatedAsync(CreatedObjectsInput input);

    /// <summary>Lists what exists of what one operation created, in all regions or for one component. Changes nothing.</summary>
    [Activity]
    Task<CreatedObjects> ListCreatedAsync(CreatedObjectsInput input);

    /// <summary>What the specification would have to say so that it is as was found. Changes nothing: the specification is changed where it is kept.</summary>
    [Activity]
    Task<SpecificationChange> ProposeAdoptionAsync(ProposeAdoptionInput input);

    /// <summary>Removes what a plan to decommission wants removed of one component, and waits until it is gone. Refuses what is not ours any more, or another
    /// object than was planned for.</summary>
    [Activity]
    Task<ComponentReport> RemovePlannedAsync(RemovePlannedInput input);

    /// <summary>Lists what exists of ours in all regions, by its labels. Changes nothing.</summary>
    [Activity]
    Task<LedgerPage> ReadLedgerAsync(ReadLedgerInput input);

    /// <summary>Reads what we applied of the objects that a plan would change or remove, so that it can be applied again. Changes nothing.</summary>
    [Activity]
    Task<CapturedComponent> CaptureComponentAsync(CaptureComponentInput input);

    /// <summary>Applies again what was captured, to objects that are still ours, and removes what the operation created for the component.</summary>
    [Activity]
    Task<ComponentReport> RestoreComponentAsync(RestoreComponentInput input);

    /// <summary>Finds other runbooks that change the environment now, or are parked in the middle of it. Changes nothing.</summary>
    [Activity]
    Task<ActingRuns> FindActingRunsAsync(FindActingRunsInput input);
}
