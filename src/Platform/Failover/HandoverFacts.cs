namespace PlatformOps.Platform.Failover;

/// <summary>What is known of the handover of one namespace: what both clusters say, and never what a message about it said.</summary>
public sealed record HandoverFacts
{
    /// <summary>The cluster that hands over.</summary>
    public required string From { get; init; }

    /// <summary>The cluster that takes over.</summary>
    public required string To { get; init; }

    /// <summary>What the old one says; null: it does not answer.</summary>
    public required ActiveNamespace? Old { get; init; }

    /// <summary>What the new one says; null: it does not answer.</summary>
    public required ActiveNamespace? New { get; init; }

    /// <summary>The handover of the server itself, which runs in the old cluster. Read before <see cref="Old"/>: one that had ended by then changes nothing any more.</summary>
    public required HandoverRun Run { get; init; }

    /// <summary>For how long nobody has served it; null: somebody serves.</summary>
    public required TimeSpan? ShutFor { get; init; }

    /// <summary>For how long both have answered, open, and said different things; null: they agree.</summary>
    public required TimeSpan? ApartFor { get; init; }

    /// <summary>For how long a namespace may be closed.</summary>
    public required TimeSpan Bound { get; init; }
}

/// <summary>The server's workflow <c>namespace-handover</c>.</summary>
public enum HandoverRun
{
    /// <summary>The old cluster did not say.</summary>
    Unknown,

    /// <summary>There is none, or it has ended.</summary>
    None,
    Running,
}

/// <summary>Since when one namespace has been in a state that must not last. Kept in heartbeats, so that the next worker goes on counting.</summary>
/// <param name="ShutSince">Since when nobody has served it; null: somebody serves.</param>
/// <param name="ApartSince">Since when the clusters have said different things; null: they agree.</param>
/// <param name="ShutSeconds">The longest time for which nobody served it.</param>
/// <param name="Done">What was done about it, as sentences.</param>
public sealed record HandoverSight(DateTimeOffset? ShutSince = null, DateTimeOffset? ApartSince = null, double ShutSeconds = 0, string? Done = null)
{
    /// <summary>Takes in what both clusters said just now. What one did not say changes nothing: unknown is not open.</summary>
    public HandoverSight See(string from, string to, ActiveNamespace? old, ActiveNamespace? next, DateTimeOffset now)
    {
        var served = old is { Closed: false } && old.Cluster == from || next is { Closed: false } && next.Cluster == to;
        bool? shut = served ? false : old is { Closed: true } || next is { Closed: true } || (old is not null && next is not null) ? true : null;
        bool? apart = old is null || next is null ? null : !old.Closed && !next.Closed && (old.Cluster, old.FailoverVersion) != (next.Cluster, next.FailoverVersion);
        var longest = ShutSince is { } since && shut is not null ? Math.Max(ShutSeconds, (now - since).TotalSeconds) : ShutSeconds;
        return this with
        {
            ShutSince = shut switch { null => ShutSince, true => ShutSince ?? now, false => null },
            ApartSince = apart switch { null => ApartSince, true => ApartSince ?? now, false => null },
            ShutSeconds = longest,
        };
    }

    /// <summary>With one more thing that was done.</summary>
    public HandoverSight Did(string what) => this with { Done = Done is null ? what : $"{Done} {what}" };
}
