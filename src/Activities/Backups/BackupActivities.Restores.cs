using PlatformOps.Activities.Provisioning;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.Vault;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;
using Temporalio.Activities;
using StateRestorePlan = PlatformOps.Platform.Backups.ClusterState.StateRestorePlan;

namespace PlatformOps.Activities.Backups;

/// <summary>What restores into what runs do to the outside.</summary>
public sealed partial class BackupActivities
{
    /// <inheritdoc/>
    public Task<PlannedRestore> PlanRestoreAsync(PlanRestoreInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store, StoreKind.Postgresql);
        var rails = specified.Environment.GuardRails;
        return await Beating(async progress =>
        {
            using var managed = stores.ManagedDatabase(input.Store, specified);
            using var restore = managed is null ? Restore(input.Store, specified, definition, progress) : null;
            return await (managed is null ? restore!.PlanAsync(input) : Beside(input.Store, definition, managed, progress).PlanAsync(input)) switch
            {
                // Data is never overwritten by nobody's word, nor is a second database with all of it made.
                RestoreDecision.Restore { Plan: var plan } => new PlannedRestore(
                    plan, null, plan.Overwrites || plan.NewInstance is not null ? Math.Max(1, rails.Approvals) : rails.Approvals, rails.ApprovalTimeout,
                    definition.Continuous && input.Before is { } before && await stores.Catalog(input.Store).FindAsync(before, Cancellation) is { Good: true }),
                RestoreDecision.Refuse { Why: var why } => new PlannedRestore(null, why, 0, rails.ApprovalTimeout),
                var decision => throw new InvalidOperationException($"No such decision: {decision}."),
            };
        });
    });

    /// <inheritdoc/>
    public Task<RestoreStepResult> RestoreStepAsync(RestoreStepInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        return await Beating(async progress =>
        {
            if (input.Plan.NewInstance is not null && stores.ManagedDatabase(input.Store, specified) is { } managed)
            {
                using (managed)
                    return await Beside(input.Store, definition, managed, progress).CarryOutAsync(input);
            }

            using var restore = Restore(input.Store, specified, definition, progress);
            return await restore.CarryOutAsync(input);
        });
    });

    /// <inheritdoc/>
    public Task<bool> ClaimSetAsync(ClaimSetInput input) => ActivityFailures.MappedAsync(async () =>
    {
        _ = Defined(input.Store);
        if (input.Release)
            await stores.Claims(input.Store).ReleaseAsync(input.Set, input.Operation, Cancellation);
        else
            await stores.Claims(input.Store).ClaimAsync(input.Set, input.Operation, Cancellation);
        return !input.Release;
    });

    /// <inheritdoc/>
    public Task<PlannedRestore<StateRestorePlan>> PlanStateRestoreAsync(PlanStateRestoreInput input) => OfState(input.Store, async restore =>
    {
        var (plan, refusal) = await restore.PlanAsync(input);
        var rails = restore.GuardRails;
        // No object of a cluster in use is written by nobody's word.
        return new PlannedRestore<StateRestorePlan>(plan, refusal, plan is null || plan.IsEmpty ? 0 : Math.Max(1, rails.Approvals), rails.ApprovalTimeout);
    });

    /// <inheritdoc/>
    public Task<RestoredState> RestoreStateAsync(StateRestoreInput input) => OfState(input.Store, restore => restore.CarryOutAsync(input));

    /// <inheritdoc/>
    public Task<ComparedState> CompareStateAsync(StateRestoreInput input) => OfState(input.Store, restore => restore.CompareAsync(input));

    /// <inheritdoc/>
    public Task<PlannedRestore<VaultRestorePlan>> PlanVaultRestoreAsync(PlanVaultRestoreInput input) => OfVault(input.Store, async (restore, rails) =>
    {
        var (plan, refusal) = await restore.PlanAsync(input);
        return new PlannedRestore<VaultRestorePlan>(plan, refusal, Math.Max(1, rails.Approvals), rails.ApprovalTimeout);
    });

    /// <inheritdoc/>
    public Task<VaultRestoreStepResult> VaultRestoreStepAsync(VaultRestoreStepInput input) => OfVault(input.Store, (restore, _) => restore.CarryOutAsync(input));

    /// <inheritdoc/>
    public Task<ListedStores> ListStoresAsync(StoreReference input) => ActivityFailures.MappedAsync(() =>
    {
        var specified = SpecifiedEnvironment.Read(sources, input.Environment);
        var components = specified.Environment.Regions.SelectMany(region => specified.InDependencyOrder(region.Name)).DistinctBy(component => component.Name).ToList();
        var rails = specified.Environment.GuardRails;
        return Task.FromResult(new ListedStores(
            components.SelectMany(component => component.Backups).DistinctBy(store => store.Name).ToDictionary(store => store.Name, store => store.Store), [.. components.Select(component => component.Name)],
            Math.Max(1, rails.Approvals), rails.ApprovalTimeout));
    });

    /// <inheritdoc/>
    public Task<FencedTemporal> FenceTemporalAsync(FenceTemporalInput input) => ActivityFailures.MappedAsync(
        () => Beating(progress => temporal.FenceAsync(SpecifiedEnvironment.Read(sources, input.Environment), input.Operation, progress, Cancellation)));

    private Task<T> OfVault<T>(StoreReference reference, Func<VaultRestore, GuardRails, Task<T>> work) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(reference, StoreKind.Vault);
        using var store = (VaultStore)stores.Open(reference, specified, definition);
        return await Beating(progress => work(new(reference, definition, stores, store, time, progress, Cancellation), specified.Environment.GuardRails));
    });

    /// <inheritdoc/>
    public Task<PlannedRestore<SearchRestorePlan>> PlanSearchRestoreAsync(PlanSearchRestoreInput input) => OfSearch(input.Store, async (restore, specified) =>
    {
        var (plan, refusal) = await restore.PlanAsync(input);
        var rails = specified.Environment.GuardRails;
        // No index in use is written by nobody's word.
        return new PlannedRestore<SearchRestorePlan>(plan, refusal, plan is null || plan.Indices.Count == 0 ? 0 : Math.Max(1, rails.Approvals), rails.ApprovalTimeout);
    });

    /// <inheritdoc/>
    public Task<SearchRestoreDone> RestoreSearchStepAsync(SearchRestoreInput input) => OfSearch(input.Store, (restore, _) => restore.CarryOutAsync(input));

    private Task<T> OfSearch<T>(StoreReference reference, Func<SearchRestore, SpecifiedEnvironment, Task<T>> work) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(reference, StoreKind.Elasticsearch);
        using var store = (SearchStore)stores.Open(reference, specified, definition);
        return await Beating(progress => work(new(reference, BackupStores.RegionOf(reference, specified), definition, stores, store, time, progress, Cancellation), specified));
    });

    private Task<T> OfState<T>(StoreReference reference, Func<ClusterStateRestore, Task<T>> work) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(reference, StoreKind.KubernetesState);
        using var store = (ClusterStateStore)stores.Open(reference, specified, definition);
        return await Beating(progress => work(new(reference, specified.Environment.GuardRails, definition, stores, store, time, progress, Cancellation)));
    });

    private ManagedDatabaseRestore Beside(StoreReference store, BackupDefinition definition, ManagedDatabaseStore database, Action<string> progress) => new(store, definition, stores, database, ActivityExecutionContext.Current.TemporalClient, time, progress, Cancellation);

    private DatabaseRestore Restore(StoreReference store, SpecifiedEnvironment specified, BackupDefinition definition, Action<string> progress)
    {
        var (guards, pair, synchronous) = stores.Database(store);
        return new(store, specified, definition, stores, guards, pair, synchronous, ActivityExecutionContext.Current.TemporalClient, time, progress, Cancellation);
    }

    private (SpecifiedEnvironment Specified, BackupDefinition Definition) Defined(StoreReference store, StoreKind kind)
    {
        var defined = Defined(store);
        return defined.Definition.Store == kind ? defined : throw Invalid($"Field 'store' is '{store.Store}', which is of kind {defined.Definition.Store}: this runbook is for {kind}.");
    }
}
