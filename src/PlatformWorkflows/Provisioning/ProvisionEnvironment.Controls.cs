using PlatformOps.Platform.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Provisioning;

/// <summary>What operators may ask and tell a run. Every control is checked before it is taken: a refusal names the field and what is possible.</summary>
public sealed partial class ProvisionEnvironment
{
    private readonly List<ApproveInput> approvals = [];
    private string? rejection;
    private string? abortReason;

    /// <summary>Where the run stands.</summary>
    [WorkflowQuery("status")]
    public RunbookStatus Status() => DescribeStatus();

    /// <summary>The plan, field by field; null before there is one.</summary>
    [WorkflowQuery("plan")]
    public ProvisioningPlan? Plan() => plan;

    /// <summary>What became of every object that the plan names, as far as it is known.</summary>
    [WorkflowQuery("objects")]
    public IReadOnlyList<ObjectOutcome> Objects() => steps?.Outcomes() ?? [];

    /// <summary>Approves the plan with the hash that was read.</summary>
    [WorkflowUpdate("approve")]
    public Task<ControlResult> ApproveAsync(Input<ApproveInput>? input = null)
    {
        approvals.Add(Given(input));
        var missing = guardRails.Approvals - approvals.Count;
        var message = missing > 0 ? $"Approved; {missing} more needed." : "Approved; the plan is being applied.";
        return Task.FromResult(new ControlResult(message));
    }

    [WorkflowUpdateValidator(nameof(ApproveAsync))]
    public void ValidateApprove(Input<ApproveInput>? input = null)
    {
        var approval = Given(input);
        RequirePhase("approve", RunbookPhase.AwaitingApproval);
        RequireNoAnswerYet();
        Require("planHash", approval.PlanHash, $"the hash of the plan that you read; this run's is {plan!.Hash}");
        if (approval.PlanHash != plan!.Hash)
            throw FailureTypes.Invalid(
                $"Field 'planHash' is {approval.PlanHash}, but this run waits for approval of {plan.Hash}. Read that plan (query status), then approve its hash.");
        if (guardRails.Approvals < 2)
            return;
        Require("approvedBy", approval.ApprovedBy, $"who approves: {guardRails.Approvals} different people have to");
        if (approvals.Exists(earlier => earlier.ApprovedBy == approval.ApprovedBy))
            throw FailureTypes.Invalid($"Field 'approvedBy': {approval.ApprovedBy} has already approved. Somebody else has to as well.");
    }

    /// <summary>Refuses the plan; the run ends without having changed anything.</summary>
    [WorkflowUpdate("reject")]
    public Task<ControlResult> RejectAsync(Input<RejectInput>? input = null)
    {
        var given = Given(input);
        rejection = $"Rejected{(given.RejectedBy is null ? "" : $" by {given.RejectedBy}")}: {given.Reason}.";
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
        acting.Cancel();
        return Task.FromResult(new ControlResult("Aborting; what this run created is being removed, newest first."));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = Given(input);
        if (acting.IsCancellationRequested)
            throw FailureTypes.Impossible($"abort is not possible: the run is already being aborted (phase {InWords(phase)}). {Possible()}");
        RequirePhase(
            "abort", RunbookPhase.Observing, RunbookPhase.Planning, RunbookPhase.AwaitingApproval, RunbookPhase.Acting, RunbookPhase.Parked);
        Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Tries a failed step again.</summary>
    [WorkflowUpdate("retryStep")]
    public Task<ControlResult> RetryStepAsync(Input<StepInput>? input = null)
    {
        var step = Given(input).Step!;
        steps!.Retry(step);
        return Task.FromResult(new ControlResult($"{step} is tried again."));
    }

    [WorkflowUpdateValidator(nameof(RetryStepAsync))]
    public void ValidateRetryStep(Input<StepInput>? input = null) => RequireFailedStep("retryStep", Given(input));

    /// <summary>Goes on without a failed step: what depends on it may start; in a rollback: what it created stays and is listed.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = Given(input);
        steps!.Skip(given.Step!, given.Reason!, Now);
        return Task.FromResult(new ControlResult($"{given.Step} is skipped; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = Given(input);
        RequireFailedStep("skipStep", given);
        Require("reason", given.Reason, "why the platform may go on without it");
    }

    private static T Given<T>(Input<T>? input)
        where T : class =>
        input?.Read() ?? throw FailureTypes.Invalid("There is no input. Give a JSON object with the fields of this update.");

    private static void Require(string field, string? value, string what)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw FailureTypes.Invalid($"Field '{field}' is missing: {what}.");
    }

    private void RequirePhase(string control, params IReadOnlyList<RunbookPhase> allowed)
    {
        if (!allowed.Contains(phase))
            throw FailureTypes.Impossible($"{control} is not possible in phase {InWords(phase)}. {Possible()}");
    }

    private void RequireNoAnswerYet()
    {
        if (rejection is not null || approvals.Count >= guardRails.Approvals)
            throw FailureTypes.Impossible("The plan has already been answered.");
    }

    private void RequireFailedStep(string control, StepInput given)
    {
        RequirePhase(control, RunbookPhase.Acting, RunbookPhase.Parked);
        Require("step", given.Step, $"which of {RetryableNames()}");
        var step = steps!.Find(given.Step!)
            ?? throw FailureTypes.Invalid($"Field 'step': this run has no step '{given.Step}'. {control} is possible for: {RetryableNames()}.");
        if (!Retryable().Contains(step.Name))
            throw FailureTypes.Impossible(
                $"{control} is for steps that failed, and {step.Name} is {InWords(step.State)}. It is possible for: {RetryableNames()}.");
    }

    /// <summary>The steps that an operator may decide about: in a rollback that parked only the one that could not be undone.</summary>
    private IEnumerable<string> Retryable() => undoing is not null ? [undoing] : steps!.Failed.Select(step => step.Name);

    private string RetryableNames() => string.Join(", ", Retryable().DefaultIfEmpty("none"));

    private string Possible() => phase switch
    {
        RunbookPhase.AwaitingApproval => "Possible: approve, reject, abort.",
        RunbookPhase.Parked when acting.IsCancellationRequested => "Possible: retryStep, skipStep.",
        RunbookPhase.Parked => "Possible: retryStep, skipStep, abort.",
        RunbookPhase.Acting when steps!.Failed.Any() => "Possible: retryStep, skipStep, abort.",
        RunbookPhase.Observing or RunbookPhase.Planning or RunbookPhase.Acting => "Possible: abort.",
        RunbookPhase.RollingBack => "Wait for the rollback to end, or to park.",
        _ => "The run has ended; start it again.",
    };
}
