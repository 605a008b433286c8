using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>A managed database (RDS) as a store: sets are its snapshots, each with a copy in the second region, and are proved by making an instance of the copy. Its log is kept by RDS itself.</summary>
/// <param name="places">Where the database and its replica are, in any order.</param>
/// <param name="owner">Whose snapshots they are.</param>
/// <param name="encryptionKey">In the region of a copy.</param>
internal sealed class ManagedDatabaseStore(IReadOnlyList<ManagedDatabaseStore.Place> places, AwsOwner owner, string encryptionKey, TimeProvider time) : IBackupStore
{
    private const string Ours = "platformops-", Copies = "platformops-proof-", OrderedTag = "platformops.io/ordered";

    /// <summary>RDS takes minutes.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>What is made of a set is no part of the platform: nobody takes it for the database.</summary>
    private readonly AwsOwner quarantine = owner with { Component = "backup-proof" };

    /// <summary>The name of the snapshot of an operation.</summary>
    public static string LabelOf(string operation) => $"{Ours}{CanonicalJson.Digest(operation)[..16]}";

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct)
    {
        var (began, label, (source, instance)) = (time.GetUtcNow(), LabelOf(operation), await PrimaryAsync(ct));
        await source.Snapshots.CreateAsync(label, source.Identifier, owner, operation, ct);
        var taken = await AvailableAsync(source, label, progress, ct);
        List<BackupLocation> copies = [];
        if (Other(source) is { } other)
        {
            await other.Snapshots.CopyAsync(label, taken.Arn, taken.Encrypted ? encryptionKey : null, owner, operation, ct);
            copies.Add(new(other.Region, (await AvailableAsync(other, label, progress, ct)).Arn));
        }

        var at = taken.Taken ?? began;
        return new(label, at, time.GetUtcNow(), new(at, at), (long)instance.StorageGigabytes << 30, new(Digest(taken), 1), taken.Arn, [], []) { Copies = copies };
    }

    /// <inheritdoc/>
    public async Task<RepositorySight> LookAsync(CancellationToken ct)
    {
        var (source, instance) = await PrimaryAsync(ct);
        var other = Other(source);
        var (own, copied) = (await ListAsync(source, ct), other is null ? [] : await ListAsync(other, ct));
        // After a failover the snapshots of before are in the region that is the other one now, as their copies are here.
        var all = own.Concat(copied).GroupBy(snapshot => snapshot.Identifier).Select(same => (Snapshot: same.First(), Count: same.Count())).ToList();
        return new(
            [.. all.Select(found => new RepositorySet(found.Snapshot.Identifier, Digest(found.Snapshot), 0, found.Snapshot.Taken ?? default))], [],
            all.Where(found => found.Snapshot.Status == "failed").ToDictionary(found => found.Snapshot.Identifier, found => $"RDS says that the snapshot {found.Snapshot.Identifier} failed."), instance.LatestRestorable)
        {
            Findings = other is null ? [] : [.. all.Where(found => found.Count == 1).Select(found => $"{found.Snapshot.Identifier} is in one region only: somebody removed it in the other one, or its copy failed. Make a backup, which is copied.")],
        };
    }

    /// <inheritdoc/>
    public async Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct)
    {
        var (source, instance) = await PrimaryAsync(ct);
        foreach (var place in new[] { Other(source), source }.OfType<Place>())
        {
            if (await place.Snapshots.FindAsync(label, ct) is not { Status: "available" } snapshot)
                continue;
            var marked = quarantine with { More = new Dictionary<string, string> { [OrderedTag] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture) } };
            await place.Instances.RestoreAsync(CopyOf(operation), label, new() { Class = instance.Class, DeletionProtection = false, SubnetGroup = instance.SubnetGroup, SecurityGroups = place == source ? instance.SecurityGroups : [] }, marked, operation, ct);
            for (; ; await Task.Delay(Look, time, ct))
            {
                var copy = await place.Instances.FindAsync(CopyOf(operation), ct);
                if (copy is { Available: true })
                    return new(OrderedAt(copy), time.GetUtcNow() - OrderedAt(copy), snapshot.Taken ?? OrderedAt(copy));
                if (copy is { Busy: false })
                    throw new AdapterException(AdapterFailureKind.Damaged, $"RDS made an instance of {label} in {place.Region} that is {copy.Status}. See the events of {copy.Identifier} there.");
                progress($"{CopyOf(operation)} is {copy?.Status ?? "not there yet"}.");
            }
        }

        throw new AdapterException(AdapterFailureKind.Damaged, $"There is no snapshot {label} any more, neither in {string.Join(" nor in ", places.Select(place => place.Region))}: somebody removed it. Use another set.");
    }

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var (_, instance) = await PrimaryAsync(ct);
        foreach (var place in places)
        {
            if (await place.Instances.FindAsync(CopyOf(operation), ct) is not { } copy)
                continue;
            List<string> wrong =
            [
                .. copy.Engine != instance.Engine ? [$"It is of {copy.Engine}, and the database of {instance.Engine}."] : Array.Empty<string>(),
                .. !copy.Encrypted ? ["It is not encrypted."] : Array.Empty<string>(),
                .. copy.PubliclyAccessible ? ["It can be reached from outside."] : Array.Empty<string>(),
                .. copy.Address is null ? ["It has no address."] : Array.Empty<string>(),
            ];
            return new(
                wrong, [$"RDS made an instance of it in {place.Region} that is available: {copy.Engine} {copy.EngineVersion}, {copy.StorageGigabytes} GiB. Its rows were not read."],
                instance.LatestRestorable is { } latest ? TimeSpan.FromTicks(Math.Max(0, (OrderedAt(copy) - latest).Ticks)) : null);
        }

        throw new AdapterException(AdapterFailureKind.Missing, $"There is no instance {CopyOf(operation)}: restore the set first.");
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct)
    {
        var removed = new List<string>();
        foreach (var place in places)
        {
            while ((await place.Instances.OwnedAsync(quarantine, ct)).Where(left => left.Identifier.StartsWith(Copies, StringComparison.Ordinal)).ToList() is { Count: > 0 } left)
            {
                foreach (var copy in left)
                {
                    if (!copy.Busy && await place.Instances.DeleteAsync(copy.Identifier, null, quarantine, ct))
                        removed.Add($"{copy.Identifier} in {place.Region}");
                }

                await Task.Delay(Look, time, ct);
            }
        }

        return removed;
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string label, CancellationToken ct)
    {
        foreach (var place in places)
            await place.Snapshots.DeleteAsync(label, owner, ct);
    }

    /// <summary>Connections are of whoever opened it.</summary>
    public void Dispose()
    {
    }

    private static string CopyOf(string operation) => $"{Copies}{CanonicalJson.Digest(operation)[..16]}";

    private static DateTimeOffset OrderedAt(DatabaseInstance copy) => DateTimeOffset.Parse(copy.Tags[OrderedTag], CultureInfo.InvariantCulture);

    /// <summary>Snapshots never change: one is another one only by its name or what it is of.</summary>
    private static string Digest(DatabaseSnapshot snapshot) => CanonicalJson.Digest(new JsonArray(snapshot.Identifier, snapshot.Instance));

    private Place? Other(Place source) => places.FirstOrDefault(place => place != source);

    private async Task<IReadOnlyList<DatabaseSnapshot>> ListAsync(Place place, CancellationToken ct) =>
        [.. (await place.Snapshots.OfAsync(place.Identifier, ct)).Where(snapshot => snapshot.Identifier.StartsWith(Ours, StringComparison.Ordinal) && snapshot.Status != "creating" && owner.WhyForeign(snapshot.Tags) is null)];

    private async Task<(Place Place, DatabaseInstance Instance)> PrimaryAsync(CancellationToken ct)
    {
        var found = new Dictionary<DatabaseInstance, Place>();
        foreach (var place in places)
        {
            if (await place.Instances.FindAsync(place.Identifier, ct) is { } instance)
                found[instance] = place;
        }

        return RdsPrimary.Among(found.Keys) is { } primary ? (found[primary], primary) : throw new AdapterException(
            AdapterFailureKind.Unavailable,
            $"Of the database instances {string.Join(" and ", places.Select(place => $"{place.Identifier} in {place.Region}"))} not exactly one is primary: sets are made of that one. Look at platformops failover status.");
    }

    private async Task<DatabaseSnapshot> AvailableAsync(Place place, string label, Action<string> progress, CancellationToken ct)
    {
        for (; ; await Task.Delay(Look, time, ct))
        {
            switch (await place.Snapshots.FindAsync(label, ct))
            {
                case { Status: "available" } snapshot:
                    return snapshot;
                case { Status: "failed" }:
                    throw new AdapterException(AdapterFailureKind.Rejected, $"The snapshot {label} failed in {place.Region}: see the events of RDS there. Remove it, then make another backup.");
                case { } snapshot:
                    progress($"The snapshot in {place.Region} is at {snapshot.PercentDone} percent.");
                    break;
                default:
                    throw new AdapterException(AdapterFailureKind.Moved, $"The snapshot {label} is not in {place.Region} any more, or not listed yet. It is asked for again.");
            }
        }
    }

    /// <param name="Identifier">Of the instance there.</param>
    internal sealed record Place(AwsConnection Connection, string Region, string Identifier)
    {
        public DatabaseInstances Instances { get; } = new(Connection);

        public DatabaseSnapshots Snapshots { get; } = new(Connection);
    }
}
