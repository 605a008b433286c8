namespace PlatformOps.Adapters.Aws.Dns;

/// <summary>A zone.</summary>
public sealed record DnsZone(string Id, string Name);

/// <summary>A set of DNS records of one name and type, or one of several that answers are chosen from.</summary>
public sealed record DnsRecord
{
    /// <summary>In full, without the last dot.</summary>
    public required string Name { get; init; }

    /// <summary><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, <c>TXT</c>, ...</summary>
    public required string Type { get; init; }

    public required IReadOnlyList<string> Values { get; init; }

    public required TimeSpan TimeToLive { get; init; }

    /// <summary>Names this one among those of the same name and type; required with <see cref="Weight"/> or <see cref="Failover"/>.</summary>
    public string? Set { get; init; }

    /// <summary>0..255: its share of the answers.</summary>
    public int? Weight { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public string? Failover { get; init; }

    /// <summary>Decides whether it is given as an answer.</summary>
    public string? HealthCheck { get; init; }
}
