using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Brings objects of a cluster back from a set: planned object by object and approved first; what is there is replaced only where that was approved by itself, with a backup of it; compared afterwards.
/// See <c>docs/runbooks/restore-cluster-state.md</c>.</summary>
[Workflow]
public sealed class RestoreClusterState : RestoreRunbook
{
    private const string Reserves = "reserve", BacksUp = "backUp", Restores = "restore", Compares = "compare", CleansUp = "cleanUp";

    private StateRestorePlan? plan;
    private RestoredState? restored;
    private ComparedState? compared;
    private bool begun;

    /// <summary>Nothing is done yet.</summary>
    public RestoreClusterState()
        : base(
            "Looking at sets and objects.", (Plans, "Which set, which objects are made or replaced, and which stay."), (Reserves, "The set is claimed: retention leaves it alone."), (BacksUp, "What is overwritten is backed up."),
            (Restores, "Objects are made and replaced: what others need first."), (Compares, "Cluster and set are compared, field by field."), (CleansUp, "The set is let go."))
    {
    }

    /// <summary>Workflow id of the run of a store: one at a time.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => IdOf(environment, store, region);

    /// <summary>The plan; null before there is one.</summary>
    [WorkflowQuery("restorePlan")]
    public StateRestorePlan? CurrentPlan() => plan;

    private protected override string? PlanHash => plan?.Hash;

    private protected override string AfterAbort => "what was restored until then stays";

    private protected override string? Overwritten => plan is { IsOverwriting: true } ? $"{plan.Overwrites.Count} objects that exist" : null;

