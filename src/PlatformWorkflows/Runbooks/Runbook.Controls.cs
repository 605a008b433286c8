using Temporalio.Workflows;

namespace PlatformOps.Workflows.Runbooks;

/// <summary>What operators may tell a run. Every control is checked before it is taken: a refusal names the field and what is possible.</summary>
public abstract partial class Runbook
{
    private readonly List<ApproveInput> approvals = [];
    private string? abortReason;

    /// <summary>Why the plan is not carried out; null while nobody has said so.</summary>
    private protected string? Rejection { get; set; }

    /// <summary>How many people have to approve the plan.</summary>
    private protected virtual int ApprovalsNeeded => GuardRails.Approvals;

    /// <summary>What becomes of a run that is aborted, for whoever aborts it.</summary>
    private protected abstract string AbortAnswer { get; }

    private protected string AbortedBecause => abortReason is null ? "Aborted: the workflow was cancelled." : $"Aborted: {abortReason}.";

    /// <summary>Whether as many people as are needed have approved the plan.</summary>
    private protected bool Approved => approvals.Count >= ApprovalsNeeded;

    /// <summary>Whether it has been said what becomes of the plan.</summary>
    private protected virtual bool Answered => Rejection is not null || Approved;

    /// <summary>Approves the plan with the hash that was read.</summary>
    [WorkflowUpdate("approve")]
    public Task<ControlResult> ApproveAsync(Input<ApproveInput>? input = null)
    {
        approvals.Add(Given(input));
        var missing = ApprovalsNeeded - approvals.Count;
        var message = missing > 0 ? $"Approved; {missing} more needed." : "Approved; the plan is being applied.";
        return Task.FromResult(new ControlResult(message));
    }

    [WorkflowUpdateValidator(nameof(ApproveAsync))]
    public void ValidateApprove(Input<ApproveInput>? input = null)
    {
        var approval = Given(input);
        RequireAnswerTo("approve", approval);
        if (ApprovalsNeeded < 2)
            return;
        Require("approvedBy", approval.ApprovedBy, $"who approves: {ApprovalsNeeded} different people have to");
        if (approvals.Exists(earlier => earlier.ApprovedBy == approval.ApprovedBy))
            throw FailureTypes.Invalid($"Field 'approvedBy': {approval.ApprovedBy} has already approved. Somebody else has to as well.");
    }

    /// <summary>Refuses the plan; the run ends without having changed anything.</summary>
    [WorkflowUpdate("reject")]
    public Task<ControlResult> RejectAsync(Input<RejectInput>? input = null)
    {
        var given = Given(input);
        Rejection = $"Rejected{(given.RejectedBy is null ? "" : $" by {given.RejectedBy}")}: {given.Reason}.";
        return Task.FromResult(new ControlResult("Rejected; the run ends without having changed anything."));
    }

    [WorkflowUpdateValidator(nameof(RejectAsync))]
    public void ValidateReject(Input<RejectInput>? input = null)
    {
        var given = Given(input);
        RequirePhase("reject", RunbookPhase.AwaitingApproval);
        RequireNoAnswerYet();
        Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Stops the run and removes what it created.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        abortReason = Given(input).Reason;
        Acting.Cancel();
        return Task.FromResult(new ControlResult(AbortAnswer));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = Given(input);
        if (Acting.IsCancellationRequested)
            throw FailureTypes.Impossible($"abort is not possible: the run is already being aborted (phase {InWords(Phase)}). {Possible()}");
        RequirePhase(
            "abort", RunbookPhase.Observing, RunbookPhase.Planning, RunbookPhase.AwaitingApproval, RunbookPhase.Acting, RunbookPhase.Parked);
        Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Tries a failed step again.</summary>
    [WorkflowUpdate("retryStep")]
    public Task<ControlResult> RetryStepAsync(Input<StepInput>? input = null)
    {
        var step = Given(input).Step!;
        Steps!.Retry(step);
        return Task.FromResult(new ControlResult($"{step} is tried again."));
    }

    [WorkflowUpdateValidator(nameof(RetryStepAsync))]
    public void ValidateRetryStep(Input<StepInput>? input = null) => RequireFailedStep("retryStep", Given(input));

    /// <summary>Goes on without a failed step: what depends on it may start; in a rollback: what it created stays and is listed.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = Given(input);
        Steps!.Skip(given.Step!, given.Reason!, Now);
        return Task.FromResult(new ControlResult($"{given.Step} is skipped; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = Given(input);
        RequireFailedStep("skipStep", given);
        Require("reason", given.Reason, "why the platform may go on without it");
    }

    private protected static T Given<T>(Input<T>? input)
        where T : class => ControlFields.Given(input);

    private protected static void Require(string field, string? value, string what) => ControlFields.Require(field, value, what);

    private protected void RequirePhase(string control, params IReadOnlyList<RunbookPhase> allowed)
    {
        if (!allowed.Contains(Phase))
            throw FailureTypes.Impossible($"{control} is not possible in phase {InWords(Phase)}. {Possible()}");
    }

    /// <summary>An answer counts for the plan that was read, once.</summary>
    private protected void RequireAnswerTo(string control, ApproveInput answer)
    {
        RequirePhase(control, RunbookPhase.AwaitingApproval);
        RequireNoAnswerYet();
        Require("planHash", answer.PlanHash, $"the hash of the plan that you read; this run's is {CurrentPlan!.Hash}");
        if (answer.PlanHash != CurrentPlan!.Hash)
            throw FailureTypes.Invalid(
                $"Field 'planHash' is {answer.PlanHash}, but this run waits for approval of {CurrentPlan.Hash}. Read that plan (query status), then approve its hash.");
    }

    private void RequireNoAnswerYet()
    {
        if (Answered)
            throw FailureTypes.Impossible("The plan has already been answered.");
    }

    private void RequireFailedStep(string control, StepInput given)
    {
        RequirePhase(control, RunbookPhase.Acting, RunbookPhase.Parked);
        Require("step", given.Step, $"which of {RetryableNames()}");
        var step = Steps!.Find(given.Step!)
            ?? throw FailureTypes.Invalid($"Field 'step': this run has no step '{given.Step}'. {control} is possible for: {RetryableNames()}.");
        if (!Retryable().Contains(step.Name))
            throw FailureTypes.Impossible(
                $"{control} is for steps that failed, and {step.Name} is {InWords(step.State)}. It is possible for: {RetryableNames()}.");
    }

    /// <summary>The steps that an operator may decide about: in a rollback that parked only the one that could not be undone.</summary>
    private IEnumerable<string> Retryable() => Undoing is not null ? [Undoing] : Steps!.Failed.Select(step => step.Name);

    private string RetryableNames() => string.Join(", ", Retryable().DefaultIfEmpty("none"));

    private protected virtual string Possible() => Phase switch
    {
        RunbookPhase.AwaitingApproval => "Possible: approve, reject, abort.",
        RunbookPhase.Parked when Acting.IsCancellationRequested => "Possible: retryStep, skipStep.",
        RunbookPhase.Parked => "Possible: retryStep, skipStep, abort.",
        RunbookPhase.Acting when Steps!.Failed.Any() => "Possible: retryStep, skipStep, abort.",
        RunbookPhase.Observing or RunbookPhase.Planning or RunbookPhase.Acting => "Possible: abort.",
        RunbookPhase.RollingBack => "Wait for the rollback to end, or to park.",
        _ => "The run has ended; start it again.",
    };
}
