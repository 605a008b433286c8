namespace PlatformOps.Platform.Failover;

/// <summary>From what on the things that a failover needs count as ready. Pure: what was found goes in, and the sentence for the operator comes out.</summary>
public static class ReadinessRules
{
    /// <summary>A standby that lacks more than this is shown as lagging: a segment of the write-ahead log.</summary>
    public const long LagBytes = 16 * 1024 * 1024;

    /// <summary>A look at the standby's capacity that is older says little about today's load.</summary>
    public static TimeSpan CapacityWithin { get; } = TimeSpan.FromDays(1);

    /// <summary>For how long resolvers may keep the record: clients come that much later.</summary>
    public const int LongestTimeToLiveSeconds = 60;

    /// <summary>Certificates have to be valid for at least this long, so that there is time to renew them.</summary>
    public static TimeSpan LeastCertificateLife { get; } = TimeSpan.FromDays(14);

    /// <summary>A drill that is older says little about what runs today.</summary>
    public static TimeSpan DrillWithin { get; } = TimeSpan.FromDays(31);

    /// <summary>How long to look for a renewal before the lease counts as not renewed: it would have run out by any clock.</summary>
    public static TimeSpan LookForRenewal(PrimaryLease lease) => LeaseRules.Holds(lease) * (1 + LeaseRules.ClockDrift);

    /// <summary>Whether the standby follows and has nearly everything.</summary>
    /// <param name="standby">Null: it did not answer.</param>
    public static ReadinessFinding Lag(DatabaseNode primary, DatabaseNode? standby)
    {
        if (standby is null)
            return new(false, "The standby does not answer.");
        if (standby is not { Role: NodeRole.Standby, Streaming: true })
            return new(false, $"{standby.Name} is {standby.Role} and does not stream. Rebuild it.");
        // The standby was asked a moment later.
        return primary.ReceivedLsn - standby.ReceivedLsn is { } apart ? Math.Max(0, apart) switch
        {
            <= LagBytes and var lag => new(true, $"{standby.Name} lacks {lag} bytes."),
            var lag => new(false, $"{standby.Name} lacks {lag} bytes, and {LagBytes} at most are wanted. See what keeps it: its disk, or the network between the regions."),
        }
        : new(null, $"{standby.Name} streams, and the two do not say how far their logs are. Look again when both answer.");
    }

    /// <summary>Whether somebody renews the lease at the witness.</summary>
    /// <param name="first">What it kept at first; null: nothing.</param>
    /// <param name="later">What it kept <see cref="LookForRenewal"/> later, or as soon as it was something else.</param>
    public static ReadinessFinding Witness(WitnessRecord? first, WitnessRecord? later) => (first, later) switch
    {
        (null, _) or (_, null) => new(false, "It keeps nothing. Start the guards."),
        (_, { Lease: null }) => new(false, $"Epoch {later.Epoch} is {later.Primary}'s, which has not taken its lease. See the guard of {later.Primary}."),
        (_, { Lease.Released: true }) => new(false, $"{later.Primary} has given its lease back: nobody may be writable. See the guard of {later.Primary}."),
        _ when first.Lease?.Sequence != later.Lease.Sequence => new(true, $"{later.Primary} renews its lease of epoch {later.Epoch}."),
        _ => new(false, $"{later.Primary} has not renewed its lease of epoch {later.Epoch}. See the guard of {later.Primary}, and its way to the witness."),
    };

    /// <summary>Whether a certificate will be valid for long enough.</summary>
    public static ReadinessFinding Certificate(DateTimeOffset validUntil, DateTimeOffset now) => (validUntil - now) switch
    {
        { Ticks: <= 0 } => new(false, $"It is not valid since {Day(validUntil)}. Renew it."),
        var life when life < LeastCertificateLife => new(false, $"It is valid until {Day(validUntil)}, for less than {LeastCertificateLife.TotalDays:0} days. Renew it."),
        _ => new(true, $"It is valid until {Day(validUntil)}."),
    };

    /// <summary>Whether a failover was practised lately, and went well.</summary>
    /// <param name="endedAt">When the last drill ended; null: nothing is known of one.</param>
    /// <param name="succeeded">Whether all its steps ended.</param>
    /// <param name="how">What starts one.</param>
    public static ReadinessFinding LastDrill(DateTimeOffset? endedAt, bool succeeded, DateTimeOffset now, string how) => endedAt switch
    {
        null => new(null, $"No drill is known. {how}"),
        { } ended when !succeeded => new(false, $"The drill of {Day(ended)} did not end well. Correct what it shows, and repeat it. {how}"),
        { } ended when now - ended > DrillWithin => new(false, $"The last drill was on {Day(ended)}, more than {DrillWithin.TotalDays:0} days ago. {how}"),
        { } ended => new(true, $"The last drill was on {Day(ended)}."),
    };

    /// <summary>Whether the region that would take over was found to have room for what the other one runs.</summary>
    /// <param name="lookedAt">When it was last looked at; null: nothing is known of a look.</param>
    /// <param name="enough">What was found; null: it could not be found out.</param>
    /// <param name="found">As sentences.</param>
    /// <param name="how">What looks.</param>
    public static ReadinessFinding Capacity(DateTimeOffset? lookedAt, bool? enough, string found, DateTimeOffset now, string how) => lookedAt switch
    {
        null => new(null, $"No look at the capacity of the standby's region is known. {how}"),
        { } looked when now - looked > CapacityWithin => new(null, $"The capacity of the standby's region was last looked at on {Day(looked)}, more than {CapacityWithin.TotalHours:0} hours ago. {how}"),
        _ => new(enough, found),
    };

    /// <summary>Whether what leads to the primary in a region could be changed by a failover.</summary>
    /// <param name="asked">How many there are.</param>
    /// <param name="missing">What keeps it from that, as sentences.</param>
    /// <param name="unknown">Of whom nobody could say, as sentences.</param>
    public static ReadinessFinding Pointers(int asked, IReadOnlyList<string> missing, IReadOnlyList<string> unknown) => (missing, unknown) switch
    {
        ({ Count: > 0 }, _) => new(false, string.Join(" ", missing)),
        (_, { Count: > 0 }) => new(null, string.Join(" ", unknown)),
        _ => new(true, $"All {asked} that lead to the primary there may be changed."),
    };

    /// <summary>Whether clients come soon after the DNS record was changed.</summary>
    public static ReadinessFinding TimeToLive(int seconds) => seconds <= LongestTimeToLiveSeconds
        ? new(true, $"Resolvers keep the record for {seconds} s.")
        : new(false, $"Resolvers keep the record for {seconds} s: clients would come that much later. {LongestTimeToLiveSeconds} s at most are wanted.");

    private static string Day(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd}";
}

/// <summary>What was made of one thing that a failover needs.</summary>
/// <param name="Ok">Null: it could not be found out.</param>
/// <param name="Detail">What was found and what to do, as sentences.</param>
public sealed record ReadinessFinding(bool? Ok, string Detail);
