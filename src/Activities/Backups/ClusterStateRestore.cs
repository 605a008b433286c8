using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Kubernetes;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;
using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Provisioning.Preflight;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Brings objects of a set back into the cluster that it was made of. Everything can be repeated: what was done is found done.</summary>
internal sealed class ClusterStateRestore(
    StoreReference store, GuardRails rails, BackupDefinition definition, BackupStores stores, ClusterStateStore state, TimeProvider time, Action<string> progress, CancellationToken ct)
{
    /// <summary>How many denied rights or differences are told one by one.</summary>
    private const int Shown = 20;

    public GuardRails GuardRails => rails;

    public async Task<(StateRestorePlan? Plan, string? Refusal)> PlanAsync(PlanStateRestoreInput input)
    {
        if (input.Target > time.GetUtcNow())
            return (null, $"{input.Target:u} is not yet. Name a moment of the past, or none for the newest.");
        var (set, why) = SetChoice.Of(await stores.Catalog(store).ReadAsync(ct), definition, input.Set, input.Target, _ => null);
        if (set is null)
            return (null, why);
        if (input.Velero)
            return await PlanVeleroAsync(input, set, why);
        using var folder = new TemporaryFolder();
        try
        {
            var fetched = await state.Sets.FetchAsync(set.Label!, folder.Path, progress, ct);
            var (epoch, unsure) = await EpochAsync();
            var tally = await new StatePlanner(state.Cluster, fetched.Archive, fetched.Key, Rules(input.Namespaces, input.Overwrite, epoch, input.Since)).RunAsync(fetched.Manifest, progress, ct);
            var (plan, refusal) = tally.Plan(About(input, set, why, fetched.Manifest, epoch, unsure));
            return plan is not null && await DeniedAsync(plan, fetched.Manifest) is { } denied ? (null, denied) : (plan, refusal);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            return (null, $"{failure.Message} Name another set.");
        }
    }

    public async Task<RestoredState> CarryOutAsync(StateRestoreInput input)
    {
        var (plan, began) = (input.Plan, time.GetTimestamp());
        // Whoever reads for longer than a claim holds says so again.
        await stores.Claims(store).ClaimAsync(plan.Set, input.Operation, ct);
        if (plan.Velero is not null)
        {
            var restored = await new VeleroRestores(state.Cluster, time).RunAsync(input.Operation, plan, progress, ct);
            return restored with { Took = time.GetElapsedTime(began) };
        }

        using var folder = new TemporaryFolder();
        var fetched = await state.Sets.FetchAsync(plan.Label, folder.Path, progress, ct);
        var approved = plan.Overwrites.ToDictionary(overwrite => overwrite.Object, overwrite => overwrite.Was);
        bool IsApproved(ResourceAddress address, JsonObject live) => approved.GetValueOrDefault($"{address}") == StatePlanner.Seal(fetched.Key, address, live);
        var done = await new StateRestore(state.Cluster, fetched.Archive, Rules(plan.Namespaces, plan.IsOverwriting, (await EpochAsync()).Epoch, input.Since), time, IsApproved).RunAsync(
            fetched.Manifest, so => progress($"{so.Created + so.Overwritten} objects are written, {so.Unchanged} are as they were."), ct);
        return new(done.Created, done.Unchanged, done.Overwritten, done.Troubled, done.Troubles, time.GetElapsedTime(began));
    }

    public async Task<ComparedState> CompareAsync(StateRestoreInput input)
    {
        var plan = input.Plan;
        using var folder = new TemporaryFolder();
        var fetched = await state.Sets.FetchAsync(plan.Label, folder.Path, progress, ct);
        var tally = await new StatePlanner(state.Cluster, fetched.Archive, fetched.Key, Rules(plan.Namespaces, plan.IsOverwriting, (await EpochAsync()).Epoch, input.Since)).RunAsync(fetched.Manifest, progress, ct);
        var wrong = tally.Undone.Concat(tally.Newer).ToList();
        return new(tally.Same, tally.Kept, tally.Left, wrong.Count > Shown ? [.. wrong.Take(Shown), $"{wrong.Count - Shown} more differences."] : wrong);
    }

    /// <summary>Our own set is not read: it may be what is damaged. Then nobody can say before which objects would be made.</summary>
    private async Task<(StateRestorePlan? Plan, string? Refusal)> PlanVeleroAsync(PlanStateRestoreInput input, BackupSet set, string why)
    {
        if (input.Overwrite)
            return (null, "Velero does not say before which objects it would replace, so that nobody could approve it: restore without overwrite, or without Velero.");
        var (velero, refusal) = await new VeleroRestores(state.Cluster, time).FindAsync(set, ct);
        if (velero is null)
            return (null, refusal);
        if ((await new AccessReviews(state.Cluster).DeniedAsync([new("create", VeleroBackups.Group, "Restore", velero.Namespace)], ct)).Count > 0)
            return (null, $"The worker's account in {state.Cluster.Region} may not create Restores of Velero in {velero.Namespace}. Give it the right for the time of the restore, and take it back afterwards: docs/runbooks/restore-cluster-state.md.");
        return (new()
        {
            Environment = store.Environment,
            Store = store.Store,
            Region = state.Cluster.Region,
            Set = set.Id,
            Label = set.Label!,
            At = set.At,
            Why = why,
            Namespaces = input.Namespaces,
            Archive = $"velero {velero.Backup} {velero.Uid}",
            Kinds = [],
            Overwrites = [],
            Kept = [],
            Left = [],
            Created = "",
            Velero = velero,
            Notes =
            [
                $"{(velero.Items is { } items ? $"It has {items} objects. " : "")}Those that are not there are made; which ones, Velero does not say before. What exists stays as it is.",
                $"These kinds do not come back, since what was revoked or decided since is not known to Velero: {string.Join(", ", velero.Excluded.Take(4))}. Restore without Velero for them.",
                "Bindings of roles come back: whoever was taken out of them since is in them again.",
            ],
        }, null);
    }

    private static StateRestoreRules Rules(IReadOnlyList<string> namespaces, bool overwrite, long? epoch, DateTimeOffset since) =>
        new() { Fenced = true, Namespaces = namespaces, Overwrite = overwrite, Epoch = epoch, Since = since };

    private StateRestorePlan About(PlanStateRestoreInput input, BackupSet set, string why, ArchiveManifest manifest, long? epoch, string? unsure) => new()
    {
        Environment = store.Environment,
        Store = store.Store,
        Region = state.Cluster.Region,
        Set = set.Id,
        Label = set.Label!,
        At = manifest.StartedAt,
        Why = why,
        Namespaces = input.Namespaces,
        Epoch = epoch,
        Archive = manifest.Digest,
        Kinds = [],
        Overwrites = [],
        Kept = [],
        Left = [],
        Created = "",
        Notes =
        [
            .. set.Proof is null ? [$"{set.Id} was never verified."] : Array.Empty<string>(),
            .. unsure is null ? Array.Empty<string>() : [unsure],
        ],
    };

    /// <summary>That of today, as the witness of the environment's databases says.</summary>
    private async Task<(long? Epoch, string? Unsure)> EpochAsync()
    {
        try
        {
            return stores.Witness(store.Environment) is { } witness
                ? ((await witness.ReadAsync(ct))?.Record.Epoch, null)
                : (null, null);
        }
        // It may be what is restored here. What is not known is no epoch.
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
        {
            return (null, $"The witness does not answer, so that objects that were decided in an epoch are left: {failure.Message}");
        }
    }

    /// <summary>A worker that makes backups reads, and writes nothing: the right to restore is given for a restore.</summary>
    private async Task<string?> DeniedAsync(StateRestorePlan plan, ArchiveManifest manifest)
    {
        var needs = plan.Kinds.Where(kind => kind.Create + kind.Overwrite > 0).SelectMany(kind =>
        {
            var known = manifest.Parts.First(part => part.Name == kind.Kind).Kind;
            return (kind.Create > 0 ? ["create", "patch"] : Array.Empty<string>()).Concat(kind.Overwrite > 0 ? ["update", "patch"] : []).Distinct().Select(verb => new AccessNeed(verb, known.ApiVersion, known.Kind, null));
        }).ToList();
        var denied = await new AccessReviews(state.Cluster).DeniedAsync(needs, ct);
        return denied.Count == 0 ? null
            : $"The worker's account in {plan.Region} may not {string.Join(", ", denied.Take(Shown).Select(need => $"{need.Verb} {need.Kind}"))}{(denied.Count > Shown ? $" and {denied.Count - Shown} more" : "")}. "
                + "Give it the right for the time of the restore, and take it back afterwards: docs/runbooks/restore-cluster-state.md.";
    }
}
