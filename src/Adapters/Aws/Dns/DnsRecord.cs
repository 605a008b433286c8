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

    /// <summary>None with an <see cref="Alias"/>.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>Zero with an <see cref="Alias"/>, which has that of its target.</summary>
    public required TimeSpan TimeToLive { get; init; }

    /// <summary>Answers with the addresses of a resource of AWS; null: with <see cref="Values"/>.</summary>
    public DnsAlias? Alias { get; init; }

    /// <summary>Names this one among those of the same name and type; required with <see cref="Weight"/> or <see cref="Failover"/>.</summary>
    public string? Set { get; init; }

    /// <summary>0..255: its share of the answers.</summary>
    public int? Weight { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public string? Failover { get; init; }

    /// <summary>Decides whether it is given as an answer.</summary>
    public string? HealthCheck { get; init; }
}

/// <summary>A resource of AWS, such as a load balancer, that a record stands for.</summary>
/// <param name="ZoneId">Of the resource's own zone, which AWS publishes for each kind of resource and region.</param>
/// <param name="Name">Without the last dot.</param>
public sealed record DnsAlias(string ZoneId, string Name, bool EvaluateTargetHealth);
