using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Replaces everything that a Vault has by a set: planned and approved first, with a backup of what is replaced; afterwards what was revoked since the set was made is revoked again, and the rest is named.
/// See <c>docs/runbooks/restore-vault.md</c>.</summary>
[Workflow]
public sealed class RestoreVault : StoreRestore<VaultRestorePlan, VaultRestoreReport>
{
    private static readonly string Inventories = InWords(VaultRestoreStep.Inventory), Restores = InWords(VaultRestoreStep.Restore), Fences = InWords(VaultRestoreStep.Fence);

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

    private protected override bool PointOfNoReturnPassed => orderedAt is not null;

    private protected override string? WhyNoAbort => orderedAt is null ? null : $"Vault may have the state of the set by now. To have the old back, restore {BackupBefore ?? "another set"}.";

    private protected override string AfterAbort => "Vault has what it had";

    private protected override string LeftByStop => "Nothing was replaced.";

    /// <summary>The runbook: plan, wait for people, write down what is valid, replace, revoke again.</summary>
    [WorkflowRun]
    public Task<VaultRestoreReport> RunAsync(Input<RestoreVaultInput>? input = null) => RestoreAsync(input, (given, target) =>
    {
        var asked = new PlanVaultRestoreInput(Request.Store, Request.OperationId, given.Set, target, given.OtherKeys);
        return () => Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanVaultRestoreAsync(asked), Looking(WhatItWouldDo));
    });

    private protected override async Task CarryOutAsync(VaultRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", () => ClaimAsync(release: false));
        await StepAsync(BacksUp, "What is overwritten is backed up.", () => BackUpFirstAsync(StoreKind.Vault, BacksUp, BeforeThisRun));
        // A set between the restore and the fence would have what was revoked, and count as newer than that.
        await LockAsync(Inventories);
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

    private protected override Task GoBackAsync(VaultRestorePlan made) => ClaimAsync(release: true);

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

    private protected override string PlanInWords() => $"{Plan!.Store} of {Plan.Environment} would be restored as of {Plan.At:u} from {Plan.Set}, into Vault at {Plan.Address}. {Plan.Why} {Plan.Lost} {string.Join(" ", Plan.Notes)}".TrimEnd();

    private protected override (RestoreOutcome Outcome, string Summary) Judge(VaultRestorePlan made)
    {
        var judged = !Skipped.ContainsKey(Inventories);
        return (
            judged ? RestoreOutcome.Restored : RestoreOutcome.Partial,
            $"{Request.Store} is restored from {made.Set}, as of {made.At:u}. {(judged ? $"{revoked.Count} things that had been revoked since were revoked again." : $"Nobody knew what had been revoked since; it was answered for: {Skipped.GetValueOrDefault(Fences, "nothing was valid")}.")}"
            + $"{(named.Count > 0 ? $" {named.Count} things need somebody: {string.Join(" ", named.Take(10))}" : "")}{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")}");
    }

    private protected override VaultRestoreReport Report(RestoreOutcome outcome) => new() { Revoked = revoked, Named = named, RestoreTook = openAt - orderedAt };

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : orderedAt is null ? "Vault has what it had."
        : $"Vault may have the state of {Plan!.Set}, in which what was revoked since {Plan.At:u} may be valid: start the runbook again with the same operationId, which goes on with what was written down.";
}
