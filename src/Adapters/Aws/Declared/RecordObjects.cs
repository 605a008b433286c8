using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>DNS records as declared objects. Zones are there already; Route 53 is one service for all regions, so that each record's mark says of which region and
/// object it is. In an account of many zones only those are looked into that the environment names.</summary>
/// <param name="named">The zones that the environment names.</param>
internal sealed class RecordObjects(string region, IReadOnlyDictionary<string, string> ours, IReadOnlySet<string> named, AwsConnection connection) : AwsKind
{
    public const string Kind = "DnsRecord";

    /// <summary>So many zones are all looked into, so that what the environment had in a zone that it does not name any more is found.</summary>
    public const int FewZones = 20;

    private const string NameMark = RecordMarks.Name, RegionMark = "platformops.io/region";

    private static readonly TimeSpan TimeToLive = TimeSpan.FromMinutes(5);

    private readonly HostedZones zones = new(connection);

    /// <inheritdoc/>
    public override async Task<IEnumerable<ObservedObject>> ObserveAsync(IReadOnlyDictionary<string, string> labels, IReadOnlyList<DesiredObject> wanted, CancellationToken ct)
    {
        var places = wanted.Select(item => (item.Address, Declared: RecordManifest.Read(item))).ToList();
        var found = new List<ObservedObject>();
        foreach (var (zone, record, marks) in await RecordsAsync(await ZonesAsync(places.Select(place => place.Declared.Zone), ct), ct))
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
    public override async Task<ObservedObject?> FindAsync(ResourceAddress address, CancellationToken ct) => await LiveAsync(address, await ZonesAsync([], ct), ct) is var (zone, record, marks)
        ? RecordManifest.Of(address, zone, record, Shown(marks))
        : null;

    /// <inheritdoc/>
    public override void Check(DesiredObject wanted) => RecordManifest.Read(wanted);

    /// <summary>Refused by Route 53 when either record exists by now.</summary>
    public override async Task CreateAsync(DesiredObject wanted, CancellationToken ct)
    {
        var (declared, marks) = (RecordManifest.Read(wanted), Marks(wanted));
        await zones.ReplaceAsync(await ZoneAsync(declared.Zone, ct), [], [declared.Record, Companion(declared.Record, marks)], Operation(marks), ct);
    }

    /// <summary>Refused by Route 53 when the record is another one by now.</summary>
    public override async Task ChangeAsync(DesiredObject wanted, ObservedObject live, CancellationToken ct)
    {
        var (declared, marks) = (RecordManifest.Read(wanted), Marks(wanted));
        if (await LiveAsync(live, ct) is not var (zone, record, former))
            throw new AdapterException(AdapterFailureKind.Moved, $"{wanted.Address} is gone, or no longer says that it is ours.");
        await zones.ReplaceAsync(
            zone, [record, Companion(record, former)], [declared.Record, Companion(declared.Record, marks)], Operation(marks), ct);
    }

    /// <inheritdoc/>
    public override Task<string?> WhyKeepAsync(ObservedObject live, CancellationToken ct) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public override async Task<bool> DeleteAsync(ObservedObject live, CancellationToken ct)
    {
        if (await LiveAsync(live, ct) is not var (zone, record, marks))
            return false;
        await zones.ReplaceAsync(zone, [record, Companion(record, marks)], [], Operation(marks), ct);
        return true;
    }

    /// <summary>Where records of ours can be.</summary>
    private async Task<IEnumerable<DnsZone>> ZonesAsync(IEnumerable<string> wanted, CancellationToken ct)
    {
        var (all, names) = (await zones.ListAsync(ct), wanted.ToHashSet());
        return all.Count <= FewZones ? all : all.Where(zone => named.Contains(zone.Name) || names.Contains(zone.Name));
    }

    /// <summary>Every record of these zones that is no mark, with its marks; none: it does not say whose it is.</summary>
    private async Task<IReadOnlyList<(DnsZone Zone, DnsRecord Record, Dictionary<string, string> Marks)>> RecordsAsync(IEnumerable<DnsZone> looked, CancellationToken ct)
    {
        var found = new List<(DnsZone, DnsRecord, Dictionary<string, string>)>();
        foreach (var zone in looked)
        {
            var records = await zones.RecordsAsync(zone, ct);
            var marks = records.Select(record => (record.Name, Marks: Read(record))).Where(mark => mark.Marks is not null).ToDictionary(mark => mark.Name, mark => mark.Marks!);
            found.AddRange(records.Where(record => Read(record) is null).Select(record => (zone, record, marks.GetValueOrDefault(RecordMarks.NameFor(record.Type, record.Name, record.Set)) ?? [])));
        }

        return found;
    }

    private static Dictionary<string, string>? Read(DnsRecord record) =>
        record.Values is [var value] && RecordMarks.TryRead(record.Type, record.Name, value, out var marks) ? marks : null;

    private static DnsRecord Companion(DnsRecord of, IReadOnlyDictionary<string, string> marks) => new()
    {
        Name = RecordMarks.NameFor(of.Type, of.Name, of.Set),
        Type = "TXT",
        TimeToLive = TimeToLive,
        Values = [RecordMarks.Text(marks)],
    };

    /// <summary>The object that was observed, as it is now: it is in its zone or nowhere.</summary>
    private async Task<(DnsZone Zone, DnsRecord Record, Dictionary<string, string> Marks)?> LiveAsync(ObservedObject live, CancellationToken ct) =>
        await LiveAsync(live.Address, (await zones.ListAsync(ct)).Where(zone => zone.Name == (string?)live.Manifest["spec"]?["zone"]), ct);

    private async Task<(DnsZone Zone, DnsRecord Record, Dictionary<string, string> Marks)?> LiveAsync(ResourceAddress address, IEnumerable<DnsZone> looked, CancellationToken ct)
    {
        foreach (var found in await RecordsAsync(looked, ct))
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

    private Dictionary<string, string> Marks(DesiredObject wanted) => new(RecordMarks.Of(wanted)) { [RegionMark] = region };

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
