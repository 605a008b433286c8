using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>What people may say about drift, and what a run tells them.</summary>
public sealed partial class DetectDrift
{
    private bool adopting;

    private protected override string AbortAnswer => "Aborting; what has been reverted by now stays so, the rest is left as it is.";

    /// <summary>A report waits for one person's word, whatever the guard rails say of plans that run by themselves.</summary>
    private protected override int ApprovalsNeeded => request?.Mode == DriftMode.Revert ? GuardRails.Approvals : Math.Max(1, GuardRails.Approvals);

    private protected override bool Answered => adopting || base.Answered;

    /// <summary>All that differs, also what the report leaves out.</summary>
    [WorkflowQuery("findings")]
    public IReadOnlyList<DriftFinding> Findings() => findings;

    /// <summary>Reverts what differs: approves the plan with the hash that was read. Where the guard rails want several approvals, several people revert.</summary>
    [WorkflowUpdate("revert")]
    public Task<ControlResult> RevertAsync(Input<ApproveInput>? input = null) => ApproveAsync(input);

    [WorkflowUpdateValidator(nameof(RevertAsync))]
    public void ValidateRevert(Input<ApproveInput>? input = null) => ValidateApprove(input);

    /// <summary>Takes what was found for what is wanted: the report says what to write into the specification.</summary>
    [WorkflowUpdate("adopt")]
    public Task<ControlResult> AdoptAsync(Input<ApproveInput>? input = null)
    {
        adopting = true;
        return Task.FromResult(new ControlResult("The report will say what to write into the specification; nothing is changed."));
    }

    [WorkflowUpdateValidator(nameof(AdoptAsync))]
    public void ValidateAdopt(Input<ApproveInput>? input = null) => RequireAnswerTo("adopt", Given(input));

    private protected override string Possible() => Phase == RunbookPhase.AwaitingApproval ? "Possible: revert, adopt, reject, abort." : base.Possible();

    private protected override string? Next() => Phase switch
    {
        RunbookPhase.Observing or RunbookPhase.Planning => "The report, or a decision about what differs.",
        RunbookPhase.AwaitingApproval => "What differs is reverted or adopted as decided; without a decision it is left as it is.",
        RunbookPhase.Acting => "The report, when what was reverted is healthy.",
        RunbookPhase.Parked => "Whatever the operator decides.",
        _ => null,
    };

    private protected override string IfStoppedNow() => ActedAtAll
        ? $"{Steps!.CountOf(StepState.Done)} of {Steps.Count} steps are as declared again, the others as they were found or partly reverted."
        : "Nothing has been changed.";

    private static string InWords(IReadOnlyList<DriftFinding> findings)
    {
        int Of(DriftKind kind) => findings.Count(finding => finding.Kind == kind);
        var objects = findings.Where(finding => finding.Kind == DriftKind.Field).Select(finding => finding.Address).Distinct().Count();
        return $"{Of(DriftKind.Field)} fields of {objects} objects differ, {Of(DriftKind.Missing)} objects are missing, {Of(DriftKind.Undeclared)} are not declared, {Of(DriftKind.Conflict)} are in conflict.";
    }

    private string Untouched()
    {
        var untouched = findings.Count(finding => finding.Kind == DriftKind.Undeclared);
        return untouched == 0 ? "" : $" {untouched} objects that are not declared were left alone.";
    }

    private DriftReport End(RunbookPhase final, DriftOutcome outcome, string why)
    {
        EnterPhase(final, why);
        var report = new DriftReport
        {
            Environment = Request.Environment,
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = why,
            PlanHash = findings.Count == 0 ? null : CurrentPlan?.Hash,
            Found = findings.Count,
            Findings = findings,
            Adoption = adoption,
            Steps = ActedAtAll ? Steps!.All : [],
            Objects = ActedAtAll ? Steps!.Outcomes() : [],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
        while (!ReportSize.Fits(report) && report.Findings.Count > 0)
            report = report with { Findings = [.. report.Findings.Take(report.Findings.Count / 2)] };
        return ReportSize.Fits(report) ? report : report with { Objects = [] };
    }
}
