using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Replaces everything that a Vault has by a set: planned and approved first, with a backup of what is replaced; afterwards what was revoked since the set was made is revoked again, and the rest is named.
/// See <c>docs/runbooks/restore-vault.md</c>.</summary>
[Workflow]
public sealed class RestoreVault : RestoreRunbook
{
    private const string Reserves = "reserve", BacksUp = "backUp", CleansUp = "cleanUp";

    private static readonly string Inventories = InWords(VaultRestoreStep.Inventory), Restores = InWords(VaultRestoreStep.Restore), Fences = InWords(VaultRestoreStep.Fence);

    private VaultRestorePlan? plan;
    private IReadOnlyList<string> revoked = [], named = [];
    private DateTimeOffset? orderedAt, openAt;

    /// <summary>Nothing is done yet.</summary>
    public RestoreVault()
        : base(
            "Looking at sets and at Vault.", [
                (Plans, "Which set, and what would be lost."), (Reserves, "The set is claimed: retention leaves it alone."), (BacksUp, "What is overwritten is backed up."),
                .. Enum.GetValues<VaultRestoreStep>().Select(step => (InWords(step), InTheOrder(step))), (CleansUp, "The set is let go.")])
    {
    }

    /// <summary>Workflow id of the run of a store: one at a time.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => IdOf(environment, store, region);

    /// <summary>The plan; null before there is one.</summary>
    [WorkflowQuery("restorePlan")]
    public VaultRestorePlan? CurrentPlan() => plan;

    private protected override string? PlanHash => plan?.Hash;

    private protected override bool PointOfNoReturnPassed => orderedAt is not null;

    private protected override string? WhyNoAbort => orderedAt is null ? null : $"Vault may have the state of the set by now. To have the old back, restore {BackupBefore ?? "another set"}.";

    private protected override string AfterAbort => "Vault has what it had";

