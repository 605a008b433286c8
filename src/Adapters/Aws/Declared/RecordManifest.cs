using PlatformOps.Adapters.Aws.Dns;
using PlatformOps.Platform.Provisioning;

namespace PlatformOps.Adapters.Aws.Declared;

/// <summary>A DNS record as it is declared: <c>zone</c>, <c>name</c> (in full), <c>type</c>, and <c>ttl</c> with <c>values</c>, or <c>alias</c>.</summary>
internal sealed record RecordManifest(string Zone, DnsRecord Record)
{
    public static RecordManifest Read(DesiredObject wanted)
    {
        var fields = DeclaredFields.Of(wanted);
        var (zone, name, alias) = (fields.Required("zone"), fields.Required("name"), fields.Part("alias"));
        if (name != zone && !name.EndsWith($".{zone}", StringComparison.Ordinal))
            throw fields.Wrong("name", $"is {name}, which is not in zone {zone}: the name is stated in full");
        var record = new DnsRecord
        {
            Name = name,
            Type = fields.Required("type"),
            Values = fields.Texts("values"),
            TimeToLive = TimeSpan.FromSeconds(fields.Number("ttl") ?? 0),
            Alias = alias is null ? null : new(alias.Required("hostedZoneId"), alias.Required("dnsName"), alias.Flag("evaluateTargetHealth") ?? false),
            Set = fields.Text("setIdentifier"),
            Weight = fields.Number("weight"),
            Failover = fields.Text("failover"),
            HealthCheck = fields.Text("healthCheckId"),
        };
        alias?.NothingElse();
        fields.NothingElse();
        if (record.Values.Count == 0 == record.Alias is null)
            throw fields.Wrong("values", "or spec.alias is expected, and not both");
        if (record.Alias is null == (record.TimeToLive == TimeSpan.Zero))
            throw fields.Wrong("ttl", "is expected, in seconds, with values; an alias has that of its target");
        if (record.Set is null != record is { Weight: null, Failover: null })
            throw fields.Wrong("setIdentifier", "is expected with weight or failover, and only then");
        return new(zone, record);
    }

    public static ObservedObject Of(ResourceAddress address, DnsZone zone, DnsRecord record, IReadOnlyDictionary<string, string> marks) => LiveManifest.Of(
        address, Identity(zone.Id, record), marks, LiveManifest.Fields(
            ("zone", zone.Name),
            ("name", record.Name),
            ("type", record.Type),
            ("ttl", record.Alias is null ? (long)record.TimeToLive.TotalSeconds : null),
            ("values", LiveManifest.Texts(record.Values)),
            ("alias", record.Alias is { } alias ? LiveManifest.Fields(("hostedZoneId", alias.ZoneId), ("dnsName", alias.Name), ("evaluateTargetHealth", alias.EvaluateTargetHealth)) : null),
            ("setIdentifier", record.Set),
            ("weight", record.Weight),
            ("failover", record.Failover),
            ("healthCheckId", record.HealthCheck)),
        "ttl", "values", "alias", "weight", "failover", "healthCheckId");

    /// <summary>By what Route 53 tells records apart.</summary>
    public static string Identity(string zone, DnsRecord record) => $"{zone}/{record.Name}/{record.Type}/{record.Set}";
}
