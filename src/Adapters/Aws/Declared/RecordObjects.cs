using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>DNS records as declared objects. Zones are there already; Route 53 is one service for all regions, so that each record's mark says of which region and
/// object it is.</summary>
internal sealed class RecordObjects(string region, IReadOnlyDictionary<string, string> ours, AwsConnection connection) : AwsKind
{
    public const string Kind = "DnsRecord";

    private const string NameMark = "platformops.io/name", RegionMark = "platformops.io/region";

    private readonly HostedZones zones = new(connection);

    /// <inheritdoc/>
    public override async Task<IEnumerable<ObservedObject>> ObserveAsync(IReadOnlyDictionary<string, string> labels, IReadOnlyList<DesiredObject> wanted, CancellationToken ct)
    {
        var places = wanted.Select(item => (item.Address, Declared: RecordManifest.Read(item))).ToList();
        var found = new List<ObservedObject>();
        foreach (var (zone, record, marks) in await RecordsAsync(ct))
        {
            var place = places.Find(place => place.Declared.Zone == zone.Name && RecordManifest.Identity("", place.Declared.Record) == RecordManifest.Identity("", record));
            // What stands where ours is wanted is in the way, whatever it calls itself.
            if (place.Address is { } address)
                found.Add(LiveManifest.Aligned(RecordManifest.Of(address, zone, record, Claimed(marks, address)), wanted, "values"));
            else if (marks.GetValueOrDefault(RegionMark) == region && Carries(marks, labels))
                found.Add(RecordManifest.Of(Address(marks), zone, record, Shown(marks)));
        }

        return found;
    }

    /// <inheritdoc/>
    public override async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => await LiveAsync(address, ct) is var (zone, record, marks)
        ? RecordManifest.Of(address, zone, record, Shown(marks))
        : null;

    /// <inheritdoc/>
    public override void Check(DesiredObject wanted) => RecordManifest.Read(wanted);

    /// <summary>Refused by Route 53 when either record exists by now.</summary>
    public override async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var (declared, marks) = (RecordManifest.Read(wanted), Marks(wanted));
        await zones.ReplaceAsync(await ZoneAsync(declared.Zone, ct), [], [declared.Record, RecordOwner.Companion(declared.Record, marks)], Operation(marks), ct);
    }

    /// <summary>Refused by Route 53 when the record is another one by now.</summary>
    public override async Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        var (declared, marks) = (RecordManifest.Read(wanted), Marks(wanted));
        if (await LiveAsync(live.Address, ct) is not var (zone, record, former))
            throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone, or no longer says that it is ours.");
        await zones.ReplaceAsync(
            zone, [record, RecordOwner.Companion(record, former)], [declared.Record, RecordOwner.Companion(declared.Record, marks)], Operation(marks), ct);
    }

    /// <inheritdoc/>
    public override Task<string?> WhyKeepAsync(ObservedObject live, CancellationToken ct) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public override async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        if (await LiveAsync(live.Address, ct) is not var (zone, record, marks))
            return false;
        await zones.ReplaceAsync(zone, [record, RecordOwner.Companion(record, marks)], [], Operation(marks), ct);
        return true;
    }

    /// <summary>Every record of every zone that is no mark, with its marks; none: it does not say whose it is.</summary>
    private async Task<IReadOnlyList<(DnsZone Zone, DnsRecord Record, Dictionary<string, string> Marks)>> RecordsAsync(CancellationToken ct)
    {
        var found = new List<(DnsZone, DnsRecord, Dictionary<string, string>)>();
        foreach (var zone in await zones.ListAsync(ct))
        {
            var records = await zones.RecordsAsync(zone, ct);
            var marks = records.Where(record => RecordOwner.Read(record) is not null).ToDictionary(record => record.Name, record => RecordOwner.Read(record)!);
            found.AddRange(records.Where(record => RecordOwner.Read(record) is null).Select(record => (zone, record, marks.GetValueOrDefault(RecordOwner.NameFor(record)) ?? [])));
        }

        return found;
    }

    private async Task<(DnsZone Zone, DnsRecord Record, Dictionary<string, string> Marks)?> LiveAsync(ResourceAddress address, CancellationToken ct)
    {
        foreach (var found in await RecordsAsync(ct))
            if (found.Marks.GetValueOrDefault(NameMark) == address.Name && found.Marks.GetValueOrDefault(RegionMark) == region && Carries(found.Marks, ours))
                return found;
        return null;
    }

    private async Task<DnsZone> ZoneAsync(string name, CancellationToken ct) => (await zones.ListAsync(ct)).Where(zone => zone.Name == name).ToList() switch
    {
        [var zone] => zone,
        [] => throw new AdapterException(AdapterFailureKind.Missing, $"Route 53 has no public zone {name}. Create it and delegate the domain to it, then retry."),
        var several => throw new AdapterException(
            AdapterFailureKind.Conflict, $"Route 53 has {several.Count} public zones {name} ({string.Join(", ", several.Select(zone => zone.Id))}): it cannot be told which one answers. Remove the others."),
    };

    private Dictionary<string, string> Marks(DesiredObject wanted) => new(ObjectMarks.Of(wanted.Manifest)) { [NameMark] = wanted.Address.Name, [RegionMark] = region };

    private ResourceAddress Address(Dictionary<string, string> marks) => new(region, ResourceAddress.AwsApiVersion, Kind, null, marks.GetValueOrDefault(NameMark) ?? "");

    private static Dictionary<string, string> Shown(Dictionary<string, string> marks) => marks.Where(mark => mark.Key is not (NameMark or RegionMark)).ToDictionary();

    /// <summary>A record that two objects want belongs to the one that its mark names.</summary>
    private static Dictionary<string, string> Claimed(Dictionary<string, string> marks, ResourceAddress by)
    {
        var shown = Shown(marks);
        if (marks.Count > 0 && (marks.GetValueOrDefault(RegionMark), marks.GetValueOrDefault(NameMark)) != (by.Region, by.Name))
            shown[Ownership.ManagedByLabel] = $"{Kind} {marks.GetValueOrDefault(NameMark)} of {marks.GetValueOrDefault(RegionMark)}";
        return shown;
    }

    private static string Operation(Dictionary<string, string> marks) => marks.GetValueOrDefault(Ownership.OperationIdAnnotation) ?? "";
}
