using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws.Storage;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Whether sets are in the second region as in the first, and whether who makes them could delete them.</summary>
/// <param name="source">Where sets are written.</param>
/// <param name="copy">Where they are copied to; null: nowhere.</param>
/// <param name="locked">Whether nobody may delete them for a while.</param>
/// <param name="probe">The object that is tried to be deleted.</param>
internal sealed class SetCopies(SetCopies.Place source, SetCopies.Place? copy, bool locked, string probe, TimeProvider time)
{
    /// <summary>Of the newest set: a bucket locks all that is written into it for equally long.</summary>
    private const int Asked = 10;

    /// <summary>Compares all whole sets, and what they share.</summary>
    /// <returns>What is wrong, one sentence each, and where each set lies by its id.</returns>
    public async Task<(IReadOnlyList<string> Wrong, IReadOnlyDictionary<string, IReadOnlyList<BackupLocation>> Locations)> CheckAsync(IReadOnlyList<BackupSet> sets, CancellationToken ct)
    {
        var (wrong, locations) = (new List<string>(), new Dictionary<string, IReadOnlyList<BackupLocation>>());
        var here = $"s3://{source.Bucket}/";
        var mine = sets.Where(set => set.Outcome == BackupOutcome.Complete && set.Locations is [var first, ..] && first.Place.StartsWith(here, StringComparison.Ordinal)).ToList();
        foreach (var folder in mine.GroupBy(set => Parent(set.Locations[0].Place[here.Length..])))
        {
            var (own, copied) = (await ListAsync(source, folder.Key, ct), copy is null ? null : await ListAsync(copy, folder.Key, ct));
            foreach (var set in folder)
            {
                var name = $"{set.Locations[0].Place[(here.Length + folder.Key.Length)..]}/";
                var until = set == mine[^1] ? await LockAsync(source, own, folder.Key + name, ct) : set.Locations[0].LockedUntil;
                List<BackupLocation> places = [set.Locations[0] with { LockedUntil = until }];
                if (copied is not null && Compare(set.Id, Below(own, name), Below(copied, name), wrong))
                {
                    var known = set.Locations.Skip(1).FirstOrDefault(place => place.Place == copy!.Named(folder.Key + name));
                    places.Add(new(copy!.Region, copy.Named(folder.Key + name), set == mine[^1] ? await LockAsync(copy, copied, folder.Key + name, ct) : known?.LockedUntil));
                }

                locations[set.Id] = places;
            }

            foreach (var shared in Shared(folder.Key))
            {
                if (copy is not null)
                    Compare(shared, await ListAsync(source, shared, ct), await ListAsync(copy, shared, ct), wrong);
            }
        }

        if (locked)
            wrong.AddRange(await DeletableAsync(ct));
        return (wrong, locations);
    }

    private bool Compare(string what, IReadOnlyCollection<StoredFile> own, IReadOnlyCollection<StoredFile> copied, List<string> wrong)
    {
        var found = CopyComparison.Of(own, copied, time.GetUtcNow());
        if (found.Wrong is { } why)
            wrong.Add($"{what}: in its copy in {copy!.Bucket} {why}. Look at the replication of {source.Bucket} and who can write into {copy.Bucket}; the set itself is as it was.");
        return found.Whole;
    }

    /// <summary>Tries to delete an object that nobody needs, for good, as whoever makes backups could delete a set.</summary>
    private async Task<IReadOnlyList<string>> DeletableAsync(CancellationToken ct)
    {
        var wrong = new List<string>();
        if (await source.Objects.LockAsync(probe, ct) is not { } there || !(there.Until > time.GetUtcNow()))
            await source.Objects.PutAsync(probe, "Nobody can delete this for a while. That is tried with each backup."u8.ToArray(), ct);
        foreach (var place in new[] { source, copy }.OfType<Place>())
        {
            // The copy may be on its way.
            if (await place.Objects.LockAsync(probe, ct) is not { } found)
                continue;
            try
            {
                await place.Objects.DeleteVersionAsync(probe, found.Version, ct);
                wrong.Add($"{place.Bucket} lets whoever makes backups delete them: an object of it was deleted for good. Turn on object lock with a default retention (component object-storage).");
            }
            catch (AdapterException refused) when (refused.Kind == AdapterFailureKind.Forbidden)
            {
                // As it has to be.
            }
        }

        return wrong;
    }

    private static async Task<DateTimeOffset?> LockAsync(Place place, IReadOnlyList<StoredFile> files, string prefix, CancellationToken ct)
    {
        var keys = files.Select(file => file.Name).ToList();
        var parent = Parent(prefix.TrimEnd('/'));
        DateTimeOffset? earliest = null;
        foreach (var key in keys.Where(key => (parent + key).StartsWith(prefix, StringComparison.Ordinal)).Take(Asked))
        {
            if ((await place.Objects.LockAsync(parent + key, ct))?.Until is not { } until)
                return null;
            earliest = earliest < until ? earliest : until;
        }

        return earliest;
    }

    private static async Task<IReadOnlyList<StoredFile>> ListAsync(Place place, string prefix, CancellationToken ct) =>
        [.. (await place.Objects.ListAsync(prefix, ct)).Select(found => new StoredFile(found.Key[prefix.Length..], found.Bytes, found.Tag, found.Changed))];

    private static List<StoredFile> Below(IReadOnlyList<StoredFile> files, string name) => [.. files.Where(file => file.Name.StartsWith(name, StringComparison.Ordinal))];

    private static string Parent(string key) => key[..(key.LastIndexOf('/') + 1)];

    /// <summary>What all sets of a folder need besides: Elasticsearch's repository, and pgBackRest's log.</summary>
    private static IEnumerable<string> Shared(string folder)
    {
        if (folder.Contains("/sets/", StringComparison.Ordinal))
            yield return folder.Replace("/sets/", "/repository/", StringComparison.Ordinal);
        else if (folder.Contains("backup/", StringComparison.Ordinal))
            yield return folder.Replace("backup/", "archive/", StringComparison.Ordinal);
    }

    /// <param name="Region">AWS's or our name of its region.</param>
    internal sealed record Place(StoredObjects Objects, string Bucket, string Region)
    {
        public string Named(string prefix) => $"s3://{Bucket}/{prefix.TrimEnd('/')}";
    }
}
