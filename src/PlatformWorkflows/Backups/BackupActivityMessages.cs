using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Workflows.Backups;

/// <param name="Store">Its name in the catalog.</param>
/// <param name="Region">Whose store; null: the environment has one.</param>
public sealed record StoreReference(string Environment, string Store, string? Region = null)
{
    /// <summary>As ids of workflows and messages have it.</summary>
    public override string ToString() => Region is null ? Store : $"{Store}@{Region}";
}

/// <param name="Operation">Also the id of the set.</param>
/// <param name="Kind">What the runbook backs up; a store of another kind is refused.</param>
/// <param name="Method">Null: what is due by the schedules, or a full one where others have nothing to stand on.</param>
public sealed record BeginBackupInput(StoreReference Store, string Operation, StoreKind Kind, BackupMethod? Method);

/// <param name="Method">What is made.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Etcd">Whether a snapshot of etcd belongs into it.</param>
public sealed record BegunBackup(BackupMethod Method, string Why, bool Etcd = false);

/// <param name="Operation">Also the id of the set.</param>
public sealed record SnapshotEtcdInput(StoreReference Store, string Operation);

/// <param name="Snapshot">The one in the set; null: none belongs into it.</param>
public sealed record TakenEtcdSnapshot(EtcdSnapshot? Snapshot);

public sealed record MakeBackupInput(StoreReference Store, string Operation, BackupMethod Method);

/// <param name="Label">What the store's own tool calls it.</param>
/// <param name="DependsOn">Labels of the sets that it needs.</param>
/// <param name="Missing">What should be in it and is not, one sentence each: then it is partial.</param>
/// <param name="Etcd">The snapshot of etcd in it; null: it has none.</param>
public sealed record MadeBackup(
    string Label, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, RecoveryRange Range, long Bytes, BackupManifest Manifest, IReadOnlyList<BackupLocation> Locations, IReadOnlyList<string> DependsOn,
    IReadOnlyList<string> Missing, EtcdSnapshot? Etcd = null);

/// <param name="Made">Null: it failed.</param>
/// <param name="Failure">Why; null: it did not fail.</param>
public sealed record RecordBackupInput(StoreReference Store, string Operation, MadeBackup? Made, string? Failure);

/// <param name="Set">As it is entered.</param>
public sealed record RecordedBackup(BackupSet Set);

/// <param name="Findings">What is not as it has to be, one sentence each.</param>
/// <param name="Gaps">What is missing in the log.</param>
/// <param name="Disagreements">Between catalog and repository.</param>
/// <param name="Damaged">Sets that count as damaged from now on.</param>
/// <param name="NewestLog">When the newest piece of the log was archived; null: the store has none.</param>
public sealed record CheckedRepository(
    IReadOnlyList<string> Findings, IReadOnlyList<WalGap> Gaps, IReadOnlyList<ReconciliationFinding> Disagreements, IReadOnlyList<string> Damaged, DateTimeOffset? NewestLog);

/// <param name="Sets">The newest first, at most 200.</param>
/// <param name="Count">How many there are.</param>
public sealed record FoundBackups(IReadOnlyList<FoundBackup> Sets, int Count);

/// <summary>A set, for people.</summary>
/// <param name="Set">Its id.</param>
/// <param name="Label">What the store's own tool calls it.</param>
/// <param name="Why">Why it is partial, failed, damaged, held or marked; null: it is none of them.</param>
/// <param name="Locations">Where it lies whole, and until when nobody can delete it there.</param>
/// <param name="Etcd">The snapshot of etcd in it; null: it has none.</param>
public sealed record FoundBackup(
    string Set, BackupStanding Standing, BackupMethod Method, DateTimeOffset StartedAt, string? Label, long? Bytes, DateTimeOffset? ProvedAt, TimeSpan? MeasuredRpo, TimeSpan? MeasuredRto, string? Why,
    IReadOnlyList<BackupLocation>? Locations = null, EtcdSnapshot? Etcd = null);

/// <param name="Operation">The verification.</param>
/// <param name="Set">Null: the one that is due.</param>
public sealed record ChooseSetInput(StoreReference Store, string Operation, string? Set);

