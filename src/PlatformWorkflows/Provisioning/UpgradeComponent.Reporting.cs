using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>What a run tells people while it goes on and at its end.</summary>
public sealed partial class UpgradeComponent
{
    private protected override string AbortAnswer => "Aborting; every region that was begun returns to what was applied before.";

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval where the guard rails want it, then the first region.",
        RunbookPhase.AwaitingApproval => "The first region is upgraded when the plan has been approved.",
        RunbookPhase.Acting when Steps!.All.FirstOrDefault(step => step.State == StepState.Pending) is { } pending => pending.Name,
        RunbookPhase.Acting => "The report, when the last region is healthy.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        RunbookPhase.RollingBack => "The report, when every region is as it was.",
        _ => null,
    };

    private protected override string IfStoppedNow() => before.Count == 0
        ? "Nothing has been changed."
        : $"{Steps!.CountOf(StepState.Done)} of {Steps.Count} regions run what is specified, the others what ran before, or partly the one and the other.";

    private protected override IReadOnlyList<string> Compensations() => Steps is null || Ended ? [] :
        [.. Steps.StartedNewestFirst().Where(step => before.ContainsKey(step.Step)).Select(step => $"Apply again what was applied of {step.Step} before: {before[step.Step].Manifests.Count} objects")];

    private UpgradeReport End(RunbookPhase final, UpgradeOutcome outcome, string why, IReadOnlyList<string>? left = null)
    {
        EnterPhase(final, why);
        var report = new UpgradeReport
        {
            Environment = Request.Environment,
            Component = request!.Component,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = why,
            PlanHash = CurrentPlan?.Hash,
            Steps = Steps?.All ?? [],
            Objects = Steps?.Outcomes() ?? [],
            LeftBehind = left ?? [],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
        return ReportSize.Fits(report) ? report : report with { Objects = [] };
    }
}
