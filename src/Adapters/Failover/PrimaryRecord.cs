using System.Net;
using PlatformOps.Adapters.Aws;
using PlatformOps.Adapters.Aws.Dns;

namespace PlatformOps.Adapters.Failover;

/// <summary>The DNS record that leads to the primary, with the epoch that it is of in a TXT record beside it. Both, exactly as they were read, are swapped for both.</summary>
/// <param name="environment">For messages.</param>
public sealed class PrimaryRecord(AwsConnection connection, DnsPointer dns, string environment)
{
    private const string EpochOfRecord = "_platformops-epoch.";

    private readonly HostedZones zones = new(connection);

    private string Name => dns.Name.TrimEnd('.');

    private string EpochName => EpochOfRecord + Name;

    /// <summary>Where it leads, and of which epoch it is; null and 0: it is not there.</summary>
    public async Task<(string? Host, long Epoch)> ReadAsync(CancellationToken ct)
    {
        var (_, old, epoch) = await FindAsync(ct);
        return (old.Where(record => record.Type != "TXT").SelectMany(record => record.Values).FirstOrDefault()?.TrimEnd('.'), epoch);
    }

    /// <summary>Leads to a host.</summary>
    /// <returns>For how long resolvers may keep what was; null when it was so already.</returns>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Rejected"/>: it is of a higher epoch, or there is no such zone.</exception>
    public async Task<TimeSpan?> LeadToAsync(string host, long epoch, string operationId, CancellationToken ct)
    {
        var (zone, old, its) = await FindAsync(ct);
        if (its > epoch)
            throw new AdapterException(AdapterFailureKind.Rejected, $"DNS record {Name} is of epoch {its}, which is higher than {epoch}: another failover has happened since. Nothing was changed.");
        var life = TimeSpan.FromSeconds(dns.TimeToLiveSeconds);
        DnsRecord[] wanted =
        [
            new() { Name = Name, Type = IPAddress.TryParse(host, out _) ? "A" : "CNAME", Values = [host], TimeToLive = life },
            new() { Name = EpochName, Type = "TXT", Values = [$"\"{epoch}\""], TimeToLive = life },
        ];
        if (its == epoch && old.Any(record => record.Type != "TXT" && record.Values.SequenceEqual(wanted[0].Values)))
            return null;
        // Whoever wrote in between makes it fail.
        await zones.ReplaceAsync(zone, old, wanted, operationId, ct);
        return old.Select(record => record.TimeToLive).DefaultIfEmpty(TimeSpan.Zero).Max();
    }

    /// <summary>The records of the name as they are, and the highest epoch that they are of.</summary>
    private async Task<(DnsZone Zone, IReadOnlyList<DnsRecord> Records, long Epoch)> FindAsync(CancellationToken ct)
    {
        var zone = (await zones.ListAsync(ct)).SingleOrDefault(known => known.Name == dns.Zone.TrimEnd('.'))
            ?? throw new AdapterException(AdapterFailureKind.Rejected, $"There is no public zone {dns.Zone} in Route 53. Create it, or correct failover.{environment}.dns in the connections file.");
        var records = await zones.RecordsAsync(zone, ct);
        var old = records.Where(record => (record.Name.TrimEnd('.') == Name && record.Type is "A" or "CNAME") || (record.Name.TrimEnd('.') == EpochName && record.Type == "TXT")).ToList();
        var epoch = old.Where(record => record.Type == "TXT").SelectMany(record => record.Values).Select(value => long.TryParse(value.Trim('"'), out var known) ? known : 0).DefaultIfEmpty(0).Max();
        return (zone, old, epoch);
    }
}
