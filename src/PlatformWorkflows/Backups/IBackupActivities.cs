using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Backups.Vault;
using Temporalio.Activities;

namespace PlatformOps.Workflows.Backups;

/// <summary>What backups, verifications and restores ask of the outside, whatever kind of store it is. No data of a store and no secret is in what they take or answer.</summary>
/// <remarks>Each can be called again with the same input: what was done is found done, what goes on is waited for.</remarks>
public interface IBackupActivities
{
    /// <summary>Enters a set into the backup catalog before anything is made of it, and says what will be made.</summary>
    [Activity]
    Task<BegunBackup> BeginBackupAsync(BeginBackupInput input);

    /// <summary>Puts a snapshot of etcd into a set of cluster state, unless it has one. Heartbeats say how far it is.</summary>
    [Activity]
    Task<TakenEtcdSnapshot> SnapshotEtcdAsync(SnapshotEtcdInput input);

    /// <summary>Makes the set, or goes on waiting for it. Heartbeats say how far it is.</summary>
    [Activity]
    Task<MadeBackup> MakeBackupAsync(MakeBackupInput input);

    /// <summary>Writes into the catalog what became of the set.</summary>
    [Activity]
    Task<RecordedBackup> RecordBackupAsync(RecordBackupInput input);

    /// <summary>Looks whether everything is where the catalog says, and whether the log has gaps. What is found broken is entered as damaged; nothing is removed.</summary>
    [Activity]
    Task<CheckedRepository> CheckRepositoryAsync(StoreReference input);

    /// <summary>The sets of a store as the backup catalog has them. Changes nothing.</summary>
    [Activity]
    Task<FoundBackups> ReadBackupsAsync(StoreReference input);

    /// <summary>Chooses the set that is to be verified, and claims it for this operation.</summary>
    [Activity]
    Task<ChosenSet> ChooseSetAsync(ChooseSetInput input);

    /// <summary>Restores a set where nobody but this operation reaches it. Heartbeats say how far it is.</summary>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException"><see cref="Runbooks.FailureTypes.Damaged"/>: it cannot be restored.</exception>
    [Activity]
    Task<QuarantinedSet> RestoreIntoQuarantineAsync(QuarantineInput input);

    /// <summary>Checks what was restored: its own integrity, and whether everything is in it that has to be.</summary>
    [Activity]
    Task<ProbedSet> ProbeAsync(QuarantineInput input);

    /// <summary>Removes everything that the operation made for a quarantine. Ends when a listing finds nothing any more.</summary>
    [Activity]
    Task<CleanedQuarantine> CleanUpAsync(QuarantineInput input);

    /// <summary>Writes into the catalog what came of a verification, and lets the set go.</summary>
    [Activity]
    Task RecordProofAsync(RecordProofInput input);

    /// <summary>What a restore into the running database would do, or why it is refused. Changes nothing.</summary>
    [Activity]
    Task<PlannedRestore> PlanRestoreAsync(PlanRestoreInput input);

    /// <summary>Carries out one step of a restore, forward or back. Heartbeats say how far it is.</summary>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException"><see cref="Runbooks.FailureTypes.Damaged"/>: what was restored is not what it has to be.</exception>
    [Activity]
    Task<RestoreStepResult> RestoreStepAsync(RestoreStepInput input);

    /// <summary>Claims a set for an operation, so that retention leaves it alone, or lets it go.</summary>
    /// <returns>Whether it is claimed.</returns>
    [Activity]
    Task<bool> ClaimSetAsync(ClaimSetInput input);

    /// <summary>What a restore would do with the objects of a cluster, or why it is refused. Changes nothing.</summary>
    [Activity]
    Task<PlannedRestore<StateRestorePlan>> PlanStateRestoreAsync(PlanStateRestoreInput input);

    /// <summary>Makes and replaces objects as a plan says. Heartbeats say how far it is.</summary>
    [Activity]
    Task<RestoredState> RestoreStateAsync(StateRestoreInput input);

    /// <summary>Compares a cluster with what a plan says. Changes nothing.</summary>
    [Activity]
    Task<ComparedState> CompareStateAsync(StateRestoreInput input);

    /// <summary>What a restore would do with a Vault, or why it is refused. Changes nothing.</summary>
    [Activity]
    Task<PlannedRestore<VaultRestorePlan>> PlanVaultRestoreAsync(PlanVaultRestoreInput input);

    /// <summary>Carries out one step of a restore of a Vault. Heartbeats say how far it is.</summary>
    [Activity]
    Task<VaultRestoreStepResult> VaultRestoreStepAsync(VaultRestoreStepInput input);

    /// <summary>The stores and components of an environment, as the catalog declares them. Changes nothing.</summary>
    [Activity]
    Task<ListedStores> ListStoresAsync(StoreReference input);

    /// <summary>Pauses every schedule of the platform's own Temporal, and looks whether somebody works on its runs and whether its databases belong together. What is paused already stays so.</summary>
    [Activity]
    Task<FencedTemporal> FenceTemporalAsync(FenceTemporalInput input);

    /// <summary>What a restore of indices would do, or why it is refused. Changes nothing.</summary>
    [Activity]
    Task<PlannedRestore<SearchRestorePlan>> PlanSearchRestoreAsync(PlanSearchRestoreInput input);

    /// <summary>Carries out one step of a restore of indices, forward or back. Heartbeats say how far it is.</summary>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException"><see cref="Runbooks.FailureTypes.Damaged"/>: what was restored is not what it has to be.</exception>
    [Activity]
    Task<SearchRestoreDone> RestoreSearchStepAsync(SearchRestoreInput input);

    /// <summary>Has a set stay, or lets it go.</summary>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException"><see cref="Runbooks.FailureTypes.Conflict"/>: it is being removed already.</exception>
    [Activity]
    Task<HeldSet> HoldSetAsync(HoldSetInput input);

    /// <summary>What would go and why the others stay. Changes nothing.</summary>
    [Activity]
    Task<DecidedRetention> DecideRetentionAsync(StoreReference input);

    /// <summary>Does with one set what was decided, if it would still be decided so.</summary>
    [Activity]
    Task<RetiredSet> RetireSetAsync(RetireSetInput input);
}
