using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Brings objects of a cluster back from a set: planned object by object and approved first; what is there is replaced only where that was approved by itself, with a backup of it; compared afterwards.
/// See <c>docs/runbooks/restore-cluster-state.md</c>.</summary>
[Workflow]
public sealed class RestoreClusterState : StoreRestore<StateRestorePlan, StateRestoreReport>
{
    private const string Restores = "restore", Compares = "compare";

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

    private protected override string AfterAbort => "what was restored until then stays";

    private protected override string LeftByStop => begun ? IfStoppedNow() : "Nothing was changed.";

    private protected override string? Overwritten => Plan is { IsOverwriting: true } ? $"{Plan.Overwrites.Count} objects that exist" : null;

    /// <summary>The runbook: plan, wait for people, back up what is overwritten, restore, compare.</summary>
    [WorkflowRun]
    public Task<StateRestoreReport> RunAsync(Input<RestoreClusterStateInput>? input = null) => RestoreAsync(input, (given, target) =>
    {
        var asked = new PlanStateRestoreInput(Request.Store, Request.OperationId, given.Set, target, Namespaces(given.Namespaces), given.Overwrite, StartedAt, given.Velero);
        return () => Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.PlanStateRestoreAsync(asked), Looking(WhatItWouldDo, takesLong: true));
    });

    private protected override bool IsEmpty(StateRestorePlan made) => made.IsEmpty;

    private protected override async Task CarryOutAsync(StateRestorePlan made)
    {
        await StepAsync(Reserves, "The set is claimed.", () => ClaimAsync(release: false));
        if (made.IsOverwriting)
            await StepAsync(BacksUp, "What is overwritten is backed up.", () => BackUpFirstAsync(StoreKind.KubernetesState, BacksUp, BeforeThisRun));
        else
            Finish(BacksUp, "There is nothing that would be overwritten.", StepState.Skipped);
        var input = new StateRestoreInput(Request.Store, Request.OperationId, made, StartedAt);
        await StepAsync(Restores, "Objects are made and replaced.", async () =>
        {
            begun = true;
            restored = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.RestoreStateAsync(input), Changing($"Restore objects from {made.Set}", takesLong: true, Acting.Token));
            return restored.Troubled == 0 ? made.Velero is not null ? string.Join(" ", [$"Velero has restored {restored.Created} objects, in {InWords(restored.Took)}.", .. restored.Warned ?? []]) : $"{restored.Created} objects are made, {restored.Overwritten} replaced, in {InWords(restored.Took)}."
                : throw FailureTypes.Impossible($"{restored.Troubled} objects could not be restored, all others are. {string.Join(" ", restored.Troubles)}");
        });
        if (made.Velero is not null)
            Finish(Compares, "Velero's Backup cannot be read, so that nothing is compared with it.", StepState.Skipped);
        else
            await CompareAsync(made, input);
        await StepAsync(CleansUp, "The set is let go.", () => ClaimAsync(release: true));
    }

    private async Task CompareAsync(StateRestorePlan made, StateRestoreInput input)
    {
        await StepAsync(Compares, "Cluster and set are compared.", async () =>
        {
            compared = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.CompareStateAsync(input), Changing($"Compare the cluster with {made.Set}", takesLong: true, Acting.Token));
            return compared.Wrong.Count == 0 ? $"{compared.Same} objects are as in the set, {compared.Kept} differ as they were to, {compared.Left} are left to others."
                : throw FailureTypes.Impossible($"Not as it has to be: {string.Join(" ", compared.Wrong)}");
        });
    }

    private protected override Task GoBackAsync(StateRestorePlan made) => ClaimAsync(release: true);

    private static IReadOnlyList<string> Namespaces(IReadOnlyList<string>? given) => given is { Count: 0 } || given?.Any(string.IsNullOrWhiteSpace) == true
        ? throw FailureTypes.Invalid("Field 'namespaces' is empty, or one of them is. Leave it out for everything, or name some.") : given ?? [];

    /// <summary>Without the backup nothing is overwritten; what could not be restored, or differs, people may answer for.</summary>
    private protected override bool MaySkip(string step) => step is Restores or Compares or CleansUp;

    private protected override string PlanInWords() => Plan!.Velero is { } velero
        ? $"{Plan.Store} of {Plan.Environment} in {Plan.Region} would be restored as of {Plan.At:u} by Velero from {velero.Backup}, which it made with {Plan.Set}{(Plan.Namespaces.Count == 0 ? "" : $", only {string.Join(", ", Plan.Namespaces)}")}. {Plan.Why} {string.Join(" ", Plan.Notes)}"
        : $"{Plan!.Store} of {Plan.Environment} in {Plan.Region} would be restored as of {Plan.At:u} from {Plan.Set}{(Plan.Namespaces.Count == 0 ? "" : $", only {string.Join(", ", Plan.Namespaces)}")}. {Plan.Why} "
        + $"{Plan.Count(kind => kind.Create)} objects would be made, {Plan.Overwrites.Count} that exist replaced; {Plan.Count(kind => kind.Same)} are as they were, {Plan.Count(kind => kind.Keep)} differ and stay, {Plan.Count(kind => kind.Leave)} are left to others. "
        + string.Join(" ", Plan.Notes);

    private protected override (RestoreOutcome Outcome, string Summary) Judge(StateRestorePlan made)
    {
        var whole = !Skipped.ContainsKey(Restores) && !Skipped.ContainsKey(Compares);
        if (made.Velero is { } velero)
        {
            return (
                whole ? RestoreOutcome.Restored : RestoreOutcome.Partial,
                $"Velero has restored {restored?.Created ?? 0} objects from {velero.Backup}, as of {made.At:u}. Nobody has compared them with it. {string.Join(" ", [.. whole ? [] : restored?.Troubles ?? [], .. whole ? restored?.Warned ?? [] : []])}".TrimEnd());
        }

        return (
            whole ? RestoreOutcome.Restored : RestoreOutcome.Partial,
            $"{Request.Store} is restored from {made.Set}, as of {made.At:u}: {made.Count(kind => kind.Create)} objects were to be made and {made.Overwrites.Count} to be replaced. "
            + $"{(compared is { Wrong.Count: 0 } found ? $"{found.Same} objects are as in the set, {found.Kept} differ and were to stay, {found.Left} are left to others." : "")}"
            + $"{(whole ? "" : $" Not all is as in the set: {string.Join(" ", [.. restored?.Troubles ?? [], .. compared?.Wrong ?? []])}")}"
            + $"{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")}");
    }

    private protected override StateRestoreReport Report(RestoreOutcome outcome) => new() { Restored = restored, Compared = compared };

    private protected override string IfStoppedNow() => Ended ? "Nothing is half-done." : !begun ? "Nothing has been changed."
        : $"Some objects may be made or replaced, and none is half-written; they stay.{(BackupBefore is { } before ? $" What was overwritten is in {before}." : "")} Start the runbook again: it plans what is left.";
}
