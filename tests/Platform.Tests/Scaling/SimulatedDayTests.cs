using CsCheck;
using PlatformOps.Platform.Scaling;
using static PlatformOps.Platform.Tests.Scaling.SimulatedService;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>Days of load: whatever it does, the number of replicas follows it and does not swing.</summary>
public sealed class SimulatedDayTests
{
    private const double Capacity = 10;

    private static readonly ScaleRange Range = new(1, 40);

    private static readonly ScalingDefinition How = new(
        "replicas", new("Deployment", "web", "shop"),
        [new("cpu", SignalKind.Average, "cpu", 60, "%"), new("backlog", SignalKind.Total, "backlog", 600)],
        Stabilize: TimeSpan.FromMinutes(10), Cooldown: TimeSpan.FromMinutes(2), StepOut: 100, StepIn: 25);

    /// <summary>A wave with noise and surges, as the load of people is: all of it within what 40 replicas can carry at their target.</summary>
    private static readonly Gen<Day> Days =
        from low in Gen.Double[5, 60]
        from high in Gen.Double[60, 150]
        from noise in Gen.Double[0, 0.05]
        from surges in Gen.Select(Gen.Double[0, 80_000], Gen.Double[600, 5400], Gen.Double[10, 80]).List[0, 3]
        from seed in Gen.Int[0, 1_000_000]
        select new Day(low, high, noise, [.. surges.Select(surge => new Surge(surge.Item1, surge.Item1 + surge.Item2, surge.Item3))], seed);

    [Fact]
    public void The_load_is_served_and_the_number_does_not_swing() => Each(Days, 60, day =>
    {
        var service = Live(day, out _);

        // Twice the start of a replica for each of the steps of a surge, with what waited meanwhile, is as good as it gets: an hour of a day with three surges.
        Assert.True(service.BehindSeconds <= 900 * (1 + day.Surges.Count), $"{service.BehindSeconds} s behind on {day}");
        Assert.All(service.Changes, change => Assert.InRange(change.To, Range.Minimum, Range.Maximum));
        foreach (var (before, after) in service.Changes.Zip(service.Changes.Skip(1)))
        {
            // A replica that came stays for the stabilisation window at least.
            if (before.To > before.From && after.To < after.From)
                Assert.True(after.At - before.At >= How.Stabilize, $"{after} came too soon after {before} on {day}");
        }
    });

    [Fact]
    public void A_load_that_stays_is_met_and_then_nothing_is_ever_added_again() => Each(Gen.Select(Gen.Double[1, 230], Gen.Int[1, 40], Gen.Double[0, 0.04], Gen.Int[0, 1_000_000]), 40, drawn =>
    {
        var (load, replicas, noise, seed) = drawn;
        var service = Live(new(load, load, noise, [], seed), out _, replicas);

        // Noise may hide for hours that one fewer is enough; that one is not missed afterwards.
        Assert.False(service.Changes.Exists(change => change.To > change.From && (change.At > Midnight.AddHours(1) || service.Changes.Exists(before => before.At < change.At && before.To < before.From))),
            $"{string.Join("; ", service.Changes)} at a load of {load} with {noise:P0} of noise");
    });

    [Fact]
    public void What_is_unknown_takes_no_replica_away() => Each(Gen.Select(Days, Gen.Double[0.05, 1], Gen.Bool), 30, drawn =>
    {
        var (day, often, stale) = drawn;
        var random = new Random(day.Seed);
        var unknown = new HashSet<DateTimeOffset>();
        var service = Live(day, out _, through: (reading, now) =>
        {
            if (random.NextDouble() > often)
                return reading;
            unknown.Add(now);
            return stale ? reading with { At = now - ScalingPolicy.FreshFor - TimeSpan.FromSeconds(1) } : reading with { Value = null, At = null, Trouble = "Prometheus does not answer." };
        });

        Assert.DoesNotContain(service.Changes, change => change.To < change.From && unknown.Contains(change.At));
        // Nor is what was unknown a while ago taken for little load now.
        Assert.DoesNotContain(service.Changes, change => change.To < change.From && unknown.Any(at => at <= change.At && change.At - at < How.Stabilize));
    });

    [Fact]
    public void Every_decision_of_a_day_says_why()
    {
        Live(new(20, 150, 0.05, [new(30_000, 33_000, 80)], 1), out var decisions);

        Assert.Equal(2880, decisions.Count);
        Assert.All(decisions, decision => Assert.Matches(@"^\S.*\.$", decision.Why));
        Assert.All(decisions.Where(decision => decision.Verdict == ScalingVerdict.Scale), decision => Assert.Matches(@"^(cpu|backlog) is [0-9.]+%? \(target", decision.Why));
    }

    /// <summary>The same days in every run: how far behind a day may be was found by trying, so that another one might be a little farther.</summary>
    private static void Each<T>(Gen<T> drawn, int count, Action<T> check)
    {
        for (var number = 0u; number < count; number++)
            check(drawn.Generate(new PCG(number, 4711), null, out _));
    }

    private static SimulatedService Live(Day day, out List<ScalingDecision> decisions, int replicas = 3, Func<SignalReading, DateTimeOffset, SignalReading>? through = null)
    {
        var service = new SimulatedService(day.Load(), Capacity, replicas);
        var memory = ScalingMemory.Empty;
        decisions = [];
        for (var now = Midnight; now < Midnight.AddDays(1); now += Every)
        {
            var outlook = ScalingPolicy.Decide(How, Range, service.Look(now, reading => through?.Invoke(reading, now) ?? reading), memory);
            memory = outlook.Memory;
            decisions.Add(outlook.Decision);
            if (outlook.Decision is { Verdict: ScalingVerdict.Scale, To: { } to })
            {
                service.Scale(to, now);
                memory = memory.Changed(now);
            }

            service.Pass(now);
        }

        return service;
    }

    private sealed record Surge(double From, double Until, double More);

    private sealed record Day(double Low, double High, double Noise, List<Surge> Surges, int Seed)
    {
        public Func<double, double> Load()
        {
            // By the look, so that whoever asks twice gets the same.
            var random = new Random(Seed);
            var noise = Enumerable.Range(0, 2881).Select(_ => 1 + (Noise * ((2 * random.NextDouble()) - 1))).ToList();
            return second =>
            {
                var wave = Low + ((High - Low) * (1 - Math.Cos(2 * Math.PI * second / 86_400)) / 2);
                return (wave + Surges.Where(surge => second >= surge.From && second < surge.Until).Select(surge => surge.More).DefaultIfEmpty(0).Max()) * noise[(int)(second / Every.TotalSeconds)];
            };
        }
    }
}
