using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>How a run tells people where it stands, while it goes on and at its end.</summary>
public sealed partial class ProvisionEnvironment
{
    /// <summary>What this run created and has not removed again, with what it costs and what would undo it.</summary>
    [WorkflowQuery("ledger")]
    public IReadOnlyList<LedgerEntry> Ledger() =>
        [.. (Steps?.Outcomes() ?? []).Where(outcome => outcome.Result == ObjectResult.Created)
            .Select(outcome => Platform.Provisioning.Ledger.Entry(outcome.Address, outcome.Owner, outcome.OperationId, outcome.Cost ?? CostClass.None))];

    private protected override string AbortAnswer => "Aborting; what this run created is being removed, newest first.";

    /// <summary>Why a step must not even be started; null when it may.</summary>
    private string? Impediment(PlannedComponent component)
    {
        if (component.Objects.Where(planned => planned.Action == PlannedAction.Conflict).ToList() is { Count: > 0 } conflicts)
            return $"{string.Join(" ", conflicts.Select(planned => $"{planned.Address}: {planned.Reason}"))} Nothing of this step was applied; settle who owns it, then abort and start again.";
        if (!GuardRails.MayDestroy && component.Objects.FirstOrDefault(planned => planned.Action == PlannedAction.Prune) is { } prune)
            return $"{prune.Address} would be removed, which the guard rails of {Request.Environment} do not allow (mayDestroy: false). Remove it by hand or allow it, then start again.";
        return null;
    }

    private static List<ObjectOutcome> Conflicts(PlannedComponent component) =>
        [.. component.Objects.Where(planned => planned.Action == PlannedAction.Conflict)
            .Select(planned => new ObjectOutcome(planned.Address, planned.Reason, null, ObjectResult.Conflict))];

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval where the guard rails want it, then the first Steps.",
        RunbookPhase.AwaitingApproval => "The plan is applied when it has been approved.",
        RunbookPhase.Acting when Steps!.All.FirstOrDefault(step => step.State == StepState.Pending) is { } pending => pending.Name,
        RunbookPhase.Acting => "The report, when the running steps are healthy.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        RunbookPhase.RollingBack => "A listing that proves that nothing is left.",
        _ => null,
    };

    private protected override string IfStoppedNow() => Phase switch
    {
        _ when !ActedAtAll => "Nothing has been changed.",
        RunbookPhase.Completed or RunbookPhase.Aborted or RunbookPhase.Failed => "The run has ended; see its report.",
        _ when Acting.IsCancellationRequested => "Partly rolled back; what is left carries this operation's id, and the next run adopts it.",
        _ => $"{Steps!.CountOf(StepState.Done)} of {Steps.Count} steps are as planned, the others as they were or partly applied; the next run adopts what is there.",
    };

    private protected override IReadOnlyList<string> Compensations()
    {
        if (Steps is null || Ended)
            return [];
        return [.. Steps.StartedNewestFirst().SelectMany(Compensations)];
    }

    private IEnumerable<string> Compensations(PlannedComponent component)
    {
        var outcomes = Steps!.OutcomesOf(component);
        if (Steps.Find(component.Step)!.State == StepState.Running)
            yield return $"Remove what {component.Step} has created by then";
        else if (outcomes.Count == 0)
            yield return $"Remove what {component.Step} has created, if anything";
        foreach (var created in outcomes.Where(outcome => outcome.Result == ObjectResult.Created).Reverse())
            yield return $"Remove {created.Address}";
    }

    private ProvisioningReport EndWithAllSteps()
    {
        var changed = Steps!.Outcomes().Count(outcome => outcome.Result is ObjectResult.Created or ObjectResult.Changed or ObjectResult.Pruned);
        var what = changed == 0 ? "Nothing had to be changed" : $"{changed} objects were created, changed or removed";
        if (RetiredAndKept.Count() is > 0 and var kept)
            what += $"; {kept} objects of components that the environment does not have any more are kept, each with its reason in the plan";
        return Steps.AnySkipped
            ? End(RunbookPhase.Completed, ProvisioningOutcome.Incomplete, $"{what}, but some steps were skipped: {Skipped()}.")
            : End(RunbookPhase.Completed, ProvisioningOutcome.Healthy, $"{what}; all {Steps.Count} steps are healthy.");
    }

    private IEnumerable<PlannedObject> RetiredAndKept =>
        CurrentPlan!.Components.Where(component => component.Retired).SelectMany(component => component.Objects).Where(planned => planned.Action == PlannedAction.None);

    private ProvisioningReport EndUnfinished(string why, IReadOnlyList<string> left) =>
        End(RunbookPhase.Failed, ProvisioningOutcome.Failed, $"{why} The next run adopts what is there.", left);

    private ProvisioningReport End(RunbookPhase final, ProvisioningOutcome outcome, string why, IReadOnlyList<string>? left = null)
    {
        EnterPhase(final, why);
        var objects = Steps?.Outcomes() ?? [];
        var notRestored = outcome is ProvisioningOutcome.RolledBack or ProvisioningOutcome.Failed
            ? objects.Where(item => item.Result is ObjectResult.Changed or ObjectResult.Pruned)
                .Select(item => $"{item.Address}: {InWords(item.Result)} by this run and not restored; it is as the specification wants it")
            : [];
        return ReportSize.Fit(new()
        {
            Environment = Request.Environment,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = why,
            Plan = outcome == ProvisioningOutcome.Planned || (GuardRails.Approvals > 0 && CurrentPlan is not null && HasChanges) ? CurrentPlan : null,
            PlanHash = CurrentPlan?.Hash,
            Steps = Steps?.All ?? [],
            Objects = objects,
            Results = objects.GroupBy(item => item.Result).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => group.Count()),
            LeftBehind = [.. left ?? [], .. notRestored],
            StartedAt = StartedAt,
            FinishedAt = Now,
        });
    }
}
