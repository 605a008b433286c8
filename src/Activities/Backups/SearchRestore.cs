using PlatformOps.Adapters;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;
using PlatformOps.Workflows.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Brings indices of a set back into the Elasticsearch that it was made of. Everything can be repeated: what was done is found done.</summary>
internal sealed class SearchRestore(StoreReference reference, string region, BackupDefinition definition, BackupStores stores, SearchStore store, TimeProvider time, Action<string> progress, CancellationToken ct)
{
    /// <summary>What copies for restores of the store begin with; then comes the operation.</summary>
    private readonly string copies = $"{SearchCopies.Beside}{CanonicalJson.Digest($"{store.Owner}/restore")[..12]}-";

    public async Task<(SearchRestorePlan? Plan, string? Refusal)> PlanAsync(PlanSearchRestoreInput input)
    {
        if (input.Target > time.GetUtcNow())
            return (null, $"{input.Target:u} is not yet. Name a moment of the past, or none for the newest.");
        var (set, why) = SetChoice.Of(await stores.Catalog(reference).ReadAsync(ct), definition, input.Set, input.Target, _ => null);
        if (set is null)
            return (null, why);
        var cluster = await store.SourceAsync(ct);
        SearchSnapshotManifest manifest;
        try
        {
            manifest = await store.WholeAsync(cluster, set.Label!, ct);
        }
        catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Damaged)
        {
            return (null, $"{failure.Message} Name another set.");
        }

