using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Provisioning;

/// <summary>Removes what a plan to decommission names, as long as it is what was planned for: look again, compare, then remove.</summary>
internal sealed class PlannedRemover(DeclaredSystems systems, OwnObjects own, SpecifiedEnvironment specified, ComponentReference reference, Action<string> heartbeat)
{
    public async Task<ComponentReport> RemoveAsync(PlannedComponent plan, CancellationToken ct)
    {
        var region = specified.Region(reference.Region);
        var live = new List<ObservedObject>();
        foreach (var planned in plan.Objects.Where(planned => planned.Action == PlannedAction.Prune))
        {
            heartbeat($"Looking at {planned.Address}");
            // What is gone was removed by an earlier attempt, or went with its namespace.
            var system = systems.Of(planned.Address.ApiVersion, region);
            if (await system.ServedAsync([RegionObserver.KindOf(planned.Address)], ct) is [] || await system.FindAsync(planned.Address, ct) is not { } found)
                continue;
            RefuseOthers(planned, found);
            live.Add(found);
        }

        // That workflow executions go with their namespace is what the plan says.
        await new ObjectRemover(systems, own, heartbeat).RemoveAsync(region, live, ct, "TemporalNamespace");
        return new([.. plan.Objects.Select(planned => new ObjectOutcome(
            planned.Address, Owner, reference.OperationId, planned.Action == PlannedAction.Prune ? ObjectResult.Pruned : ObjectResult.Unchanged))]);
    }

    private string Owner => $"{reference.Component} of {specified.Environment.Platform}/{specified.Environment.Name}";

    private void RefuseOthers(PlannedObject planned, ObservedObject found)
    {
        if (!own.IsOurs(found))
            throw Refused(FailureTypes.Conflict, $"{planned.Address} does not carry our labels any more. Settle whose it is, then retry the step, or skip it to leave it.");
        if (Fingerprint.OfUndeclared(found.Manifest) != planned.ObservedFingerprint)
            throw Refused(FailureTypes.FactsChanged, $"{planned.Address} is another object than the one that was planned for. Abort and start again to plan with the facts of now, or skip the step to leave it.");
    }

    private static ApplicationFailureException Refused(string type, string message) => new($"{message} Nothing of this step was removed.", type, nonRetryable: true);
}