/// <param name="Set">Null: none is due.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Unproven">Ids of the sets of which nobody knows whether they can be restored.</param>
/// <param name="Rpo">As declared.</param>
/// <param name="Rto">As declared.</param>
public sealed record ChosenSet(string? Set, string Why, IReadOnlyList<string> Unproven, TimeSpan Rpo, TimeSpan Rto);

/// <param name="Operation">The verification: what it makes carries it.</param>
public sealed record QuarantineInput(StoreReference Store, string Operation, string Set);

/// <param name="Took">From the order to a store that answers.</param>
/// <param name="UpTo">The newest moment that it has.</param>
public sealed record QuarantinedSet(TimeSpan Took, DateTimeOffset UpTo, string Detail);

/// <param name="Wrong">What speaks against it, one sentence each; none: it is whole.</param>
/// <param name="Right">What was looked at and is as it has to be.</param>
/// <param name="MeasuredRpo">The age of the newest data in it when the restore was ordered; null: it could not be measured.</param>
/// <param name="Temporal">What it has of Temporal, one for each of its databases.</param>
/// <param name="Unread">Why nobody has read what is in it: then it is restored, and not proved. Null: it was read.</param>
public sealed record ProbedSet(IReadOnlyList<string> Wrong, IReadOnlyList<string> Right, TimeSpan? MeasuredRpo, IReadOnlyList<TemporalCopyCounts>? Temporal = null, string? Unread = null);

/// <param name="Removed">What was there.</param>
public sealed record CleanedQuarantine(IReadOnlyList<string> Removed);

/// <param name="Proof">Null: it could not be found out, and the set is as proved as before.</param>
/// <param name="Restored">It was restored, and nobody has read what is in it; null: not that.</param>
public sealed record RecordProofInput(StoreReference Store, string Operation, string Set, BackupProof? Proof, BackupRestored? Restored = null);

/// <param name="Verdicts">About every set, at most 200: those that something is done with first.</param>
/// <param name="Count">How many sets there are.</param>
/// <param name="Disagreements">Between catalog and repository; nothing is removed because of them.</param>
public sealed record DecidedRetention(IReadOnlyList<RetentionVerdict> Verdicts, int Count, IReadOnlyList<ReconciliationFinding> Disagreements);

/// <param name="Action">What was decided.</param>
public sealed record RetireSetInput(StoreReference Store, string Operation, string Set, RetentionAction Action);

/// <param name="Done">False: it would not be decided so any more; the set is as it was.</param>
public sealed record RetiredSet(bool Done, string Detail);

/// <param name="Set">Null: whichever fits.</param>
/// <param name="Target">Null: the newest.</param>
/// <param name="Before">The id of the set that this operation makes of what it overwrites; null: nobody asks for it.</param>
public sealed record PlanRestoreInput(StoreReference Store, string Operation, string? Set, DateTimeOffset? Target, string? Before = null, bool Exchange = false);

/// <inheritdoc/>
/// <param name="IsBackedUp">Whether this operation has made a set of what it overwrites that can be followed up to now.</param>
public sealed record PlannedRestore(RestorePlan? Plan, string? Refusal, int Approvals, TimeSpan ApprovalTimeout, bool IsBackedUp = false) : PlannedRestore<RestorePlan>(Plan, Refusal, Approvals, ApprovalTimeout);

/// <param name="Epoch">The epoch that the step acts in: that of the plan, and after the claim the claimed one.</param>
/// <param name="KeepOld">For the cleaning up: what was replaced was not backed up, and stays.</param>
public sealed record RestoreStepInput(StoreReference Store, string Operation, RestorePlan Plan, RestoreStep Step, long Epoch, bool KeepOld = false);

/// <param name="Detail">What was done, as sentences.</param>
/// <param name="Epoch">That of now.</param>
/// <param name="Took">For the restore: from the order to a server that answers; null otherwise.</param>
public sealed record RestoreStepResult(string Detail, long Epoch, TimeSpan? Took = null);

/// <param name="Hold">Null: nobody holds it any more.</param>
public sealed record HoldSetInput(StoreReference Store, string Set, BackupHold? Hold);

/// <param name="Hold">As it is entered.</param>
public sealed record HeldSet(string Set, BackupHold? Hold);

/// <param name="Operation">Who reads the set, and retention leaves it alone; or does not any more.</param>
public sealed record ClaimSetInput(StoreReference Store, string Operation, string Set, bool Release = false);
