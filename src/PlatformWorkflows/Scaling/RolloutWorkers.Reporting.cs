using System.Globalization;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.Workflows.Scaling;

/// <summary>What a run tells people while it goes on and at its end.</summary>
public sealed partial class RolloutWorkers
{
    private protected override string AbortAnswer => progress is null ? "Aborting; nothing was changed." : $"Aborting; new runs will go to {Name(before!.Current)} again.";

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing => "The plan.",
        RunbookPhase.Planning => "Approval where the guard rails want it, then the first part.",
        RunbookPhase.AwaitingApproval => "The first part, when it has been approved.",
        RunbookPhase.Acting when progress is { Percentage: < 100 } => Platform.Scaling.RolloutRules.Next(Policy, progress.Percentage).Why,
        RunbookPhase.Acting => "The report, when all new runs were watched.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        RunbookPhase.RollingBack => "The report, when new runs go where they went before.",
        _ => null,
    };

    private protected override string IfStoppedNow() => progress is null || Ended
        ? "Nothing is half-done."
        : $"{Policy.BuildId} has {progress.Percentage.ToString("0.##", CultureInfo.InvariantCulture)}% of the new runs, and nobody watches it: start the runbook again, or lead them back with the temporal CLI.";

    private protected override IReadOnlyList<string> Compensations() => progress is null || Ended ? [] : [$"Lead all new runs to {Name(before!.Current)}."];

    private protected override string PlanInWords() => found!.Plan.Components[0].Objects[0] is { Changes: [var version, var percentages] } planned
        ? $"{request!.Deployment} of {request.Subject.Region}: new runs from {Name(version.From)} to {version.To} in parts of {percentages.To} percent. {planned.Reason}"
        : $"{request!.Deployment} of {request.Subject.Region}: {found.Plan.Components[0].Objects[0].Reason}";

    private RolloutReport End(RunbookPhase final, RolloutOutcome outcome, string why)
    {
        EnterPhase(final, why);
        return new()
        {
            Environment = Request.Environment,
            Component = request!.Subject.Component,
            Region = request.Subject.Region,
            OperationId = Request.OperationId,
            Deployment = request.Deployment,
            BuildId = Policy.BuildId,
            From = before?.Current,
            Outcome = outcome,
            Summary = why,
            Parts = [.. parts],
            Forgotten = forgotten.Forgotten,
            NotForgotten = forgotten.Kept,
            PlanHash = CurrentPlan?.Hash,
            Steps = Steps?.All ?? [],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }
}