    /// <summary>The runbook: plan, wait for people, write down what is valid, replace, revoke again.</summary>
    [WorkflowRun]
    public Task<VaultRestoreReport> RunAsync(Input<RestoreVaultInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost, given.Approved);
        var asked = new PlanVaultRestoreInput(Request.Store, Request.OperationId, given.Set, RequestFields.Moment("to", given.To), given.OtherKeys);
        Identify();
        try
        {
            var planned = await PlanAsync(asked);
            if (planned.Plan is not { } made)
                return End(RestoreOutcome.Refused, planned.Refusal!);
            plan = made;
            Publish(made.Hash);
            Finish(Plans, PlanInWords());
            if (given.Mode == RunbookMode.Plan)
                return End(RestoreOutcome.Planned, PlanInWords());
            if (!await IsApprovedAsync(planned.Approvals, planned.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
            // What was approved is what is done, or nothing.
            if ((await PlanAsync(asked)) is var again && again.Plan?.Hash != made.Hash)
                return End(RestoreOutcome.Refused, $"It is not any more as it was when it was planned: {again.Refusal ?? $"the plan is {again.Plan!.Hash} now."} Nothing was changed. Start again.");
            await CarryOutAsync(made);
            return Judge();
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure) && !PointOfNoReturnPassed)
        {
            if (plan is not null)
                await ClaimAsync(release: true);
            return End(RestoreOutcome.Aborted, $"{(AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.")} Nothing was replaced.");
        }
    });

    private async Task CarryOutAsync(VaultRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", () => ClaimAsync(release: false));
        // Of this very run: what another one has backed up was something else.
        await StepAsync(BacksUp, "What is overwritten is backed up.", () => BackUpFirstAsync(StoreKind.Vault, BacksUp, Before(Request.OperationId, Workflow.Info.RunId[..8])));
        foreach (var step in Enum.GetValues<VaultRestoreStep>())
        {
            // From the order on there is only forward, whoever cancels.
            var abortable = step < VaultRestoreStep.Restore;
            await StepAsync(InWords(step), InTheOrder(step), async () =>
            {
                if (step == VaultRestoreStep.Restore)
                    orderedAt ??= Now;
                var done = await Workflow.ExecuteActivityAsync(
                    (IBackupActivities activities) => activities.VaultRestoreStepAsync(new(Request.Store, Request.OperationId, made, step)),
                    Changing(InTheOrder(step), takesLong: step != VaultRestoreStep.Open, abortable ? Acting.Token : CancellationToken.None));
                openAt = step == VaultRestoreStep.Open ? Now : openAt;
                (revoked, named) = (done.Revoked ?? revoked, done.Named ?? named);
                return done.Detail;
            }, abortable);
        }

        await StepAsync(CleansUp, "The set is let go.", () => ClaimAsync(release: true), abortable: false);
    }

    private async Task<PlannedVaultRestore> PlanAsync(PlanVaultRestoreInput asked)
    {
        Begin(Plans);
        return await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanVaultRestoreAsync(asked), Looking($"What a restore of {Request.Store} would do"));
    }

    private async Task<string> ClaimAsync(bool release)
    {
        await Workflow.ExecuteActivityAsync(
            (IBackupActivities activities) => activities.ClaimSetAsync(new(Request.Store, Request.OperationId, plan!.Set, release)),
            Changing(release ? $"Let {plan!.Set} go" : $"Claim {plan!.Set}", takesLong: false, release ? CancellationToken.None : Acting.Token));
        return release ? $"{plan.Set} is let go." : $"{plan.Set} is claimed for {Request.OperationId}.";
    }

    /// <summary>Of a Vault that is too broken to be read, people answer for what is lost. What was revoked is looked at by them where nobody knows it.</summary>
    private protected override bool MaySkip(string step) => step is BacksUp or CleansUp || step == Inventories || (step == Fences && Skipped.ContainsKey(Inventories));

    private static string InTheOrder(VaultRestoreStep step) => step switch
    {
        VaultRestoreStep.Inventory => "What is valid today is written down, outside Vault.",
        VaultRestoreStep.Restore => "Everything that Vault has is replaced by the set.",
        VaultRestoreStep.Open => "It is unsealed, takes our login, and has what the set has.",
        VaultRestoreStep.Fence => "What was revoked since the set was made is revoked again; the rest is named.",
        _ => "Nothing that had been revoked is valid, and every engine is there.",
    };

    private protected override string PlanInWords() => $"{plan!.Store} of {plan.Environment} would be restored as of {plan.At:u} from {plan.Set}, into Vault at {plan.Address}. {plan.Why} {plan.Lost} {string.Join(" ", plan.Notes)}".TrimEnd();

    private VaultRestoreReport Judge()
    {
        var judged = !Skipped.ContainsKey(Inventories);
        return End(
            judged ? RestoreOutcome.Restored : RestoreOutcome.Partial,
            $"{Request.Store} is restored from {plan!.Set}, as of {plan.At:u}. {(judged ? $"{revoked.Count} things that had been revoked since were revoked again." : $"Nobody knew what had been revoked since; it was answered for: {Skipped.GetValueOrDefault(Fences, "nothing was valid")}.")}"
            + $"{(named.Count > 0 ? $" {named.Count} things need somebody: {string.Join(" ", named.Take(10))}" : "")}{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")}");
    }

    private VaultRestoreReport End(RestoreOutcome outcome, string summary)
    {
        EnterPhase(PhaseOf(outcome), summary);
        Say(outcome);
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary,
            RestorePlan = plan,
            PlanHash = plan?.Hash,
            BackupBefore = BackupBefore,
            Revoked = revoked,
            Named = named,
            RestoreTook = openAt - orderedAt,
            Skipped = Skipped,
            ApprovedBy = ApprovedBy,
            Steps = [.. Steps],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : orderedAt is null ? "Vault has what it had."
        : $"Vault may have the state of {plan!.Set}, in which what was revoked since {plan.At:u} may be valid: start the runbook again with the same operationId, which goes on with what was written down.";
}
