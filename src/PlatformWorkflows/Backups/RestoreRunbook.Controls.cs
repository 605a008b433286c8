using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>What people may tell it. Every control is checked before it is taken: a refusal says what is possible.</summary>
public abstract partial class RestoreRunbook
{
    private readonly List<ApproveInput> approvals = [];
    private int approvalsNeeded;
    private string? failed;

    /// <summary>Who has approved.</summary>
    private protected IReadOnlyList<string> ApprovedBy => [.. approvals.Select(approval => approval.ApprovedBy!)];

    /// <summary>Why it was rejected; null: it was not.</summary>
    private protected string? Rejection { get; private set; }

    /// <summary>Why it was aborted; null: it was not.</summary>
    private protected string? AbortReason { get; private set; }

    /// <summary>Why abort is not possible any more; null: it is.</summary>
    private protected virtual string? WhyNoAbort => null;

    /// <summary>What an abort leaves, as part of a sentence.</summary>
    private protected abstract string AfterAbort { get; }

    /// <summary>What is overwritten, for which approvals have to say so besides; null: nothing, or the plan is about nothing else.</summary>
    private protected virtual string? Overwritten => null;

    /// <summary>Approves the plan with the hash that was read.</summary>
    [WorkflowUpdate("approve")]
    public Task<ControlResult> ApproveAsync(Input<ApproveInput>? input = null)
    {
        approvals.Add(ControlFields.Given(input));
        var missing = approvalsNeeded - approvals.Count;
        return Task.FromResult(new ControlResult(missing > 0 ? $"Approved; {missing} more needed." : "Approved; it begins."));
    }

    [WorkflowUpdateValidator(nameof(ApproveAsync))]
    public void ValidateApprove(Input<ApproveInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWaiting("approve");
        ControlFields.Require("planHash", given.PlanHash, $"the hash of the plan that you read; this run's is {PlanHash}");
        if (given.PlanHash != PlanHash)
            throw FailureTypes.Invalid($"Field 'planHash' is {given.PlanHash}, but this run waits for approval of {PlanHash}. Read that plan (query restorePlan), then approve its hash.");
        ControlFields.Require("approvedBy", given.ApprovedBy, "who approves that data is overwritten");
        if (given.ApprovedBy == requestedBy)
            throw FailureTypes.Invalid($"Field 'approvedBy': {given.ApprovedBy} asked for it. Somebody else has to approve.");
        if (approvals.Exists(earlier => earlier.ApprovedBy == given.ApprovedBy))
            throw FailureTypes.Invalid($"Field 'approvedBy': {given.ApprovedBy} has already approved. Somebody else has to as well.");
        if (Overwritten is { } what && given.Overwrite != true)
            throw FailureTypes.Invalid($"Field 'overwrite' is missing: the plan overwrites {what}. Approve with overwrite true, or reject and start without overwrite.");
    }

    /// <summary>Refuses the plan; the run ends without having changed anything.</summary>
    [WorkflowUpdate("reject")]
    public Task<ControlResult> RejectAsync(Input<RejectInput>? input = null)
    {
        var given = ControlFields.Given(input);
        Rejection = $"Rejected{(given.RejectedBy is null ? "" : $" by {given.RejectedBy}")}: {given.Reason}. Nothing was changed.";
        return Task.FromResult(new ControlResult("Rejected; the run ends without having changed anything."));
    }

    [WorkflowUpdateValidator(nameof(RejectAsync))]
    public void ValidateReject(Input<RejectInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireWaiting("reject");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Stops the run, as long as it can be stopped.</summary>
    [WorkflowUpdate("abort")]
    public Task<ControlResult> AbortAsync(Input<AbortInput>? input = null)
    {
        AbortReason = ControlFields.Given(input).Reason;
        Acting.Cancel();
        return Task.FromResult(new ControlResult($"Aborting; {AfterAbort}."));
    }

    [WorkflowUpdateValidator(nameof(AbortAsync))]
    public void ValidateAbort(Input<AbortInput>? input = null)
    {
        var given = ControlFields.Given(input);
        if (Ended)
            throw FailureTypes.Impossible("abort is not possible: the run has ended.");
        if (WhyNoAbort is { } why)
            throw FailureTypes.Impossible($"abort is not possible: {why} Possible: retryStep, skipStep.");
        if (Acting.IsCancellationRequested)
            throw FailureTypes.Impossible("abort is not possible: it is being aborted already.");
        ControlFields.Require("reason", given.Reason, "why, for the report");
    }

    /// <summary>Tries the failed step again.</summary>
    [WorkflowUpdate("retryStep")]
    public Task<ControlResult> RetryStepAsync(Input<StepInput>? input = null)
    {
        failed = null;
        return Task.FromResult(new ControlResult($"{ControlFields.Given(input).Step} is tried again."));
    }

    [WorkflowUpdateValidator(nameof(RetryStepAsync))]
    public void ValidateRetryStep(Input<StepInput>? input = null) => RequireFailed("retryStep", ControlFields.Given(input));

    /// <summary>Goes on without the failed step, for which somebody answers.</summary>
    [WorkflowUpdate("skipStep")]
    public Task<ControlResult> SkipStepAsync(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        Skipped[given.Step!] = given.Reason!;
        failed = null;
        return Task.FromResult(new ControlResult($"{given.Step} is skipped; the report will say so."));
    }

    [WorkflowUpdateValidator(nameof(SkipStepAsync))]
    public void ValidateSkipStep(Input<StepInput>? input = null)
    {
        var given = ControlFields.Given(input);
        RequireFailed("skipStep", given);
        if (!MaySkip(failed!))
            throw FailureTypes.Impossible($"skipStep is not possible for {given.Step}: without it the restore is not safe. Possible: retryStep{(WhyNoAbort is null && !Acting.IsCancellationRequested ? ", abort" : "")}.");
        ControlFields.Require("reason", given.Reason, "why it may be left out");
    }

    /// <summary>Data is overwritten by nobody's word alone but that of people who have read what would be lost.</summary>
    private protected async Task<bool> IsApprovedAsync(int needed, TimeSpan timeout)
    {
        approvalsNeeded = needed;
        if (approvalsNeeded == 0)
            return true;
        // People have read this very plan with those of other stores. Another one they read here.
        if (approvedBefore is { } before && before.PlanHash == PlanHash && before.ApprovedBy.Count >= needed)
        {
            approvals.AddRange(before.ApprovedBy.Select(who => new ApproveInput(before.PlanHash, who)));
            return true;
        }

        EnterPhase(RunbookPhase.AwaitingApproval, $"{PlanInWords()} It waits for {(approvalsNeeded == 1 ? "approval" : $"{approvalsNeeded} approvals")}.");
        WaitingFor = new($"approve with planHash {PlanHash}", "approver", Now + timeout);
        await Workflow.WaitConditionAsync(() => Rejection is not null || approvals.Count >= approvalsNeeded, timeout, Acting.Token);
        WaitingFor = null;
        Acting.Token.ThrowIfCancellationRequested();
        return Rejection is null && approvals.Count >= approvalsNeeded;
    }

    private void RequireWaiting(string control)
    {
        if (Phase != RunbookPhase.AwaitingApproval || Rejection is not null || approvals.Count >= approvalsNeeded)
            throw FailureTypes.Impossible($"{control} is not possible: nothing waits for approval. {Summary}");
    }

    private void RequireFailed(string control, StepInput given)
    {
        if (failed is not { } step || step != given.Step)
            throw FailureTypes.Impossible($"{control} is for the step that failed: {failed ?? "none"}.");
    }
}
