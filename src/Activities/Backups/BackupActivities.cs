using PlatformOps.Activities.Provisioning;
using PlatformOps.Adapters;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace PlatformOps.Activities.Backups;

/// <summary>What backups, verifications and retention do to the outside, through the store's own class.</summary>
/// <param name="sources">Where specification and catalog are; read anew by every activity.</param>
/// <param name="connections">How stores and the backup catalog are reached.</param>
/// <param name="time">The clock of what is due; default: the system's.</param>
public sealed partial class BackupActivities(ProvisioningSources sources, PlatformConnections connections, TimeProvider? time = null) : IBackupActivities, IDisposable
{
    /// <summary>So that the answer stays small; whoever wants all asks the catalog.</summary>
    private const int Shown = 200;

    private readonly BackupStores stores = new(connections, time ?? TimeProvider.System);
    private readonly TemporalFence temporal = new(connections);
    private readonly TimeProvider time = time ?? TimeProvider.System;

    private static CancellationToken Cancellation => ActivityExecutionContext.Current.CancellationToken;

    private DateTimeOffset Now => time.GetUtcNow();

    /// <inheritdoc/>
    public Task<BegunBackup> BeginBackupAsync(BeginBackupInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store, input.Kind);
        var catalog = stores.Catalog(input.Store);
        var choice = MethodChoice.Of(await catalog.ReadAsync(Cancellation), definition, input.Method, Now);
        var entered = await catalog.EnterAsync(
            new()
            {
                Id = input.Operation,
                Environment = input.Store.Environment,
                Region = BackupStores.RegionOf(input.Store, specified),
                Store = input.Store.Store,
                Kind = definition.Store,
                Method = choice.Method,
                Outcome = BackupOutcome.Running,
                StartedAt = Now,
            },
            Cancellation);
        // What an earlier attempt decided stays decided.
        var etcd = Etcd(input.Store, specified, definition);
        return new BegunBackup(entered.Method, $"{(entered.Method == choice.Method ? choice.Why : "It was begun so.")}{etcd.Said}", etcd.Declared);
    });

    /// <inheritdoc/>
    public Task<TakenEtcdSnapshot> SnapshotEtcdAsync(SnapshotEtcdInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store, StoreKind.KubernetesState);
        using var store = (ClusterStateStore)stores.Open(input.Store, specified, definition);
        return new TakenEtcdSnapshot(await Beating(progress => store.SnapshotEtcdAsync(input.Operation, progress, Cancellation)));
    });

    /// <inheritdoc/>
    public Task<MadeBackup> MakeBackupAsync(MakeBackupInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        using var store = stores.Open(input.Store, specified, definition);
        var made = await Beating(progress => store.MakeAsync(input.Operation, input.Method, progress, Cancellation));
        return new MadeBackup(
            made.Label, made.StartedAt, made.FinishedAt, made.Range, made.Bytes, made.Manifest, [new(BackupStores.RegionOf(input.Store, specified), made.Place), .. made.Copies], made.DependsOn, made.Missing, made.Etcd);
    });

    /// <inheritdoc/>
    public Task<RecordedBackup> RecordBackupAsync(RecordBackupInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var catalog = stores.Catalog(input.Store);
        var ids = input.Made is { DependsOn.Count: > 0 }
            ? (await catalog.ReadAsync(Cancellation)).Where(set => set.Label is not null).GroupBy(set => set.Label!).ToDictionary(same => same.Key, same => same.First().Id)
            : [];
        return new RecordedBackup(await catalog.ChangeAsync(
            input.Operation,
            set => input.Made is { } made
                ? set with
                {
                    Outcome = made.Missing.Count == 0 ? BackupOutcome.Complete : BackupOutcome.Partial,
                    Reason = made.Missing.Count == 0 ? null : string.Join(" ", made.Missing),
                    StartedAt = made.StartedAt,
                    FinishedAt = made.FinishedAt,
                    Range = made.Range,
                    Label = made.Label,
                    Bytes = made.Bytes,
                    Manifest = made.Manifest,
                    Etcd = made.Etcd,
                    Locations = made.Locations,
                    DependsOn = [.. made.DependsOn.Select(label => ids.GetValueOrDefault(label, label))],
                }
                : set with { Outcome = BackupOutcome.Failed, Reason = input.Failure, FinishedAt = Now },
            Cancellation));
    });

    /// <inheritdoc/>
    public Task<CheckedRepository> CheckRepositoryAsync(StoreReference input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input);
        var catalog = stores.Catalog(input);
        using var store = stores.Open(input, specified, definition);
        var sets = await SetsAsync(input, definition);
        var sight = await store.LookAsync(Cancellation);
        // This very run is the only one that makes sets, and its own is made.
        var disagreements = Reconciliation.Compare(sets, sight.Sets, new HashSet<string>(), [], definition.Grace, Now);
        var damaged = new List<string>();
        foreach (var finding in disagreements)
        {
            if (finding.Kind == ReconciliationKind.Abandoned)
                await catalog.ChangeAsync(finding.Name, set => set.Outcome == BackupOutcome.Running ? set with { Outcome = BackupOutcome.Failed, Reason = finding.Why, FinishedAt = Now } : null, Cancellation);
            else if (finding.Kind is ReconciliationKind.Altered or ReconciliationKind.NotInRepository)
                await DamagedAsync(finding.Name, finding.Why);
        }

        foreach (var set in sets.Where(set => set is { Outcome: BackupOutcome.Complete, Label: not null } && sight.Broken.ContainsKey(set.Label)))
            await DamagedAsync(set.Id, sight.Broken[set.Label!]);
        var copies = stores.Copies(input) is { } places ? await places.CheckAsync(sets, Cancellation) : ([], new Dictionary<string, IReadOnlyList<BackupLocation>>());
        foreach (var set in sets.Where(set => copies.Locations.TryGetValue(set.Id, out var found) && !found.SequenceEqual(set.Locations)))
            await catalog.ChangeAsync(set.Id, there => there with { Locations = copies.Locations[set.Id] }, Cancellation);
        return new CheckedRepository(
            [.. sight.Gaps.Select(gap => $"{gap}"), .. disagreements.Select(finding => $"{finding.Name}: {finding.Why}"), .. sight.Broken.Select(broken => $"{broken.Key}: {broken.Value}"), .. sight.Findings, .. copies.Wrong],
            sight.Gaps, disagreements, damaged, sight.NewestLog);

        async Task DamagedAsync(string id, string why)
        {
            damaged.Add(id);
            await catalog.ChangeAsync(id, set => set.Proof is { Proved: false } ? null : set with { Proof = new(Proved: false, Now, "check", [why]) }, Cancellation);
        }
    });

    /// <inheritdoc/>
    public Task<FoundBackups> ReadBackupsAsync(StoreReference input) => ActivityFailures.MappedAsync(async () =>
    {
        var (_, definition) = Defined(input);
        var sets = await SetsAsync(input, definition);
        return new FoundBackups([.. sets.Reverse().Take(Shown).Select(set => Short(set, definition))], sets.Count);
    });

    /// <inheritdoc/>
    public Task<ChosenSet> ChooseSetAsync(ChooseSetInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (_, definition) = Defined(input.Store);
        var sets = await SetsAsync(input.Store, definition);
        var choice = VerificationPlanner.Choose(sets, definition, Now);
        if (input.Set is { } asked && sets.All(set => set.Id != asked || set.Outcome != BackupOutcome.Complete))
            throw Invalid($"Field 'set' is '{asked}', and there is no whole set of that id. Possible: {string.Join(", ", sets.Where(set => set.Outcome == BackupOutcome.Complete).Select(set => set.Id).TakeLast(20).DefaultIfEmpty("none"))}.");
        // The same operation asks again: it has claimed one already.
        var chosen = input.Set ?? sets.FirstOrDefault(set => set.Uses.Any(use => use.By == input.Operation))?.Id ?? choice.Set;
        if (chosen is not null)
            await stores.Claims(input.Store).ClaimAsync(chosen, input.Operation, Cancellation);
        return new ChosenSet(chosen, input.Set is null ? choice.Why : "It was asked for.", choice.Unproven, definition.Rpo, definition.Rto);
    });

    /// <inheritdoc/>
    public Task<QuarantinedSet> RestoreIntoQuarantineAsync(QuarantineInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        var set = await SetAsync(input);
        using var store = stores.Open(input.Store, specified, definition);
        var copy = await Beating(progress => store.RestoreAsync(input.Operation, set.Label!, null, progress, Cancellation));
        return new QuarantinedSet(copy.Took, copy.UpTo, $"{set.Label} was restored in {copy.Took.TotalSeconds:0.0} s, up to {copy.UpTo:u}.");
    });

    /// <inheritdoc/>
    public Task<ProbedSet> ProbeAsync(QuarantineInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        using var store = stores.Open(input.Store, specified, definition);
        var found = await Beating(progress => store.ProbeAsync(input.Operation, definition.Rpo, progress, Cancellation));
        BackupMetrics.Record(ActivityExecutionContext.Current.MetricMeter, input.Store, found.Temporal);
        return new ProbedSet(found.Wrong, found.Right, found.Rpo, found.Temporal, found.Unread);
    });

    /// <inheritdoc/>
    public Task<CleanedQuarantine> CleanUpAsync(QuarantineInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        using var store = stores.Open(input.Store, specified, definition);
        return new CleanedQuarantine(await Beating(_ => store.CleanUpAsync(input.Operation, Cancellation)));
    });

    /// <inheritdoc/>
    public Task RecordProofAsync(RecordProofInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var changed = await stores.Catalog(input.Store).ChangeAsync(input.Set, set => set with { Proof = input.Proof ?? set.Proof, Restored = input.Restored ?? (input.Proof is null ? set.Restored : null), Uses = stores.Claims(input.Store).Others(set, input.Operation) }, Cancellation);
        if (input.Proof is not null)
            await SetsAsync(input.Store, Defined(input.Store).Definition);
        return changed;
    });

    /// <inheritdoc/>
    public Task<HeldSet> HoldSetAsync(HoldSetInput input) => ActivityFailures.MappedAsync(async () =>
    {
        _ = Defined(input.Store);
        if (await stores.Catalog(input.Store).FindAsync(input.Set, Cancellation) is null)
            throw Invalid($"Field 'set' is '{input.Set}', and there is no set of that id. See platformops backup list.");
        var held = await stores.Claims(input.Store).HoldAsync(input.Set, input.Hold, Cancellation);
        return new HeldSet(held.Id, held.Hold);
    });

    /// <inheritdoc/>
    public Task<DecidedRetention> DecideRetentionAsync(StoreReference input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input);
        using var store = stores.Open(input, specified, definition);
        var sets = await SetsAsync(input, definition);
        var verdicts = RetentionPolicy.Decide(sets, definition, Now);
        var sight = await store.LookAsync(Cancellation);
        return new DecidedRetention(
            [.. verdicts.OrderBy(verdict => verdict.Action is RetentionAction.Keep or RetentionAction.Wait).Take(Shown)], sets.Count,
            Reconciliation.Compare(sets, sight.Sets, running: null, [], definition.Grace, Now));
    });

    /// <inheritdoc/>
    public Task<RetiredSet> RetireSetAsync(RetireSetInput input) => ActivityFailures.MappedAsync(async () =>
    {
        var (specified, definition) = Defined(input.Store);
        var catalog = stores.Catalog(input.Store);
        var sets = await catalog.ReadAsync(Cancellation);
        if (sets.FirstOrDefault(set => set.Id == input.Set) is not { } found)
            return new RetiredSet(input.Action == RetentionAction.Sweep, "It is not there any more.");
        var verdict = RetentionPolicy.Decide(sets, definition, Now).First(verdict => verdict.Set == input.Set);
        if (verdict.Action != input.Action)
            // An attempt before this one did it.
            return new RetiredSet((input.Action, verdict.Action) is (RetentionAction.Mark, RetentionAction.Wait) or (RetentionAction.Unmark, RetentionAction.Keep), verdict.Why);
        if (input.Action == RetentionAction.Sweep)
        {
            // Somebody may have asked for it by name since it was read.
            if (!await stores.Claims(input.Store).SweepAsync(found.Id, Cancellation))
                return new RetiredSet(false, "Somebody reads or holds it by now.");
            using var store = stores.Open(input.Store, specified, definition);
            if (found.Label is { } label)
                await store.RemoveAsync(label, Cancellation);
            await catalog.RemoveAsync(found.Id, Cancellation);
        }
        else
        {
            await catalog.ChangeAsync(found.Id, set => set with { MarkedAt = input.Action == RetentionAction.Mark ? set.MarkedAt ?? Now : null }, Cancellation);
        }

        return new RetiredSet(true, verdict.Why);
    });

    /// <summary>Writes the snapshot of etcd in a set into a file that is new. No activity: etcd is restored where the control plane runs, by people.</summary>
    /// <param name="set">Its id.</param>
    /// <exception cref="AdapterException">The set has none, or it is damaged.</exception>
    public async Task<EtcdSnapshot> WriteEtcdAsync(StoreReference reference, string set, string file, CancellationToken ct)
    {
        var (_, definition) = Defined(reference);
        if (definition.Store != StoreKind.KubernetesState)
            throw new AdapterException(AdapterFailureKind.Rejected, $"{reference} is of kind {definition.Store}: only sets of cluster state have a snapshot of etcd.");
        // The cluster is what is lost: without it, and without a kubeconfig.
        var sets = stores.StateSets(reference);
        return (await stores.Catalog(reference).FindAsync(set, ct))?.Label is { } label ? await sets.WriteEtcdAsync(label, file, ct)
            : throw new AdapterException(AdapterFailureKind.Missing, $"{reference} has no whole set {set}: see platformops backup list.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stores.Dispose();
        temporal.Dispose();
    }

    private static Task<T> Beating<T>(Func<Action<string>, Task<T>> work) => Heartbeats.WhileAsync(work);

    /// <summary>Every set of a store, the oldest first.</summary>
    private async Task<IReadOnlyList<BackupSet>> SetsAsync(StoreReference store, BackupDefinition definition)
    {
        var sets = await stores.Catalog(store).ReadAsync(Cancellation);
        BackupMetrics.Record(ActivityExecutionContext.Current.MetricMeter, store, definition, sets, Now);
        return sets;
    }

    private async Task<BackupSet> SetAsync(QuarantineInput input)
    {
        var set = await stores.Claims(input.Store).ClaimAsync(input.Set, input.Operation, Cancellation);
        return set.Label is null ? throw new AdapterException(AdapterFailureKind.Damaged, $"{set.Id} has no name in the repository: it was never finished.") : set;
    }

    private (SpecifiedEnvironment Specified, BackupDefinition Definition) Defined(StoreReference store)
    {
        var specified = SpecifiedEnvironment.Read(sources, store.Environment);
        if (store.Region is { } region && specified.Environment.Regions.All(known => known.Name != region))
            throw Invalid($"Field 'region' is '{region}', which {store.Environment} does not have. Possible: {string.Join(", ", specified.Environment.Regions.Select(known => known.Name))}.");
        var all = specified.Environment.Regions.SelectMany(known => specified.InDependencyOrder(known.Name)).DistinctBy(component => component.Name).SelectMany(component => component.Backups).ToList();
        return all.Find(known => known.Name == store.Store) is { } definition
            ? (specified, definition)
            : throw Invalid($"Field 'store' is '{store.Store}', which {store.Environment} does not have. Possible: {string.Join(", ", all.Select(known => known.Name).DefaultIfEmpty("none"))}.");
    }

    private static (bool Declared, string Said) Etcd(StoreReference store, SpecifiedEnvironment specified, BackupDefinition definition)
    {
        if (definition.Store != StoreKind.KubernetesState)
            return (false, "");
        var region = BackupStores.RegionOf(store, specified);
        return specified.Environment.Regions.First(known => known.Name == region).Etcd is { } etcd
            ? (true, $" With a snapshot of the etcd at {etcd.Endpoint.Authority}.")
            : (false, $" Without a snapshot of etcd: regions.{region}.etcd is not declared.");
    }

    private FoundBackup Short(BackupSet set, BackupDefinition definition) => new(
        set.Id, set.Standing(definition.VerifyEvery, Now), set.Method, set.StartedAt, set.Label, set.Bytes, set.Proof?.At, set.Proof?.MeasuredRpo, set.Proof?.MeasuredRto,
        set.Reason ?? (set.Proof is { Proved: false } proof ? proof.Findings is [var first, ..] ? first : "It is damaged." : set.Hold is { } hold ? $"{hold.By} holds it: {hold.Why}" : set.Restored is { } restored ? $"It was restored at {restored.At:u}, and nobody read what was in it: {restored.Unread}" : null), set.Locations, set.Etcd);

    private static ApplicationFailureException Invalid(string message) => new(message, FailureTypes.InvalidInput, nonRetryable: true);
}
