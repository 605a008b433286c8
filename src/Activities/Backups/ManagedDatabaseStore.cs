using System.Globalization;
using System.Text.Json.Nodes;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Specification;

namespace PlatformOps.Activities.Backups;

/// <summary>A managed database (RDS) as a store: sets are its snapshots, each with a copy in the second region, and are proved by making an instance of the copy. Its log is kept by RDS itself.</summary>
/// <param name="places">Where the database and its replica are, in any order.</param>
/// <param name="owner">Whose snapshots they are.</param>
/// <param name="encryptionKey">In the region of a copy.</param>
/// <param name="store">Whose proofs they are.</param>
/// <param name="tolerance">By how much the rows of restored tables may be off; null: as is usual.</param>
/// <param name="open">Logs in at an instance, with the login of the database that it is of (the last one); null: nobody can.</param>
internal sealed partial class ManagedDatabaseStore(
    IReadOnlyList<ManagedDatabaseStore.Place> places, AwsOwner owner, string encryptionKey, string store, TimeProvider time,
    Func<ManagedDatabaseStore.Place, DatabaseInstance, DatabaseInstance, CancellationToken, Task<PostgresServer>>? open = null, RowTolerance? tolerance = null) : IBackupStore
{
    private const string Ours = "platformops-", Copies = "platformops-proof-", OrderedTag = "platformops.io/ordered", StoreTag = "platformops.io/store", SetTag = "platformops.io/set", RestoredTag = "platformops.io/restored-as";

    /// <summary>Of snapshots before which the rows were counted, and written into the database.</summary>
    private const string MarkedTag = "platformops.io/rows-counted";

    /// <summary>A proof of another operation that is older goes too: whoever made it was killed. None takes so long.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(24);

    /// <summary>RDS takes minutes.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>What is made of a set is no part of the platform: nobody takes it for the database.</summary>
    private readonly AwsOwner quarantine = owner with { Component = "backup-proof" };

    /// <summary>Nor what people have restored beside it.</summary>
    private readonly AwsOwner restored = owner with { Component = "database-restore" };

    /// <summary>The name of the snapshot of an operation.</summary>
    public static string LabelOf(string operation) => $"{Ours}{CanonicalJson.Digest(operation)[..16]}";

    /// <inheritdoc/>
    public async Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct)
    {
        var (began, label, (source, instance)) = (time.GetUtcNow(), LabelOf(operation), await PrimaryAsync(ct));
        // One that is there already was made after its mark, or without.
        var marked = await source.Snapshots.FindAsync(label, ct) is { } known ? known.Tags.ContainsKey(MarkedTag) : await MarkAsync(source, instance, label, progress, ct);
        var tagged = marked ? owner with { More = new Dictionary<string, string> { [MarkedTag] = "true" } } : owner;
        await source.Snapshots.CreateAsync(label, source.Identifier, tagged, operation, ct);
        var taken = await AvailableAsync(source, label, progress, ct);
        List<BackupLocation> copies = [];
        if (Other(source) is { } other)
        {
            await other.Snapshots.CopyAsync(label, taken.Arn, taken.Encrypted ? encryptionKey : null, tagged, operation, ct);
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
            var tags = Tagged(label);
            if (snapshot.Tags.ContainsKey(MarkedTag))
                tags[MarkedTag] = "true";
            var marked = quarantine with { More = tags };
            await place.Instances.RestoreAsync(CopyOf(operation), label, new() { Class = instance.Class, DeletionProtection = false, SubnetGroup = instance.SubnetGroup, SecurityGroups = place == source ? instance.SecurityGroups : [] }, marked, operation, ct);
            var copy = await AvailableInstanceAsync(place, CopyOf(operation), label, progress, ct);
            return new(OrderedAt(copy), time.GetUtcNow() - OrderedAt(copy), snapshot.Taken ?? OrderedAt(copy));
        }

        throw new AdapterException(AdapterFailureKind.Damaged, $"There is no snapshot {label} any more, neither in {string.Join(" nor in ", places.Select(place => place.Region))}: somebody removed it. Use another set.");
    }

    /// <inheritdoc/>
    public async Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct)
    {
        var (source, instance) = await PrimaryAsync(ct);
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
            progress("Reading every table and index.");
            var read = await ReadAsync(place, copy, (source, instance), copy.Tags.GetValueOrDefault(SetTag), copy.Tags.ContainsKey(MarkedTag), null, tolerance ?? RowTolerance.Default, ct);
            return new(
                [.. wrong, .. read.Wrong], [$"RDS made an instance of it in {place.Region} that is available: {copy.Engine} {copy.EngineVersion}, {copy.StorageGigabytes} GiB.", .. read.Right],
                instance.LatestRestorable is { } latest ? TimeSpan.FromTicks(Math.Max(0, (OrderedAt(copy) - latest).Ticks)) : null)
            { Unread = read.Unread };
        }

        throw new AdapterException(AdapterFailureKind.Missing, $"There is no instance {CopyOf(operation)}: restore the set first.");
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct)
    {
        var removed = new List<string>();
        foreach (var place in places)
        {
            while ((await place.Instances.OwnedAsync(quarantine, ct)).Where(left => left.Identifier == CopyOf(operation) || IsAbandoned(left)).ToList() is { Count: > 0 } left)
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

    /// <summary>What a restore beside the database starts from.</summary>
    /// <exception cref="AdapterException">Nobody can say which instance is the database.</exception>
    public async Task<ManagedSurvey> SurveyAsync(string operation, CancellationToken ct)
    {
        var (found, snapshots) = (await InstancesAsync(ct), new Dictionary<string, string>());
        (Place Place, DatabaseInstance Instance)? primary = found.Count == 0 ? null : Primary(found);
        // An exchange that was interrupted has taken its name.
        foreach (var at in places.Where(_ => primary is null))
            primary ??= await at.Instances.FindAsync(KeptOf(at, operation), ct) is { } renamed ? (at, renamed) : null;
        var place = primary?.Place ?? places[0];
        foreach (var here in places.OrderBy(known => known == place ? 0 : 1))
        {
            foreach (var snapshot in (await ListAsync(here, ct)).Where(snapshot => snapshot.Status == "available"))
                snapshots.TryAdd(snapshot.Identifier, here.Region);
        }

        string? taken = null;
        foreach (var here in places)
        {
            if (await here.Instances.FindAsync(BesideOf(operation), ct) is { } there)
                taken ??= restored.WhyForeign(there.Tags);
        }

        return new(
            primary?.Instance.Identifier, place.Region, snapshots,
            primary?.Instance is { LatestRestorable: { } latest, BackupDays: > 0 and var days } ? new(time.GetUtcNow() - TimeSpan.FromDays(days), latest) : null, BesideOf(operation), taken, new(place.Identifier, KeptOf(place, operation)));
    }

    /// <summary>Makes the instance of a plan, or waits for the one of this operation.</summary>
    public async Task<(TimeSpan Took, string Address)> RestoreBesideAsync(string operation, RestorePlan plan, Action<string> progress, CancellationToken ct)
    {
        var (place, name, found) = (BesidePlace(plan), plan.NewInstance!.Name, await InstancesAsync(ct));
        if (await PlacedAsync(plan, ct) is { } placed)
            return (time.GetUtcNow() - OrderedAt(placed), placed.Address ?? "no address");
        (Place Place, DatabaseInstance Instance)? primary = found.Count == 0 ? null : Primary(found);
        var placement = new DatabasePlacement
        {
            Class = primary?.Instance.Class,
            MultipleZones = primary?.Instance.MultipleZones,
            // Until it is proved it may have to go.
            DeletionProtection = false,
            SubnetGroup = primary?.Instance.SubnetGroup,
            SecurityGroups = primary?.Place == place ? primary.Value.Instance.SecurityGroups : [],
        };
        var marked = restored with { More = new Dictionary<string, string>(Tagged(plan.Label)) { [RestoredTag] = name } };
        await (plan.NewInstance.FromLog ? place.Instances.RestoreAsync(name, plan.Label, plan.Target, placement, marked, operation, ct) : place.Instances.RestoreAsync(name, plan.Label, placement, marked, operation, ct));
        var made = await AvailableInstanceAsync(place, name, plan.Label, progress, ct);
        return (time.GetUtcNow() - OrderedAt(made), made.Address ?? "no address");
    }

    /// <summary>Reads what was restored beside the database.</summary>
    /// <param name="allowed">By how much the rows of tables may be off.</param>
    public async Task<CopyFindings> ProveBesideAsync(string operation, RestorePlan plan, RowTolerance allowed, CancellationToken ct)
    {
        var (place, found) = (BesidePlace(plan), await InstancesAsync(ct));
        var made = await place.Instances.FindAsync(plan.NewInstance!.Name, ct) ?? await PlacedAsync(plan, ct) ?? throw new AdapterException(AdapterFailureKind.Missing, $"{plan.NewInstance.Name} of {operation} is not in {place.Region} any more: somebody removed it. Abort, and plan again.");
        var marked = !plan.NewInstance.FromLog && await place.Snapshots.FindAsync(plan.Label, ct) is { } snapshot && snapshot.Tags.ContainsKey(MarkedTag);
        return await ReadAsync(place, made, found.Count == 0 ? null : Primary(found), plan.NewInstance.FromLog ? null : plan.Label, marked, plan.Target, allowed, ct);
    }

    /// <summary>What is proved is not deleted by accident.</summary>
    public async Task KeepBesideAsync(string operation, RestorePlan plan, CancellationToken ct)
    {
        if (await PlacedAsync(plan, ct) is { DeletionProtection: false } placed)
            await BesidePlace(plan).Instances.ChangeAsync(placed.Identifier, new() { DeletionProtection = true }, owner, ct);
        if (await BesidePlace(plan).Instances.FindAsync(plan.NewInstance!.Name, ct) is { DeletionProtection: false })
            await BesidePlace(plan).Instances.ChangeAsync(plan.NewInstance.Name, new() { DeletionProtection = true }, restored, ct);
    }

    /// <summary>Removes what this operation has made beside the database, until it is not listed any more.</summary>
    /// <returns>False: it was not there.</returns>
    public async Task<bool> RemoveBesideAsync(string operation, RestorePlan plan, CancellationToken ct)
    {
        var (place, was) = (BesidePlace(plan), false);
        for (; await place.Instances.FindAsync(BesideOf(operation), ct) is { } left; await Task.Delay(Look, time, ct))
        {
            was = true;
            if (!left.Busy)
                await place.Instances.DeleteAsync(left.Identifier, null, restored, ct);
        }

        return was;
    }

    private Place BesidePlace(RestorePlan plan) => places.First(place => place.Region == plan.NewInstance!.Region);

    /// <summary>Names of instances have 63 characters at most.</summary>
    private string BesideOf(string operation) => $"{places[0].Identifier[..Math.Min(places[0].Identifier.Length, 40)].TrimEnd('-')}-restored-{CanonicalJson.Digest(operation)[..8]}";

    private bool IsAbandoned(DatabaseInstance copy) =>
        copy.Identifier.StartsWith(Copies, StringComparison.Ordinal) && copy.Tags.GetValueOrDefault(StoreTag) == store && copy.Tags.ContainsKey(OrderedTag) && time.GetUtcNow() - OrderedAt(copy) > Abandoned;

    private Dictionary<string, string> Tagged(string label) => new()
    {
        [OrderedTag] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
        [StoreTag] = store,
        [SetTag] = label,
    };

    /// <summary>A set is made all the same: then nobody can compare its rows.</summary>
    private async Task<bool> MarkAsync(Place place, DatabaseInstance instance, string label, Action<string> progress, CancellationToken ct)
    {
        if (open is null)
            return false;
        progress("Counting the rows of tables.");
        try
        {
            using var server = await open(place, instance, instance, ct);
            await new PostgresContents(server).MarkAsync(label, ct);
            return true;
        }
        catch (AdapterException failure)
        {
            progress($"Its rows are not counted: {failure.Message}");
            return false;
        }
    }

    /// <param name="set">Whose mark is looked for; null: of the newest.</param>
    /// <param name="marked">Whether that has to be there.</param>
    /// <param name="until">The moment that was restored to; null: that of the set, or the newest.</param>
    private async Task<CopyFindings> ReadAsync(
        Place place, DatabaseInstance copy, (Place Place, DatabaseInstance Instance)? database, string? set, bool marked, DateTimeOffset? until, RowTolerance allowed, CancellationToken ct)
    {
        if (open is null)
            return new([], [], null) { Unread = "Nobody has said how it is logged into." };
        try
        {
            using var there = await open(place, copy, database?.Instance ?? copy, ct);
            var contents = new PostgresContents(there);
            var (damage, looked) = await contents.CheckAsync(ct);
            var (marks, counted) = (await contents.MarksAsync(set, ct), await contents.CountAsync(all: true, ct));
            var (wrong, right) = (damage.ToList(), new List<string> { looked });
            if (marked && marks.Tables is null)
                wrong.Add($"What was written into the database just before {set} was made is not in it: it is of an earlier moment, or of another database.");
            if (until is { } moment && marks.At.Where(mark => mark.Value > moment).Select(mark => mark.Key).FirstOrDefault() is { } late)
                wrong.Add($"What was written before {late} was made, later than {moment:u}, is in it: it was restored too far.");
            if (marks.Tables is not { } then)
                return new(wrong, [.. right, string.Create(CultureInfo.InvariantCulture, $"{counted.Count} tables with {counted.Sum(table => table.Rows)} rows were read; nobody had counted them before.")], null);
            var (lost, found) = TableComparison.Of(then, database is { } serving && serving.Instance != copy ? await NowAsync(serving, ct) ?? then : then, counted, allowed);
            return new([.. wrong, .. lost], [.. right, .. found], null);
        }
        catch (AdapterException failure) when (failure.Kind is AdapterFailureKind.Unavailable or AdapterFailureKind.Unauthorized or AdapterFailureKind.Forbidden or AdapterFailureKind.Missing or AdapterFailureKind.Rejected or AdapterFailureKind.NotServed)
        {
            return new([], [], null) { Unread = failure.Message };
        }
    }

    /// <summary>The rows of today; null: the database does not let us in.</summary>
    private async Task<IReadOnlyList<TableRows>?> NowAsync((Place Place, DatabaseInstance Instance) database, CancellationToken ct)
    {
        try
        {
            using var server = await open!(database.Place, database.Instance, database.Instance, ct);
            return await new PostgresContents(server).CountAsync(all: false, ct);
        }
        catch (AdapterException)
        {
            return null;
        }
    }

    private async Task<DatabaseInstance> AvailableInstanceAsync(Place place, string name, string of, Action<string> progress, CancellationToken ct)
    {
        for (; ; await Task.Delay(Look, time, ct))
        {
            var made = await place.Instances.FindAsync(name, ct);
            if (made is { Available: true })
                return made;
            if (made is { Busy: false })
                throw new AdapterException(AdapterFailureKind.Damaged, $"RDS made an instance of {of} in {place.Region} that is {made.Status}. See the events of {made.Identifier} there.");
            progress($"{name} is {made?.Status ?? "not there yet"}.");
        }
    }

    private static string CopyOf(string operation) => $"{Copies}{CanonicalJson.Digest(operation)[..16]}";

    private static DateTimeOffset OrderedAt(DatabaseInstance copy) => DateTimeOffset.Parse(copy.Tags[OrderedTag], CultureInfo.InvariantCulture);

    /// <summary>Snapshots never change: one is another one only by its name or what it is of.</summary>
    private static string Digest(DatabaseSnapshot snapshot) => CanonicalJson.Digest(new JsonArray(snapshot.Identifier, snapshot.Instance));

    private Place? Other(Place source) => places.FirstOrDefault(place => place != source);

    private async Task<IReadOnlyList<DatabaseSnapshot>> ListAsync(Place place, CancellationToken ct) =>
        [.. (await place.Snapshots.OfAsync(place.Identifier, ct)).Where(snapshot => snapshot.Identifier.StartsWith(Ours, StringComparison.Ordinal) && snapshot.Status != "creating" && owner.WhyForeign(snapshot.Tags) is null)];

    private async Task<(Place Place, DatabaseInstance Instance)> PrimaryAsync(CancellationToken ct) => Primary(await InstancesAsync(ct));

    private async Task<Dictionary<DatabaseInstance, Place>> InstancesAsync(CancellationToken ct)
    {
        var found = new Dictionary<DatabaseInstance, Place>();
        foreach (var place in places)
        {
            if (await place.Instances.FindAsync(place.Identifier, ct) is { } instance)
                found[instance] = place;
        }

        return found;
    }

    private (Place Place, DatabaseInstance Instance) Primary(Dictionary<DatabaseInstance, Place> found)
    {
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

/// <summary>What a restore beside a managed database starts from.</summary>
/// <param name="Instance">The database; null: there is none any more.</param>
/// <param name="Region">Where it is.</param>
/// <param name="Snapshots">By name, in which region: that of the database where it is in both.</param>
/// <param name="Log">What RDS can restore to a moment; null: nothing.</param>
/// <param name="Name">What the restored instance is called.</param>
/// <param name="Taken">Why that name is taken, as the end of a sentence; null: it is not.</param>
/// <param name="Exchange">Whose place it would take.</param>
internal sealed record ManagedSurvey(string? Instance, string Region, IReadOnlyDictionary<string, string> Snapshots, RecoveryRange? Log, string Name, string? Taken, InstanceExchange Exchange);
