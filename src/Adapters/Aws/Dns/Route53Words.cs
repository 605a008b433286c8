using System.Globalization;
using PlatformOps.Adapters.Aws.Sdk.Route53.Model;

namespace PlatformOps.Adapters.Aws.Dns;

/// <summary>From Route 53's types to our words and back.</summary>
internal static class Route53Words
{
    public static DnsRecord ToRecord(ResourceRecordSet set) => new()
    {
        Name = Unescaped(set.Name ?? "").TrimEnd('.'),
        Type = set.Type ?? "",
        Values = [.. (set.ResourceRecords ?? []).Select(record => record.Value ?? "")],
        TimeToLive = TimeSpan.FromSeconds(set.TTL ?? 0),
        Alias = set.AliasTarget is { } target ? new(target.HostedZoneId ?? "", (target.DNSName ?? "").TrimEnd('.'), target.EvaluateTargetHealth ?? false) : null,
        Set = set.SetIdentifier,
        Weight = (int?)set.Weight,
        Failover = set.Failover,
        HealthCheck = set.HealthCheckId,
    };

    public static ResourceRecordSet ToRecordSet(this DnsRecord record) => new()
    {
        Name = record.Name,
        Type = record.Type,
        SetIdentifier = record.Set,
        Weight = record.Weight,
        Failover = record.Failover,
        TTL = record.Alias is null ? (long)record.TimeToLive.TotalSeconds : null,
        ResourceRecords = record.Alias is null ? [.. record.Values.Select(value => new ResourceRecord { Value = value })] : null,
        AliasTarget = record.Alias is { } alias ? new() { HostedZoneId = alias.ZoneId, DNSName = alias.Name, EvaluateTargetHealth = alias.EvaluateTargetHealth } : null,
        HealthCheckId = record.HealthCheck,
    };

    /// <summary>Route 53 writes every other letter as <c>\ooo</c>, in octal: <c>\052</c> is a star.</summary>
    private static string Unescaped(string name)
    {
        var at = name.IndexOf('\\', StringComparison.Ordinal);
        return at < 0 || at + 4 > name.Length || !name.AsSpan(at + 1, 3).ContainsAnyInRange('0', '7')
            ? name
            : Unescaped(string.Create(CultureInfo.InvariantCulture, $"{name[..at]}{(char)Convert.ToInt32(name.Substring(at + 1, 3), 8)}{name[(at + 4)..]}"));
    }
}
