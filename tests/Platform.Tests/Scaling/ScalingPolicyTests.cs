using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>How many replicas a component gets.</summary>
public sealed class ScalingPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly ScalingDefinition How = new(
        "replicas", new("Deployment", "web", "shop"),
        [
            new("cpu", SignalKind.Average, "", 50, "%"), new("backlog", SignalKind.Total, "", 100), new("latency", SignalKind.Ceiling, "", 200, "ms"), new("churn", SignalKind.Hold, "", 5),
        ],
        Stabilize: TimeSpan.FromMinutes(10), Cooldown: TimeSpan.FromMinutes(2), StepOut: 100, StepIn: 20);

    /// <summary>Fewer have been enough for as long as it takes.</summary>
    private static readonly ScalingMemory Settled = new(Now.AddMinutes(-11), [new(Now.AddMinutes(-9), 4), new(Now.AddSeconds(-30), 3)], Now.AddMinutes(-30));

    [Theory]
    // replicas, ready, cpu, backlog, latency, churn -> verdict, to
    [InlineData(4, 4, 50, 0, 10, 0, ScalingVerdict.Wait, 4, "cpu is 50% (target 50%): 4 are right.")]
    [InlineData(4, 4, 54, 0, 10, 0, ScalingVerdict.Wait, 4, "cpu is 54% (target 50%): 4 are right.")]
    [InlineData(4, 4, 70, 0, 10, 0, ScalingVerdict.Scale, 6, "cpu is 70% (target 50%): 6 are wanted.")]
    [InlineData(4, 4, 50, 900, 10, 0, ScalingVerdict.Scale, 8, "backlog is 900 (target 100 for each): 9 are wanted; 8 is as far as one step goes.")]
    [InlineData(7, 7, 90, 0, 10, 0, ScalingVerdict.Scale, 10, "cpu is 90% (target 50%): 13 are wanted; 10 is the limit of the specification.")]
    [InlineData(10, 10, 90, 0, 10, 0, ScalingVerdict.Wait, 10, "cpu is 90% (target 50%): 18 are wanted, and 10 is the most that the specification allows.")]
    // Those that are not ready yet will carry their part.
    [InlineData(8, 4, 100, 0, 10, 0, ScalingVerdict.Wait, 8, "cpu is 100% (target 50%): 8 are right.")]
    [InlineData(5, 5, 25, 0, 10, 0, ScalingVerdict.Scale, 4, "cpu is 25% (target 50%): 4 have been enough for 10m.")]
    [InlineData(6, 6, 20, 0, 10, 0, ScalingVerdict.Scale, 5, "cpu is 20% (target 50%): 4 have been enough for 10m; 5 is as far as one step goes.")]
    [InlineData(4, 4, 20, 0, 10, 0, ScalingVerdict.Wait, 4, "cpu is 20% (target 50%): 2 would be enough, but 4 were wanted within the last 10m.")]
    [InlineData(5, 4, 25, 0, 10, 0, ScalingVerdict.Wait, 5, "cpu is 25% (target 50%): 2 would be enough, but 4 of 5 are ready. None goes before all are.")]
    [InlineData(2, 2, 5, 0, 10, 0, ScalingVerdict.Wait, 2, "cpu is 5% (target 50%): 1 would be enough, and 2 is the fewest that the specification allows.")]
    [InlineData(4, 4, 40, 0, 900, 0, ScalingVerdict.Scale, 5, "latency is 900ms (target 200ms): 5 are wanted.")]
    [InlineData(6, 6, 10, 0, 900, 0, ScalingVerdict.Wait, 6, "latency is 900ms (target 200ms), and nobody is busy (cpu is 10% (target 50%), backlog is 0 (target 100 for each)): more replicas would not help. Look at what they wait for.")]
    [InlineData(6, 5, 40, 0, 900, 0, ScalingVerdict.Wait, 6, "latency is 900ms (target 200ms): 5 of 6 replicas are ready, and the others may be the cure.")]
    [InlineData(4, 4, 90, 0, 10, 6, ScalingVerdict.Wait, 4, "churn is 6 (target 5): nothing is scaled until that is over, since it would make it worse.")]
    [InlineData(12, 12, 90, 0, 10, 0, ScalingVerdict.Scale, 10, "12 is outside of the range 2..10.")]
    [InlineData(1, 1, 10, 0, 10, 0, ScalingVerdict.Scale, 2, "1 is outside of the range 2..10.")]
    public void Decides(int replicas, int ready, double cpu, double backlog, double latency, double churn, ScalingVerdict verdict, int to, string why) =>
        Assert.Equal((verdict, to, why), InShort(Decide(Seen(replicas, ready, cpu, backlog, latency, churn))));

    [Theory]
    [InlineData("cpu", "backlog is 0 (target 100 for each): 0 would be enough, but cpu is unknown (Prometheus does not answer). What is unknown takes no replica away.")]
    [InlineData("latency", "cpu is 25% (target 50%): 3 would be enough, but latency is unknown (Prometheus does not answer). What is unknown takes no replica away.")]
    [InlineData("churn", "cpu is 25% (target 50%): 3 would be enough, but churn is unknown (Prometheus does not answer). What is unknown takes no replica away.")]
    public void Whatever_is_unknown_nothing_goes(string signal, string why)
    {
        var seen = Seen(6, 6, 25, 0, 10, 0);
        var decision = Decide(seen with { Signals = [.. seen.Signals.Select(known => known.Name == signal ? known with { Value = null, At = null, Trouble = "Prometheus does not answer." } : known)] });

        Assert.Equal((ScalingVerdict.Wait, 6, why), InShort(decision));
    }

    [Fact]
    public void More_come_for_what_is_known_when_something_else_is_not()
    {
        var seen = Seen(4, 4, 90, 0, 10, 0);

        Assert.Equal((ScalingVerdict.Scale, 8), Decide(seen with { Signals = [seen.Signals[0]] }) is var decision ? (decision.Verdict, decision.To) : default);
    }

    [Fact]
    public void With_nothing_known_nothing_changes()
    {
        Assert.Equal((ScalingVerdict.Wait, 4, "Nothing is known of how busy it is: cpu is unknown (it says nothing), and backlog is unknown (it says nothing), and latency is unknown (it says nothing), and churn is unknown (it says nothing)."),
            InShort(Decide(Seen(4, 4, 0, 0, 0, 0) with { Signals = [] })));
        Assert.Equal(ScalingVerdict.Wait, Decide(Seen(4, 4, 90, 0, 0, 0) with { Replicas = null }).Verdict);
        Assert.Equal(ScalingVerdict.Wait, Decide(Seen(4, 4, 90, 0, 0, 0) with { Ready = null }).Verdict);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    public void What_is_no_number_is_unknown(double cpu) => Assert.Equal(ScalingVerdict.Wait, Decide(Seen(6, 6, cpu, 0, 10, 0)).Verdict);

    [Fact]
    public void An_old_number_is_unknown()
    {
        var seen = Seen(6, 6, 25, 0, 10, 0);

        Assert.StartsWith("backlog is 0", Decide(seen with { Signals = [.. seen.Signals.Select(known => known.Name == "cpu" ? known with { At = Now.AddMinutes(-3) } : known)] }).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_who_set_the_number_are_one_too_many() =>
        Assert.Equal(ScalingVerdict.Refuse, Decide(Seen(4, 4, 90, 0, 10, 0) with { Owner = "HorizontalPodAutoscaler web" }).Verdict);

    [Fact]
    public void The_first_look_takes_nothing_away() =>
        Assert.Equal("cpu is 20% (target 50%): 3 would be enough, which has been watched for 0s of 10m.", ScalingPolicy.Decide(How, new(2, 10), Seen(6, 6, 20, 0, 10, 0), ScalingMemory.Empty).Decision.Why);

    [Fact]
    public void After_a_gap_between_looks_the_watch_begins_anew() =>
        Assert.Equal(ScalingVerdict.Wait, ScalingPolicy.Decide(How, new(2, 10), Seen(6, 6, 20, 0, 10, 0), Settled with { Wanted = [new(Now.AddMinutes(-5), 3)] }).Decision.Verdict);

    [Fact]
    public void What_was_changed_just_now_is_left_alone()
    {
        Assert.Equal(ScalingVerdict.Wait, ScalingPolicy.Decide(How, new(2, 10), Seen(6, 6, 20, 0, 10, 0), Settled.Changed(Now.AddMinutes(-1))).Decision.Verdict);
        Assert.Equal(ScalingVerdict.Wait, ScalingPolicy.Decide(How, new(2, 10), Seen(4, 4, 45, 0, 900, 0), Settled.Changed(Now.AddMinutes(-1))).Decision.Verdict);
        // A load that goes on growing is met at once.
        Assert.Equal(ScalingVerdict.Scale, ScalingPolicy.Decide(How, new(2, 10), Seen(4, 4, 90, 0, 900, 0), Settled.Changed(Now.AddMinutes(-1))).Decision.Verdict);
    }

    private static ScalingDecision Decide(ObservedScaling seen) => ScalingPolicy.Decide(How, new(2, 10), seen, Settled).Decision;

    private static (ScalingVerdict, int?, string) InShort(ScalingDecision decision) => (decision.Verdict, decision.To, decision.Why);

    private static ObservedScaling Seen(int replicas, int ready, double cpu, double backlog, double latency, double churn) =>
        new(replicas, ready, [new("cpu", cpu, Now), new("backlog", backlog, Now), new("latency", latency, Now), new("churn", churn, Now)], null, Now);
}