    /// <summary>The runbook: plan, wait for people, back up what is overwritten, restore, compare.</summary>
    [WorkflowRun]
    public Task<StateRestoreReport> RunAsync(Input<RestoreClusterStateInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("restore", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Use(given.RequestedBy, given.ParkedAtMost);
        var asked = new PlanStateRestoreInput(
            Request.Store, Request.OperationId, given.Set, RequestFields.Moment("to", given.To), Namespaces(given.Namespaces), given.Overwrite, StartedAt);
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
            if (made.IsEmpty)
                return End(RestoreOutcome.Unchanged, $"There is nothing to restore. {PlanInWords()}");
            if (!await IsApprovedAsync(planned.Approvals, planned.ApprovalTimeout))
                return End(RestoreOutcome.Rejected, Rejection ?? $"Nobody approved the plan within {InWords(planned.ApprovalTimeout)}.");
            // What was approved is what is done, or nothing.
            if ((await PlanAsync(asked)) is var again && again.Plan?.Hash != made.Hash)
                return End(RestoreOutcome.Refused, $"It is not any more as it was when it was planned: {again.Refusal ?? $"the plan is {again.Plan!.Hash} now."} Nothing was changed. Start again.");
            await CarryOutAsync(made);
            return Judge();
        }
        catch (Exception failure) when (TemporalException.IsCanceledException(failure))
        {
            if (plan is not null)
                await LetGoAsync();
            return End(RestoreOutcome.Aborted, $"{(AbortReason is null ? "Cancelled." : $"Aborted: {AbortReason}.")} {(begun ? IfStoppedNow() : "Nothing was changed.")}");
        }
    });

    private async Task CarryOutAsync(StateRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", async () =>
        {
            await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ClaimSetAsync(new(Request.Store, Request.OperationId, made.Set, false)), Changing($"Claim {made.Set}", takesLong: false, Acting.Token));
            return $"{made.Set} is claimed for {Request.OperationId}.";
        });
        if (made.IsOverwriting)
            // Of this very run: what another one has backed up was something else.
            await StepAsync(BacksUp, "What is overwritten is backed up.", () => BackUpFirstAsync(StoreKind.KubernetesState, BacksUp, Before(Request.OperationId, Workflow.Info.RunId[..8])));
        else
            Finish(BacksUp, "There is nothing that would be overwritten.", StepState.Skipped);
        var input = new StateRestoreInput(Request.Store, Request.OperationId, made, StartedAt);
        await StepAsync(Restores, "Objects are made and replaced.", async () =>
        {
            begun = true;
            restored = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.RestoreStateAsync(input), Changing($"Restore objects from {made.Set}", takesLong: true, Acting.Token));
            return restored.Troubled == 0 ? $"{restored.Created} objects are made, {restored.Overwritten} replaced, in {InWords(restored.Took)}."
                : throw FailureTypes.Impossible($"{restored.Troubled} objects could not be restored, all others are. {string.Join(" ", restored.Troubles)}");
        });
        await StepAsync(Compares, "Cluster and set are compared.", async () =>
        {
            compared = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.CompareStateAsync(input), Changing($"Compare the cluster with {made.Set}", takesLong: true, Acting.Token));
            return compared.Wrong.Count == 0 ? $"{compared.Same} objects are as in the set, {compared.Kept} differ as they were to, {compared.Left} are left to others."
                : throw FailureTypes.Impossible($"Not as it has to be: {string.Join(" ", compared.Wrong)}");
        });
        await StepAsync(CleansUp, "The set is let go.", LetGoAsync);
    }

    private async Task<PlannedStateRestore> PlanAsync(PlanStateRestoreInput asked)
    {
        Begin(Plans);
        return await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanStateRestoreAsync(asked), Looking($"What a restore of {Request.Store} would do", takesLong: true));
    }

    private async Task<string> LetGoAsync()
    {
        await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ClaimSetAsync(new(Request.Store, Request.OperationId, plan!.Set, true)), Changing($"Let {plan!.Set} go", takesLong: false, CancellationToken.None));
        return $"{plan.Set} is let go.";
    }

    private static IReadOnlyList<string> Namespaces(IReadOnlyList<string>? given) => given is { Count: 0 } || given?.Any(string.IsNullOrWhiteSpace) == true
        ? throw FailureTypes.Invalid("Field 'namespaces' is empty, or one of them is. Leave it out for everything, or name some.") : given ?? [];

    /// <summary>Without the backup nothing is overwritten; what could not be restored, or differs, people may answer for.</summary>
    private protected override bool MaySkip(string step) => step is Restores or Compares or CleansUp;

    private protected override string PlanInWords() =>
        $"{plan!.Store} of {plan.Environment} in {plan.Region} would be restored as of {plan.At:u} from {plan.Set}{(plan.Namespaces.Count == 0 ? "" : $", only {string.Join(", ", plan.Namespaces)}")}. {plan.Why} "
        + $"{plan.Count(kind => kind.Create)} objects would be made, {plan.Overwrites.Count} that exist replaced; {plan.Count(kind => kind.Same)} are as they were, {plan.Count(kind => kind.Keep)} differ and stay, {plan.Count(kind => kind.Leave)} are left to others. "
        + string.Join(" ", plan.Notes);

    private StateRestoreReport Judge()
    {
        var whole = !Skipped.ContainsKey(Restores) && !Skipped.ContainsKey(Compares);
        return End(
            whole ? RestoreOutcome.Restored : RestoreOutcome.Partial,
            $"{Request.Store} is restored from {plan!.Set}, as of {plan.At:u}: {plan.Count(kind => kind.Create)} objects were to be made and {plan.Overwrites.Count} to be replaced. "
            + $"{(compared is { Wrong.Count: 0 } found ? $"{found.Same} objects are as in the set, {found.Kept} differ and were to stay, {found.Left} are left to others." : "")}"
            + $"{(whole ? "" : $" Not all is as in the set: {string.Join(" ", [.. restored?.Troubles ?? [], .. compared?.Wrong ?? []])}")}"
            + $"{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")}");
    }

    private StateRestoreReport End(RestoreOutcome outcome, string summary)
    {
        EnterPhase(PhaseOf(outcome), summary.Trim());
        Say(outcome);
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary.Trim(),
            RestorePlan = plan,
            PlanHash = plan?.Hash,
            BackupBefore = BackupBefore,
            Restored = restored,
            Compared = compared,
            Skipped = Skipped,
            ApprovedBy = ApprovedBy,
            Steps = [.. Steps],
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : !begun ? "Nothing has been changed."
        : $"Some objects may be made or replaced, and none is half-written; they stay.{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")} Start the runbook again: it plans what is left.";
}
