using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>What a run tells people while it goes on and at its end.</summary>
public sealed partial class DecommissionEnvironment
{
    private protected override string AbortAnswer => "Aborting; nothing more is removed. What is gone stays gone.";

    private protected override string PlanInWords() =>
        $"{CurrentPlan!.Components.Count} steps: {Planned(PlannedAction.Prune).Count()} objects to remove, {Planned(PlannedAction.None).Count()} to keep.";

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval, which is always needed.",
        RunbookPhase.AwaitingApproval => "Exactly this plan is removed when it has been approved.",
        RunbookPhase.Acting when Steps!.All.FirstOrDefault(step => step.State == StepState.Pending) is { } pending => pending.Name,
        RunbookPhase.Acting => "A listing that proves that nothing is left.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        _ => null,
    };

    private protected override string IfStoppedNow() => ActedAtAll
        ? $"{Steps!.CountOf(StepState.Done)} of {Steps.Count} steps are removed, and cannot be brought back but by provisioning; the next run goes on with the rest."
        : "Nothing has been removed.";

    private IEnumerable<PlannedObject> Planned(PlannedAction action) =>
        (CurrentPlan?.Components ?? []).SelectMany(component => component.Objects).Where(planned => planned.Action == action);

    private DecommissionReport EndWithNothingToDo() => Planned(PlannedAction.None).Any()
        ? End(RunbookPhase.Rejected, DecommissionOutcome.Refused, "Everything that is left is kept; nothing was done.")
        : End(RunbookPhase.Completed, DecommissionOutcome.Removed, "There is nothing of ours.");

    private DecommissionReport EndWith(IReadOnlyList<string> left, IReadOnlyList<string> lost)
    {
        var kept = Planned(PlannedAction.None).Count() - lost.Count;
        var words = $"{Steps!.Outcomes().Count(outcome => outcome.Result == ObjectResult.Pruned)} objects were removed, {kept} were kept as planned";
        if (lost.Count > 0)
            words += $", {lost.Count} that were to be kept are gone (lost)";
        if (Steps.AnySkipped)
            return End(RunbookPhase.Completed, DecommissionOutcome.Incomplete, $"{words}, but some steps were skipped: {Skipped()}.", left, lost);
        if (left.Count > 0)
            return End(RunbookPhase.Completed, DecommissionOutcome.Incomplete, $"{words}, and something else is left.", left, lost);
        return lost.Count > 0
            ? End(RunbookPhase.Completed, DecommissionOutcome.Incomplete, $"{words}: see what removed them.", left, lost)
            : End(RunbookPhase.Completed, DecommissionOutcome.Removed, $"{words}; a listing finds nothing else of ours.");
    }

    private DecommissionReport End(RunbookPhase final, DecommissionOutcome outcome, string why, IReadOnlyList<string>? left = null, IReadOnlyList<string>? lost = null)
    {
        EnterPhase(final, why);
        var report = new DecommissionReport
        {
            Environment = Request.Environment,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = why,
            PlanHash = CurrentPlan?.Hash,
            Steps = Steps?.All ?? [],
            Results = (Steps?.Outcomes() ?? []).GroupBy(item => item.Result).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => group.Count()),
            Kept = [.. Planned(PlannedAction.None).Where(planned => lost?.Contains($"{planned.Address}") != true).Select(planned => $"{planned.Address}: {planned.Reason}")],
            LeftBehind = left ?? [],
            Lost = lost ?? [],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
        return ReportSize.Fits(report) ? report : report with { Kept = [$"{report.Kept.Count} objects; the query plan names them with the reasons."] };
    }
}
