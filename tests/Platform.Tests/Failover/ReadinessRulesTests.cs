using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>From what on something counts as ready for a failover, and what the operator is told.</summary>
public class ReadinessRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);
    private static readonly DatabaseNode Primary = new() { Name = "us-east-1", Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = 7, ReceivedLsn = 100_000_000 };
    private static readonly DatabaseNode Standby = Primary with { Name = "us-west-2", Role = NodeRole.Standby, Writable = false, Streaming = true };
    private static readonly WitnessRecord Leased = new(7, "us-east-1", "first", new(40, TimeSpan.FromSeconds(1), Released: false), null);

    [Theory]
    [InlineData(0L, true, "us-west-2 lacks 0 bytes.")]
    [InlineData(-5L, true, "us-west-2 lacks 0 bytes.")]
    [InlineData(ReadinessRules.LagBytes, true, "us-west-2 lacks 16777216 bytes.")]
    [InlineData(ReadinessRules.LagBytes + 1, false, "us-west-2 lacks 16777217 bytes, and 16777216 at most are wanted. See what keeps it: its disk, or the network between the regions.")]
    public void A_standby_may_lack_a_segment_of_the_log(long lag, bool ok, string detail) =>
        Assert.Equal(new(ok, detail), ReadinessRules.Lag(Primary, Standby with { ReceivedLsn = Primary.ReceivedLsn - lag }));

    [Fact]
    public void A_standby_has_to_answer_and_to_stream_and_its_lag_may_be_unknown()
    {
        Assert.Equal(new(false, "The standby does not answer."), ReadinessRules.Lag(Primary, standby: null));
        Assert.Equal(new(false, "us-west-2 is Standby and does not stream. Rebuild it."), ReadinessRules.Lag(Primary, Standby with { Streaming = false }));
        Assert.Equal(new(false, "us-west-2 is Stopped and does not stream. Rebuild it."), ReadinessRules.Lag(Primary, Standby with { Role = NodeRole.Stopped }));
        Assert.Null(ReadinessRules.Lag(Primary, Standby with { ReceivedLsn = null }).Ok);
    }

    [Fact]
    public void The_lease_has_to_be_renewed()
    {
        Assert.Equal(new(true, "us-east-1 renews its lease of epoch 7."), ReadinessRules.Witness(Leased, Leased.Renew(TimeSpan.FromSeconds(1))));
        Assert.Equal(new(false, "us-east-1 has not renewed its lease of epoch 7. See the guard of us-east-1, and its way to the witness."), ReadinessRules.Witness(Leased, Leased));
        Assert.Equal(new(false, "us-east-1 has given its lease back: nobody may be writable. See the guard of us-east-1."), ReadinessRules.Witness(Leased, Leased.Release()));
        Assert.Equal(
            new(false, "Epoch 8 is us-west-2's, which has not taken its lease. See the guard of us-west-2."), ReadinessRules.Witness(Leased, Leased.Claim("us-west-2", "op", fenced: false)));
        Assert.Equal(new(false, "It keeps nothing. Start the guards."), ReadinessRules.Witness(first: null, later: null));
        Assert.Equal(TimeSpan.FromSeconds(1.01), ReadinessRules.LookForRenewal(Leased.Lease!));
    }

    [Theory]
    [InlineData(14.0, true, "It is valid until 2026-03-15.")]
    [InlineData(13.9, false, "It is valid until 2026-03-15, for less than 14 days. Renew it.")]
    [InlineData(0.0, false, "It is not valid since 2026-03-01. Renew it.")]
    [InlineData(-30.0, false, "It is not valid since 2026-01-30. Renew it.")]
    public void Certificates_have_to_be_valid_for_two_weeks(double days, bool ok, string detail) =>
        Assert.Equal(new(ok, detail), ReadinessRules.Certificate(Now.AddDays(days), Now));

    [Theory]
    [InlineData(null, false, null, "No drill is known. Start one.")]
    [InlineData(31.0, true, true, "The last drill was on 2026-01-29.")]
    [InlineData(31.1, true, false, "The last drill was on 2026-01-29, more than 31 days ago. Start one.")]
    [InlineData(1.0, false, false, "The drill of 2026-02-28 did not end well. Correct what it shows, and repeat it. Start one.")]
    public void A_drill_has_to_have_gone_well_within_a_month(double? daysAgo, bool succeeded, bool? ok, string detail) =>
        Assert.Equal(new(ok, detail), ReadinessRules.LastDrill(daysAgo is { } days ? Now.AddDays(-days) : null, succeeded, Now, "Start one."));

    [Theory]
    [InlineData(null, true, null, "No look at the capacity of the standby's region is known. Look.")]
    [InlineData(24.0, true, true, "Found.")]
    [InlineData(24.0, false, false, "Found.")]
    [InlineData(24.0, null, null, "Found.")]
    [InlineData(24.1, true, null, "The capacity of the standby's region was last looked at on 2026-02-28, more than 24 hours ago. Look.")]
    public void Capacity_has_to_have_been_found_within_a_day(double? hoursAgo, bool? enough, bool? ok, string detail) =>
        Assert.Equal(new(ok, detail), ReadinessRules.Capacity(hoursAgo is { } hours ? Now.AddHours(-hours) : null, enough, "Found.", Now, "Look."));

    [Theory]
    [InlineData(60, true, "Resolvers keep the record for 60 s.")]
    [InlineData(61, false, "Resolvers keep the record for 61 s: clients would come that much later. 60 s at most are wanted.")]
    public void Resolvers_may_keep_the_record_for_a_minute(int seconds, bool ok, string detail) => Assert.Equal(new(ok, detail), ReadinessRules.TimeToLive(seconds));
}
