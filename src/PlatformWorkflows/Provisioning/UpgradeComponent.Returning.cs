using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>How a run returns every region to what was applied before, and sees whether that does well.</summary>
public sealed partial class UpgradeComponent
{
    /// <summary>What the return of a step removed, since the upgrade had created it.</summary>
    private readonly Dictionary<string, IReadOnlyList<ResourceAddress>> removed = [];

    /// <summary>Applies again what was applied before, in every region that was begun, newest first. What cannot be returned parks the run.</summary>
    private async Task<UpgradeReport> ReturnAsync(string why)
    {
        WaitingFor = null;
        if (before.Count == 0)
            return End(RunbookPhase.Aborted, UpgradeOutcome.Rejected, $"{why} Nothing was changed.");
        EnterPhase(RunbookPhase.RollingBack, $"{why} Returning to what was applied before, newest first.");
        Steps!.GiveUp("Not started: the upgrade was given up.");
        var left = new List<string>();
        foreach (var step in CurrentPlan!.Components.Where(step => before.ContainsKey(step.Step)).Reverse())
        {
            while (!await IsRestoredAsync(step))
            {
                Undoing = step.Step;
                var answered = await ParkAsync($"Parked while returning: {step.Step}: {Steps.Find(step.Step)!.Detail}", CancellationToken.None);
                Undoing = null;
                EnterPhase(RunbookPhase.RollingBack, "Going on with the return.");
                if (answered && Steps.Find(step.Step)!.State != StepState.Skipped)
                    continue;
                left.Add($"{step.Step}: {Steps.Find(step.Step)!.Detail}");
                break;
            }
        }

        if (left.Count > 0)
            return End(RunbookPhase.Failed, UpgradeOutcome.Failed, $"{why} Not every region could be returned to what was applied before.", left);
        const string Done = "What was applied before is applied again in every region that was begun";
        // Runs that were started before this was known end without it.
        if (!Workflow.Patched("health-after-return"))
            return End(RunbookPhase.Aborted, UpgradeOutcome.Returned, $"{why} {Done}.");
        var unhealthy = (await Workflow.WhenAllAsync(CurrentPlan.Components.Where(step => before.ContainsKey(step.Step)).Select(HealthAfterReturnAsync))).OfType<string>().ToList();
        return unhealthy.Count == 0
            ? End(RunbookPhase.Aborted, UpgradeOutcome.Returned, $"{why} {Done}, and it is healthy there.")
            : End(RunbookPhase.Failed, UpgradeOutcome.Unhealthy, $"{why} {Done}, but it is not healthy with it: {string.Join(" ", unhealthy)}");
    }

    private async Task<bool> IsRestoredAsync(PlannedComponent step)
    {
        try
        {
            var restored = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.RestoreComponentAsync(new(Reference(step), before[step.Step])), Options($"Return {step.Step} to what was applied before", CancellationToken.None));
            Steps!.Record(step, restored.Objects);
            removed[step.Step] = [.. restored.Objects.Select(outcome => outcome.Address).Except(before[step.Step].Manifests.Select(captured => captured.Address))];
            Steps.Finish(step, StepState.RolledBack, $"Returned {restored.Objects.Count} objects to what they were.", Now);
            return true;
        }
        catch (ActivityFailureException failure)
        {
            if (FailureReason.DetailOf<ComponentReport>(failure) is { } done)
                Steps!.Record(step, done.Objects);
            Steps!.Finish(step, StepState.Failed, FailureReason.Of(failure), Now);
            return false;
        }
    }

    /// <summary>What no cluster holds: gates compare it with what is declared, which is the newer by now.</summary>
    private IReadOnlyList<CapturedObject> Compared(PlannedComponent step) =>
        [.. before[step.Step].Manifests.Where(captured => captured.Address.ApiVersion.Contains(".platformops.io/", StringComparison.Ordinal))];

    /// <summary>Null when the step is healthy with what was applied before, otherwise the reason.</summary>
    private async Task<string?> HealthAfterReturnAsync(PlannedComponent step)
    {
        try
        {
            var health = await Workflow.ExecuteActivityAsync(
                (IProvisioningActivities activities) => activities.AwaitHealthAsync(new(Reference(step), request!.HealthyWithin, removed[step.Step], Compared(step))),
                new()
                {
                    Summary = $"Health of {step.Step} after its return",
                    ScheduleToCloseTimeout = request!.HealthyWithin + TimeSpan.FromMinutes(2),
                    HeartbeatTimeout = TimeSpan.FromSeconds(15),
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromSeconds(10), MaximumAttempts = 10 },
                    // An abort returns too.
                    CancellationToken = CancellationToken.None,
                });
            Steps!.Finish(step, StepState.RolledBack, $"{Steps.Find(step.Step)!.Detail} {health.Message}", Now);
            return null;
        }
        catch (ActivityFailureException failure)
        {
            Steps!.Finish(step, StepState.RolledBack, $"{Steps.Find(step.Step)!.Detail} Not healthy with it: {FailureReason.Of(failure)}", Now);
            return $"{step.Step}: {FailureReason.Of(failure)}";
        }
    }
}
