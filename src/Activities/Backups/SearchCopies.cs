using PlatformOps.Adapters;
using PlatformOps.Adapters.Elasticsearch;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Indices of a set, restored under names of their own beside those that serve. No snapshot of ours holds them.</summary>
/// <param name="prefix">What their names begin with, and no other's.</param>
internal sealed class SearchCopies(ElasticsearchCluster cluster, SearchRepository repository, string prefix, TimeProvider time)
{
    /// <summary>Names of everything that is made beside what serves begin so.</summary>
    public const string Beside = "platformops-beside-";

    /// <summary>How often it is looked whether shards are there.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>What a copy is called.</summary>
    public string NameOf(string index) => prefix + index;

    /// <summary>Restores indices, or goes on waiting for those that an attempt before this one had restored.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: what lies in the repository cannot be restored.</exception>
    public async Task RestoreAsync(SearchSnapshotManifest manifest, string label, Action<string> progress, CancellationToken ct)
    {
        if ((await ListAsync(ct)).Count == 0)
        {
            if (await cluster.Indices.RoomAsync(ct) is { } room && room < manifest.Bytes)
                throw new AdapterException(
                    AdapterFailureKind.Rejected, $"Elasticsearch has room for {room} bytes below the low watermark of its disks, and the set takes {manifest.Bytes}: a copy of it would stop what serves. Give it storage, or prove its sets in another cluster (quarantineSearch).");
            await cluster.Snapshots.RestoreAsync(repository, label, [.. manifest.Indices.Select(index => index.Name)], prefix, ct);
        }

        await UntilThereAsync(cluster, name => name.StartsWith(prefix, StringComparison.Ordinal), 1, time, progress, _ => RemoveAsync(ct), ct);
    }

    /// <summary>Waits until the primary shards of indices are restored.</summary>
    /// <param name="which">By their names.</param>
    /// <param name="least">How many shards there are at least.</param>
    /// <param name="clear">Removes what could not be restored, so that it can be tried again.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: what lies in the repository cannot be restored.</exception>
    public static async Task UntilThereAsync(
        ElasticsearchCluster cluster, Func<string, bool> which, int least, TimeProvider time, Action<string> progress, Func<PrimaryShard, Task> clear, CancellationToken ct)
    {
        for (; ; await Task.Delay(Look, time, ct))
        {
            var shards = (await cluster.Indices.PrimariesAsync(ct)).Where(shard => which(shard.Index)).ToList();
            if (shards.Count >= least && shards.TrueForAll(shard => shard.State is "STARTED" or "RELOCATING"))
                return;
            if (shards.Find(shard => shard is { State: "UNASSIGNED", Why: "ALLOCATION_FAILED" }) is { } lost && await cluster.Indices.WhyGivenUpAsync(lost, ct) is { } why)
            {
                var what = $"Shard {lost.Number} of {lost.Index} cannot be restored: {why.TrimEnd('.')}.";
                if (SearchRestoreFailure.IsDamage(why))
                    throw new AdapterException(AdapterFailureKind.Damaged, what);
                // Elasticsearch does not try it again by itself.
                foreach (var failed in shards.Where(shard => shard is { State: "UNASSIGNED", Why: "ALLOCATION_FAILED" }).DistinctBy(shard => shard.Index))
                    await clear(failed);
                throw new AdapterException(AdapterFailureKind.Unavailable, $"{what} What was restored of it was removed, and it is tried again. Look at the disks of Elasticsearch, and whether it reaches the bucket.");
            }

            progress($"{shards.Count(shard => shard.State is "STARTED" or "RELOCATING")} of {shards.Count} shards are restored.");
        }
    }

    /// <summary>What each index has in the copy, against what it has to have.</summary>
    /// <returns>One sentence for each that is not as it has to be.</returns>
    public async Task<IReadOnlyList<string>> CompareAsync(SearchSnapshotManifest manifest, Action<string> progress, CancellationToken ct)
    {
        var wrong = new List<string>();
        foreach (var (index, number) in manifest.Indices.Select((index, number) => (index, number)))
        {
            progress($"{number} of {manifest.Indices.Count} indices are counted.");
            if (index.Trouble(await cluster.Indices.CountAsync(NameOf(index.Name), ct)) is { } trouble)
                wrong.Add(trouble);
        }

        var marker = (string?)(await cluster.Indices.ReadAsync(NameOf(SearchSnapshotManifest.MarkerIndex), SearchStore.Marker, ct))?["set"];
        if (marker != manifest.Set)
            wrong.Insert(0, $"The marker in {SearchSnapshotManifest.MarkerIndex} says {marker ?? "nothing"} instead of {manifest.Set}: it is the state of another moment.");
        return wrong;
    }

    /// <summary>Removes all of them. A listing afterwards found none.</summary>
    /// <returns>Their names.</returns>
    public async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken ct)
    {
        var there = await ListAsync(ct);
        foreach (var name in there)
            await cluster.Indices.DeleteAsync(name, ct);
        return await ListAsync(ct) is [var left, ..] ? throw new AdapterException(AdapterFailureKind.Unavailable, $"{left} is still there after it was deleted. Look at Elasticsearch.") : there;
    }

    /// <summary>The names of those that are there.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken ct) => [.. (await cluster.Indices.ListAsync(ct)).Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
}