        var live = await cluster.Indices.DescribeAsync(ct);
        var (indices, kept, refusal) = SearchRestoreRules.Decide(manifest, live, input.Indices, input.Overwrite);
        return refusal is not null ? (null, refusal) : (new()
        {
            Environment = reference.Environment,
            Store = reference.Store,
            Region = region,
            Set = set.Id,
            Label = set.Label!,
            At = manifest.StartedAt,
            Why = why,
            Manifest = manifest.Digest,
            Indices = indices,
            Kept = kept,
            Estimate = set.Proof?.MeasuredRto,
            Notes =
            [
                .. set.Proof is null ? [$"{set.Id} was never verified."] : Array.Empty<string>(),
                .. indices.Any(index => index.Was is not null) ? ["Whoever writes into what is replaced is refused until it is done: stop it before, or let it try again."] : Array.Empty<string>(),
                .. indices.Any(index => index.Was is null) ? ["Indices that are made come without their aliases."] : Array.Empty<string>(),
            ],
        }, null);
    }

    public async Task<SearchRestoreDone> CarryOutAsync(SearchRestoreInput input)
    {
        var (plan, cluster) = (input.Plan, await store.SourceAsync(ct));
        var beside = new SearchCopies(cluster, store.Repository, $"{copies}{CanonicalJson.Digest(input.Operation)[..8]}-", time);
        // Whoever reads for longer than a claim holds says so again.
        if (input.Step is SearchRestoreStep.Beside or SearchRestoreStep.Replace)
            await stores.Claims(reference).ClaimAsync(plan.Set, input.Operation, ct);
        return new(input.Step switch
        {
            SearchRestoreStep.Beside => await BesideAsync(cluster, beside, plan),
            SearchRestoreStep.Prove => Whole(await beside.CompareAsync(await ChosenAsync(cluster, plan), progress, ct), $"All of {plan.Indices.Count} indices are as in {plan.Set}."),
            SearchRestoreStep.Fence => await ForEachAsync(plan.Overwrites, index => cluster.Indices.BlockWritesAsync(index.Name, true, ct), "take no writes"),
            SearchRestoreStep.Close => await CloseAsync(cluster, plan),
            SearchRestoreStep.Replace => await ReplaceAsync(cluster, plan),
            SearchRestoreStep.Compare => Whole(await CompareAsync(cluster, plan), $"All of {plan.Indices.Count} indices are in their place, as in {plan.Set}."),
            SearchRestoreStep.Open => await ForEachAsync(plan.Indices.Where(index => !index.Blocked), index => cluster.Indices.BlockWritesAsync(index.Name, false, ct), "take writes"),
            SearchRestoreStep.CleanUp => $"{(await beside.RemoveAsync(ct)).Count} copies are removed.",
            SearchRestoreStep.TakeBack => await TakeBackAsync(cluster, beside, plan),
            var step => throw new InvalidOperationException($"No such step: {step}."),
        });
    }

    private async Task<string> BesideAsync(ElasticsearchCluster cluster, SearchCopies beside, SearchRestorePlan plan)
    {
        // Of runs that were terminated: one restore of a store runs at a time.
        foreach (var name in (await cluster.Indices.ListAsync(ct)).Keys.Where(name => name.StartsWith(copies, StringComparison.Ordinal) && !name.StartsWith(beside.NameOf(""), StringComparison.Ordinal)))
            await cluster.Indices.DeleteAsync(name, ct);
        var began = time.GetTimestamp();
        await beside.RestoreAsync(await ChosenAsync(cluster, plan), plan.Label, progress, ct);
        return $"{plan.Indices.Count} indices are restored beside, in {time.GetElapsedTime(began).TotalSeconds:0} s.";
    }

    /// <summary>In a closed index a snapshot can be restored, and nobody makes another one of its name meanwhile.</summary>
    private async Task<string> CloseAsync(ElasticsearchCluster cluster, SearchRestorePlan plan)
    {
        var live = await cluster.Indices.DescribeAsync(ct);
        if (plan.Overwrites.FirstOrDefault(index => live.GetValueOrDefault(index.Name)?.Uuid != index.Was) is { } other)
            throw new AdapterException(AdapterFailureKind.Conflict, $"{other.Name} is not the index any more that was to be replaced: somebody removed it, or made it again. Abort, and plan anew.");
        return await ForEachAsync(plan.Overwrites, index => cluster.Indices.CloseAsync(index.Name, true, ct), "are closed");
    }

    private async Task<string> ReplaceAsync(ElasticsearchCluster cluster, SearchRestorePlan plan)
    {
        var (live, began) = (await cluster.Indices.DescribeAsync(ct), time.GetTimestamp());
        var missing = new List<string>();
        foreach (var index in plan.Indices)
        {
            var there = live.GetValueOrDefault(index.Name);
            if (there is null || (!there.Open && there.Uuid == index.Was))
                missing.Add(index.Name);
            // What was closed is open again when an attempt before this one restored it.
            else if (index.Was is null ? !await cluster.Indices.CameFromAsync(index.Name, plan.Label, ct) : there.Uuid != index.Was)
                throw new AdapterException(AdapterFailureKind.Conflict, $"{index.Name} was made by somebody since it was planned. Remove it, or rename it, then retry.");
        }

        if (missing.Count > 0)
            await cluster.Snapshots.RestoreInPlaceAsync(store.Repository, plan.Label, missing, ct);
        var names = plan.Indices.Select(index => index.Name).ToHashSet();
        await SearchCopies.UntilThereAsync(cluster, names.Contains, names.Count, time, progress, async lost =>
        {
            // Elasticsearch does not try again by itself; the next attempt does.
            var index = plan.Indices.First(planned => planned.Name == lost.Index);
            await (index.Was is null ? cluster.Indices.DeleteAsync(index.Name, ct) : cluster.Indices.CloseAsync(index.Name, true, ct));
        }, ct);
        return $"{plan.Indices.Count} indices are restored in their place, in {time.GetElapsedTime(began).TotalSeconds:0} s.";
    }

    private async Task<IReadOnlyList<string>> CompareAsync(ElasticsearchCluster cluster, SearchRestorePlan plan)
    {
        await cluster.Indices.RefreshAsync(ct);
        var wrong = new List<string>();
        foreach (var index in (await ChosenAsync(cluster, plan)).Indices.Where(index => index.Name != SearchSnapshotManifest.MarkerIndex))
        {
            if (index.Trouble(await cluster.Indices.CountAsync(index.Name, ct)) is { } trouble)
                wrong.Add(trouble);
        }

        return wrong;
    }

    private async Task<string> TakeBackAsync(ElasticsearchCluster cluster, SearchCopies beside, SearchRestorePlan plan)
    {
        var live = await cluster.Indices.DescribeAsync(ct);
        foreach (var index in plan.Overwrites.Where(index => live.GetValueOrDefault(index.Name)?.Uuid == index.Was))
        {
            if (!live[index.Name].Open)
                await cluster.Indices.CloseAsync(index.Name, false, ct);
            if (!index.Blocked)
                await cluster.Indices.BlockWritesAsync(index.Name, false, ct);
        }

        return $"{plan.Overwrites.Count()} indices take writes as before; {(await beside.RemoveAsync(ct)).Count} copies are removed.";
    }

    /// <summary>What of the set is restored, with the marker by which it is recognised.</summary>
    private async Task<SearchSnapshotManifest> ChosenAsync(ElasticsearchCluster cluster, SearchRestorePlan plan)
    {
        var manifest = await store.WholeAsync(cluster, plan.Label, ct);
        return manifest with { Indices = [.. manifest.Indices.Where(index => index.Name == SearchSnapshotManifest.MarkerIndex || plan.Indices.Any(planned => planned.Name == index.Name))] };
    }

    private static string Whole(IReadOnlyList<string> wrong, string right) => wrong.Count == 0 ? right : throw new AdapterException(AdapterFailureKind.Damaged, $"It is not as it has to be: {string.Join(" ", wrong)}");

    private static async Task<string> ForEachAsync(IEnumerable<PlannedSearchIndex> indices, Func<PlannedSearchIndex, Task> work, string what)
    {
        var count = 0;
        foreach (var index in indices)
        {
            await work(index);
            count++;
        }

        return $"{count} indices {what}.";
    }
}
