namespace PlatformOps.Platform.Failover;

/// <summary>When a node may be writable and when nobody else can be, by durations of monotonic clocks only.</summary>
/// <remarks><para>The holder counts from the moment at which it sent the renewal. Everybody else counts from the moment at which they first saw that renewal's
/// sequence, which is later. So whenever the waiting ends for somebody else, the lease ended for its holder before, however far the clocks' times are apart,
/// as long as their speeds differ by less than <see cref="ClockDrift"/>.</para>
/// <para>The claim comes before the waiting: after it no renewal can succeed, so the sequence in <see cref="WitnessRecord.Replaced"/> stays the last.</para></remarks>
public static class LeaseRules
{
    /// <summary>How much faster or slower one monotonic clock may run than another: 1 %, twenty times what an uncorrected quartz does (0.05 %, Linux's largest
    /// correction by NTP, <c>MAXFREQ</c>).</summary>
    public const double ClockDrift = 0.01;

    /// <summary>For how long the holder may be writable after it sent the renewal that the witness accepted.</summary>
    public static TimeSpan Holds(PrimaryLease lease) => lease.Released ? TimeSpan.Zero : lease.Duration;

    /// <summary>How long a new primary has yet to wait before it may take its own lease.</summary>
    /// <param name="replaced"><see cref="WitnessRecord.Replaced"/>.</param>
    /// <param name="seenFor">For how long whoever waits knows of this very sequence; zero when it met it just now.</param>
    public static TimeSpan WaitFor(PrimaryLease? replaced, TimeSpan seenFor)
    {
        if (replaced is null || replaced.Released)
            return TimeSpan.Zero;
        var rest = (replaced.Duration * (1 + ClockDrift)) - seenFor;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
