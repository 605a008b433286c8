using System.Text.Json.Nodes;
using PlatformOps.Adapters.External;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Cloudflare;

/// <summary>DNS records at Cloudflare as declared objects. Cloudflare is one service for all regions: regions that declare the same record share it.</summary>
/// <param name="region">The region whose objects these are.</param>
public sealed class CloudflareObjects(string region, JsonApi api) : IDeclaredObjects
{
    /// <summary>The group of objects that Cloudflare holds.</summary>
    public const string ApiVersion = "cloudflare.platformops.io/v1";

    private const string Kind = "DnsRecord";
    private readonly CloudflareZones zones = new(api);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ObjectKind>> ServedAsync(IEnumerable<ObjectKind> kinds, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<ObjectKind>>([.. kinds.Where(kind => kind.Kind == Kind)]);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ObservedObject>> ObserveAsync(
        IReadOnlyCollection<ObjectKind> kinds, IReadOnlyDictionary<string, string> labels, IReadOnlyCollection<DesiredObject> wanted, CancellationToken ct)
    {
        var places = wanted.Select(item => (item.Address, Record: CloudflareRecord.Read(item))).ToList();
        var found = new List<ObservedObject>();
        foreach (var place in await ReadAsync(ct))
        {
            var claims = places.Find(claim => SamePlace(claim.Record, place.Record));
            // What stands where ours is wanted is in the way, whatever it calls itself.
            if (claims.Address is { } address)
                found.Add(place.Record.ToObserved(address, place.Claimed(address.Name)));
            else if (labels.All(label => place.Marks.GetValueOrDefault(label.Key) == label.Value))
                found.Add(place.Record.ToObserved(Address(place.Name), place.Marks));
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) =>
        (await ReadAsync(ct)).Find(place => place.Name == address.Name) is { } place ? place.Record.ToObserved(address, place.Marks) : null;

    /// <inheritdoc/>
    public async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var record = CloudflareRecord.Read(wanted);
        var zone = await ZoneAsync(record.Zone, ct);
        // Cloudflare lets records of most types stand beside each other under one name.
        if ((await ReadAsync(ct)).Exists(place => SamePlace(place.Record, record)))
            throw new AdapterException(AdapterFailureKind.Exists, $"Cloudflare has a {record.Type} record {record.Name} by now. Observe again.");
        await zones.ChangeAsync(record.Zone, zone, [], [], [record, record.Companion(RecordMarks.Of(wanted))], ct);
    }

    /// <summary>Reads what is declared, so that a mistake in it is told before anything is changed.</summary>
    public Task RehearseAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        CloudflareRecord.Read(wanted);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        var record = CloudflareRecord.Read(wanted);
        var place = await SameAsync(live, ct) ?? throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone, or no longer says that it is ours.");
        var companion = record.Companion(RecordMarks.Of(wanted));
        var zone = await ZoneAsync(place.Record.Zone, ct);
        // A record cannot be moved to another zone or name: that is another record.
        if (SamePlace(place.Record, record))
            await zones.ChangeAsync(record.Zone, zone, [], [record with { Id = place.Record.Id }, companion with { Id = place.Companion!.Id }], [], ct);
        else if (place.Record.Zone == record.Zone)
            await zones.ChangeAsync(record.Zone, zone, [place.Record, place.Companion!], [], [record, companion], ct);
        else
            throw new AdapterException(AdapterFailureKind.Rejected, $"{wanted.Address}: spec.zone cannot change from {place.Record.Zone} to {record.Zone}. Declare a record of another name, and remove this one.");
    }

    /// <inheritdoc/>
    public JsonObject? Declaration(ObservedObject live) => ManagedManifest.Whole(live.Manifest);

    /// <inheritdoc/>
    public Task<string?> WhyKeepAsync(ObservedObject live, IReadOnlyCollection<ObjectKind> kinds, CancellationToken ct) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        if (await SameAsync(live, ct) is not { } place)
            return false;
        await zones.ChangeAsync(place.Record.Zone, await ZoneAsync(place.Record.Zone, ct), [place.Record, place.Companion!], [], [], ct);
        return true;
    }

    /// <summary>Nothing to wait for: a record is gone when its deletion is answered.</summary>
    public Task<ObservedObject?> WaitUntilGoneAsync(ObservedObject live, TimeSpan patience, Action waiting, CancellationToken ct) => Task.FromResult<ObservedObject?>(null);

    private static bool SamePlace(CloudflareRecord left, CloudflareRecord right) => (left.Zone, left.Name, left.Type) == (right.Zone, right.Name, right.Type);

    private ResourceAddress Address(string name) => new(region, ApiVersion, Kind, null, name);

    /// <summary>The record that was observed, if it is still there and says that it is that object.</summary>
    private async Task<Place?> SameAsync(ObservedObject live, CancellationToken ct) => (await ReadAsync(ct))
        .Find(place => place.Record.Id == (string?)live.Manifest["metadata"]?["uid"] && place.Name == live.Address.Name && place.Companion is not null);

    private async Task<string> ZoneAsync(string name, CancellationToken ct) => (await zones.ListAsync(ct)).GetValueOrDefault(name)
        ?? throw new AdapterException(AdapterFailureKind.Missing, $"Cloudflare has no zone {name} that our token may read. Create it and delegate the domain to it, or give the token the right, then retry.");

    /// <summary>Every record of every zone that is no mark, with the mark beside it.</summary>
    private async Task<List<Place>> ReadAsync(CancellationToken ct)
    {
        var places = new List<Place>();
        foreach (var (name, id) in await zones.ListAsync(ct))
        {
            var records = await zones.RecordsAsync(name, id, ct);
            var marks = records.Where(IsMark).GroupBy(record => record.Name).ToDictionary(group => group.Key, group => group.First());
            places.AddRange(records.Where(record => !IsMark(record)).Select(record => new Place(record, marks.GetValueOrDefault(RecordMarks.NameFor(record.Type, record.Name)))));
        }

        return places;
    }

    private static bool IsMark(CloudflareRecord record) => RecordMarks.TryRead(record.Type, record.Name, record.Content, out _);

    private sealed record Place(CloudflareRecord Record, CloudflareRecord? Companion)
    {
        public Dictionary<string, string> Marks { get; } = Companion is not null && RecordMarks.TryRead(Companion.Type, Companion.Name, Companion.Content, out var marks) ? marks : [];

        public string Name => Marks.GetValueOrDefault(RecordMarks.Name) ?? "";

        /// <summary>A record that two objects want belongs to the one that its mark names.</summary>
        public Dictionary<string, string> Claimed(string by)
        {
            var claimed = new Dictionary<string, string>(Marks);
            if (Marks.Count > 0 && Name != by)
                claimed[Ownership.ManagedByLabel] = $"DnsRecord {Name}";
            return claimed;
        }
    }
}
