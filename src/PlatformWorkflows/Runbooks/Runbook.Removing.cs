using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Provisioning;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>How a run removes what a plan says is to go.</summary>
public abstract partial class Runbook
{
    /// <summary>One step: everything of a component that is to go.</summary>
    private protected async Task RemovePlannedAsync(PlannedComponent component)
    {
        var (todo, all) = (component.Objects.Count(planned => planned.Action == PlannedAction.Prune), component.Objects.Count);
        if (todo == 0)
        {
            Steps!.Record(component, [.. component.Objects.Select(planned => new ObjectOutcome(planned.Address, component.Component, null, ObjectResult.Unchanged))]);
            Steps.Finish(component, StepState.Done, component.Retired ? component.Objects[0].Reason : "Kept.", Now);
            return;
        }

        Steps!.Start(component, $"Removing {todo} of {all} objects.", null, Now);
        try
        {
            var removed = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.RemovePlannedAsync(new(Reference(component), component)),
                new()
                {
                    Summary = $"Remove {component.Step} ({todo} objects)",
                    // Managed databases take their time to go.
                    StartToCloseTimeout = TimeSpan.FromHours(1),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumAttempts = 6 },
                    CancellationToken = Acting.Token,
                    CancellationType = ActivityCancellationType.WaitCancellationCompleted,
                });
            Steps.Record(component, removed.Objects);
            Steps.Finish(component, StepState.Done, todo == all ? $"Removed {todo} objects." : $"Removed {todo} objects, kept {all - todo}.", Now);
        }
        catch (Exception failure) when (failure is ActivityFailureException || TemporalException.IsCanceledException(failure))
        {
            Steps.Finish(component, StepState.Failed, TemporalException.IsCanceledException(failure) ? "Stopped by the abort." : FailureReason.Of(failure), Now);
        }
    }
}
