using PlatformOps.Platform.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PlatformOps.Workflows.Backups;

/// <summary>Proves that a set can be restored, by restoring it where nobody reaches it, and measures what a restore loses and takes. See <c>docs/runbooks/backup.md</c>.</summary>
[Workflow]
public sealed class VerifyBackup : BackupRunbook
{
    private const string Chooses = "choose", Restores = "restore", Probes = "probe", Cleans = "cleanUp", Records = "record";

    private ChosenSet? chosen;
    private bool quarantined;
    private IReadOnlyList<string> removed = [];
    private IReadOnlyList<TemporalCopyCounts> temporal = [];
    private string? unread;

    /// <summary>Nothing is done yet.</summary>
    public VerifyBackup()
        : base(
            "Looking which set is due.", (Chooses, "The set whose proof is missing or too old."), (Restores, "It is restored where nobody reaches it."),
            (Probes, "Its integrity, and what has to be in it."), (Cleans, "The quarantine is removed; a listing proves it."), (Records, "The catalog says what came of it."))
    {
    }

    /// <summary>Workflow id of the run of a store, and id of the schedule that starts it.</summary>
    public static string WorkflowId(string environment, string store, string? region = null) => $"verify-backup/{environment}/{new StoreReference(environment, store, region)}";

    /// <summary>The runbook: choose, restore, probe, clean up, write down.</summary>
    [WorkflowRun]
    public Task<VerifyBackupReport> RunAsync(Input<VerifyBackupInput>? input = null) => TellAsync(async () =>
    {
        var given = RequestFields.Given(input);
        Request = BackupRequest.Check("verify", given.Environment, given.Store, given.Region, given.OperationId, given.Within);
        Identify();
        Begin(Chooses);
        chosen = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ChooseSetAsync(new(Request.Store, Request.OperationId, given.Set)), Short($"Which set of {Request.Store} is due"));
        if (chosen.Set is not { } set)
            return End(VerifyOutcome.NothingDue, null, chosen.Why, [], []);
        Finish(Chooses, $"{set}. {chosen.Why}");
        EnterPhase(RunbookPhase.Acting, $"{set} is restored where nobody reaches it. {chosen.Why}");
        var quarantine = new QuarantineInput(Request.Store, Request.OperationId, set);
        BackupProof? proof = null;
        try
        {
            proof = await ProveAsync(quarantine);
        }
        finally
        {
            await CleanUpAsync(quarantine);
            // What could not be found out is not written down as a proof of anything.
            await RecordAsync(quarantine, proof);
        }

        return Judge(set, proof);
    });

    private async Task<BackupProof> ProveAsync(QuarantineInput quarantine)
    {
        Begin(Restores);
        quarantined = true;
        try
        {
            var restored = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.RestoreIntoQuarantineAsync(quarantine), Long($"Restore {quarantine.Set} into quarantine"));
            Finish(Restores, restored.Detail);
            Begin(Probes);
            var probed = await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.ProbeAsync(quarantine), Long($"Look what is in {quarantine.Set}"));
            (temporal, unread) = (probed.Temporal ?? [], probed.Wrong.Count == 0 ? probed.Unread : null);
            Finish(Probes, string.Join(" ", [.. probed.Wrong, .. probed.Right]), probed.Wrong.Count == 0 ? StepState.Done : StepState.Failed);
            return new(probed.Wrong.Count == 0, Now, Request.OperationId, [.. probed.Wrong, restored.Detail, .. probed.Right], probed.MeasuredRpo, restored.Took);
        }
        catch (ActivityFailureException failure) when (FailureReason.TypeOf(failure) == FailureTypes.Damaged)
        {
            Finish(Restores, FailureReason.Of(failure), StepState.Failed);
            return new(Proved: false, Now, Request.OperationId, [FailureReason.Of(failure)]);
        }
    }

    private async Task CleanUpAsync(QuarantineInput quarantine)
    {
        Begin(Cleans);
        var options = Long($"Remove what was restored of {quarantine.Set}");
        // A run that is cancelled cleans up too.
        options.CancellationToken = CancellationToken.None;
        removed = (await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.CleanUpAsync(quarantine), options)).Removed;
        quarantined = false;
        Finish(Cleans, removed.Count == 0 ? "There was nothing." : $"Removed: {string.Join(", ", removed)}.");
    }

    private async Task RecordAsync(QuarantineInput quarantine, BackupProof? proof)
    {
        Begin(Records);
        var options = Short($"Enter what came of the verification of {quarantine.Set}");
        options.CancellationToken = CancellationToken.None;
        var entered = new RecordProofInput(Request.Store, Request.OperationId, quarantine.Set, unread is null ? proof : null, unread is null ? null : new(Now, Request.OperationId, unread));
        await Workflow.ExecuteActivityAsync((IBackupActivities activities) => activities.RecordProofAsync(entered), options);
        Finish(Records, proof is null ? "Nothing: it could not be found out." : unread is not null ? "Restored, and not proved: not all was looked at that has to be." : proof.Proved ? "Proved." : "Damaged.");
    }

    private VerifyBackupReport Judge(string set, BackupProof proof)
    {
        IReadOnlyList<ObjectiveResult> objectives =
            [new("RPO", chosen!.Rpo, proof.MeasuredRpo), new("RTO", chosen.Rto, proof.MeasuredRto)];
        if (!proof.Proved)
            return End(VerifyOutcome.Damaged, set, $"{set} cannot be restored whole: {proof.Findings[0]} Do not rely on it; make a full backup now.", proof.Findings, objectives);
        if (unread is { } why)
            return End(VerifyOutcome.Restored, set, $"{set} was restored, and is as proved as before: not all was looked at that has to be. {why} {string.Join(" ", objectives)}", [why, .. proof.Findings], objectives);
        var kept = objectives.All(objective => objective.Kept);
        return End(
            kept ? VerifyOutcome.Proved : VerifyOutcome.ObjectiveMissed, set,
            $"{set} was restored and is whole. {string.Join(" ", objectives)}", proof.Findings, objectives);
    }

    private VerifyBackupReport End(VerifyOutcome outcome, string? set, string summary, IReadOnlyList<string> findings, IReadOnlyList<ObjectiveResult> objectives)
    {
        EnterPhase(outcome is VerifyOutcome.Proved or VerifyOutcome.NothingDue ? RunbookPhase.Completed : RunbookPhase.Failed, summary);
        Say(outcome);
        foreach (var objective in objectives.Where(objective => objective.Measured is not null))
            Workflow.UpsertTypedSearchAttributes(Measured(objective));
        return new()
        {
            Environment = Request.Store.Environment,
            Store = $"{Request.Store}",
            OperationId = Request.OperationId,
            Outcome = outcome,
            Summary = summary,
            Set = set,
            Findings = findings,
            Objectives = objectives,
            Unproven = [.. chosen!.Unproven.Where(unproven => outcome is VerifyOutcome.NothingDue or VerifyOutcome.Restored || unproven != set)],
            Removed = removed,
            Temporal = temporal,
            StartedAt = StartedAt,
            FinishedAt = Now,
        };
    }

    private static SearchAttributeUpdate Measured(ObjectiveResult objective) =>
        (objective.Objective == "RPO" ? RunbookSearchAttributes.MeasuredRpo : RunbookSearchAttributes.MeasuredRto).ValueSet(InWords(objective.Measured!.Value));

    private protected override string IfStoppedNow() => quarantined
        ? "A restored copy may be left in quarantine, where nobody reaches it; the next verification of the store removes it. The set is as proved as before."
        : "Nothing is half-done.";
}
