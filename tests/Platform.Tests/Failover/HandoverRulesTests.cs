using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

public sealed class HandoverRulesTests
{
    private const string East = "east", West = "west";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static TheoryData<ActiveNamespace?, ActiveNamespace?, HandoverRun, double?, double?, Type, string> Cases() => new()
    {
        { In(East, 1), In(East, 1), HandoverRun.None, null, null, typeof(HandoverDecision.Stayed), "no handover is under way" },
        { In(East, 1), In(East, 1), HandoverRun.Running, null, null, typeof(HandoverDecision.Wait), "west catches up; east serves" },
        { In(East, 1), In(East, 1), HandoverRun.Unknown, null, null, typeof(HandoverDecision.Wait), "does not say" },
        { In(West, 2), In(West, 2), HandoverRun.Running, null, null, typeof(HandoverDecision.Moved), "active in west since failover version 2" },
        // One alone is never believed.
        { null, In(West, 2), HandoverRun.Unknown, null, null, typeof(HandoverDecision.Wait), "east does not answer" },
        { In(West, 2), null, HandoverRun.None, null, null, typeof(HandoverDecision.Wait), "west does not answer" },
        { null, null, HandoverRun.Unknown, 90, null, typeof(HandoverDecision.Wait), "east does not answer" },
        // Nobody serves it, since the old side has handed over and the new one has not heard of it.
        { In(West, 2), In(East, 1), HandoverRun.None, 3, 4, typeof(HandoverDecision.Wait), "replication carries it over" },
        { In(West, 2), In(East, 1), HandoverRun.None, 6, 6, typeof(HandoverDecision.Activate), "west is told that it is west" },
        // Both serve it, since somebody has moved it at the new side alone.
        { In(East, 1), In(West, 2), HandoverRun.None, null, 6, typeof(HandoverDecision.Activate), "east is told that it is west" },
        { In(West, 2), In(West, 12), HandoverRun.None, null, 60, typeof(HandoverDecision.Wait), "See that both replicate" },
        { In(East, 2), In(West, 2), HandoverRun.None, null, 60, typeof(HandoverDecision.Wait), "that cannot be" },
        { Shut(East, 1), In(East, 1), HandoverRun.Running, 5, null, typeof(HandoverDecision.Wait), "closed for its handover" },
        { Shut(East, 1), In(East, 1), HandoverRun.Running, 20, null, typeof(HandoverDecision.StopRun), "20.0 s of 30.0 s" },
        { Shut(East, 1), In(East, 1), HandoverRun.None, 20, null, typeof(HandoverDecision.Wait), "closed for its handover" },
        { Shut(East, 1), In(East, 1), HandoverRun.None, 30, null, typeof(HandoverDecision.Open), "opened where it was" },
        { Shut(East, 1), In(East, 1), HandoverRun.Unknown, 30, null, typeof(HandoverDecision.Open), "opened where it was" },
        // That the other side is gone keeps nothing closed.
        { Shut(East, 1), null, HandoverRun.Running, 30, null, typeof(HandoverDecision.Open), "opened where it was" },
        { In(West, 2), Shut(West, 2), HandoverRun.None, 30, null, typeof(HandoverDecision.Open), "opened where it was" },
        // Opened where it was it would be active twice.
        { Shut(East, 1), In(West, 2), HandoverRun.None, null, null, typeof(HandoverDecision.Activate), "east is told so" },
        { Shut(West, 2), In(West, 2), HandoverRun.Running, null, null, typeof(HandoverDecision.Open), "active in west already" },
        { Shut(East, 1), In(West, 2), HandoverRun.Running, 30, null, typeof(HandoverDecision.Activate), "east is told so" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_done_follows_from_what_both_clusters_say(ActiveNamespace? old, ActiveNamespace? next, HandoverRun run, double? shut, double? apart, Type expected, string reason)
    {
        var decision = HandoverRules.Decide(new()
        {
            From = East,
            To = West,
            Old = old,
            New = next,
            Run = run,
            ShutFor = shut is { } closed ? TimeSpan.FromSeconds(closed) : null,
            ApartFor = apart is { } differing ? TimeSpan.FromSeconds(differing) : null,
            Bound = Bound,
        });
        Assert.IsType(expected, decision);
        Assert.Contains(reason, decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_told_is_told_to_the_side_that_does_not_know()
    {
        Assert.Equal((West, West), Told(In(West, 2), In(East, 1)));
        Assert.Equal((East, West), Told(In(East, 1), In(West, 2)));
        Assert.Equal((East, West), Told(Shut(East, 1), In(West, 2)));
        Assert.Equal((West, East), Told(In(East, 11), In(West, 2)));

        static (string, string) Told(ActiveNamespace old, ActiveNamespace next)
        {
            var told = Assert.IsType<HandoverDecision.Activate>(HandoverRules.Decide(new() { From = East, To = West, Old = old, New = next, Run = HandoverRun.None, ShutFor = null, ApartFor = Bound, Bound = Bound }));
            return (told.At, told.Cluster);
        }
    }

    [Fact]
    public void The_closed_time_is_counted_over_silence_and_by_the_longest()
    {
        var start = new DateTimeOffset(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);
        HandoverSight See(HandoverSight known, ActiveNamespace? old, ActiveNamespace? next, int seconds) => known.See(East, West, old, next, start.AddSeconds(seconds));
        var sight = See(new(), In(East, 1), In(East, 1), 0);
        Assert.Equal(new HandoverSight(), sight);
        sight = See(sight, Shut(East, 1), In(East, 1), 10);
        sight = See(sight, null, In(East, 1), 15);
        Assert.Equal(start.AddSeconds(10), sight.ShutSince);
        // The old side has handed over, and the new one does not know yet: nobody serves it still.
        sight = See(sight, In(West, 2), In(East, 1), 17);
        Assert.Equal((start.AddSeconds(10), start.AddSeconds(17)), (sight.ShutSince, sight.ApartSince));
        sight = See(sight, In(West, 2), In(West, 2), 18);
        Assert.Equal((null, null, 8.0), (sight.ShutSince, sight.ApartSince, sight.ShutSeconds));
        sight = See(See(sight, Shut(East, 1), null, 30), In(East, 1), null, 31);
        Assert.Equal((null, 8.0), (sight.ShutSince, sight.ShutSeconds));
    }

    /// <summary>A server that dies, is ended, hangs or succeeds at any of its steps, replication that is late or loses its message, and a side that is away for a while.</summary>
    [Fact]
    public void Whatever_happens_it_is_open_again_within_the_bound_and_both_sides_agree_in_the_end()
    {
        for (var seed = 1; seed <= 1_000; seed++)
            new SimulatedHandover(seed).Run();
    }

    private static ActiveNamespace In(string cluster, long version) => new(cluster, [East, West], version);

    private static ActiveNamespace Shut(string cluster, long version) => In(cluster, version) with { Closed = true };

    /// <summary>Ticks of a quarter of a second, two who watch out of step with each other, and one of them dead for a while.</summary>
    private sealed class SimulatedHandover(int seed)
    {
        private const int TicksPerSecond = 4;

        private readonly Random random = new(seed);
        private readonly DateTimeOffset start = new(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);
        private ActiveNamespace old = In(East, 1), next = In(East, 1);
        private bool running = true;
        private int step;
        private int flipAt = -1;
        private bool opened;

        public void Run()
        {
            // The server's workflow ends for good at one of its steps, or hangs there, or goes through.
            var (fate, endsAt) = (random.Next(3), random.Next(4));
            var replicates = random.Next(3) > 0;
            var (away, awayFrom, awayUntil) = (random.Next(3), random.Next(200), random.Next(400));
            var deadFrom = random.Next(120);
            // Somebody loses patience in some, and moves it at the new side alone.
            var forcedAt = random.Next(4) == 0 ? random.Next(1, 200) : -1;
            var sights = new HandoverSight[2];
            sights[0] = sights[1] = new();
            int? shutSince = null;
            for (var tick = 0; tick < 900; tick++)
            {
                var now = start.AddSeconds((double)tick / TicksPerSecond);
                Server(tick, fate, endsAt, silent: away == 1);
                if (tick == forcedAt && next.Cluster == East)
                    next = In(West, next.FailoverVersion + 1);
                if (replicates && tick % 6 == 0)
                    Replicate();
                var isAway = away > 0 && tick >= awayFrom && tick < awayUntil;
                for (var watcher = 0; watcher < 2; watcher++)
                {
                    // The first one is dead for five seconds; what it had seen is in its heartbeats.
                    if ((tick + watcher) % 2 == 0 || (watcher == 0 && tick >= deadFrom && tick < deadFrom + 20))
                        continue;
                    Watch(ref sights[watcher], isAway ? away : 0, now, tick);
                }

                var served = (old is { Closed: false, Cluster: East }) || (next is { Closed: false, Cluster: West });
                shutSince = served ? null : shutSince ?? tick;
                // A side that is away cannot be told anything: the bound counts from when it is back.
                if (isAway && shutSince is not null)
                    shutSince = tick;
                Assert.True(shutSince is not { } since || tick - since <= (Bound.TotalSeconds + 2) * TicksPerSecond, $"Seed {seed}: closed for {(tick - shutSince) / TicksPerSecond} s at {now:mm:ss}: {old} / {next}.");
            }

            Assert.True(!old.Closed && !next.Closed && (old.Cluster, old.FailoverVersion) == (next.Cluster, next.FailoverVersion), $"Seed {seed}: {old} / {next}.");
        }

        /// <summary>What it does by itself: close, drain, make active, open. The call that makes it active may be late.</summary>
        private void Server(int tick, int fate, int endsAt, bool silent)
        {
            if (flipAt == tick && old.Cluster == East)
            {
                // What was opened serves: nothing that had begun before takes it away then, unless nobody could end it.
                Assert.True(silent || !opened, $"Seed {seed}, {tick}: moved after it was opened.");
                old = In(West, old.FailoverVersion + 1);
            }

            if (!running || random.Next(8) > 0 || (fate == 1 && step == endsAt))
                return;
            if (fate == 0 && step == endsAt)
            {
                running = false;
                return;
            }

            step++;
            if (step == 1)
                old = old with { Closed = true };
            else if (step == 3)
                flipAt = tick + random.Next(1, 8 * TicksPerSecond);
            else if (step == 4)
            {
                old = old with { Closed = false };
                running = false;
            }
        }

        private void Replicate()
        {
            if (old.FailoverVersion > next.FailoverVersion)
                next = old with { Closed = false };
            else if (next.FailoverVersion > old.FailoverVersion)
                old = next with { Closed = false };
        }

        private void Watch(ref HandoverSight sight, int away, DateTimeOffset now, int tick)
        {
            var (seesOld, seesNew) = (away == 1 ? null : old, away == 2 ? null : next);
            sight = sight.See(East, West, seesOld, seesNew, now);
            var decision = HandoverRules.Decide(new()
            {
                From = East,
                To = West,
                Old = seesOld,
                New = seesNew,
                Run = away == 1 ? HandoverRun.Unknown : running ? HandoverRun.Running : HandoverRun.None,
                ShutFor = now - sight.ShutSince,
                ApartFor = now - sight.ApartSince,
                Bound = Bound,
            });
            if (decision is HandoverDecision.Moved or HandoverDecision.Stayed)
                Assert.True(old.Cluster == next.Cluster && !old.Closed && !next.Closed, $"Seed {seed}, {tick}: {decision}, and {old} / {next}.");
            if (decision is HandoverDecision.StopRun)
                running = false;
            if (decision is HandoverDecision.Open { At: var at })
            {
                Assert.False(at == East && seesNew is { Closed: false } && next.Cluster == West && next.FailoverVersion > old.FailoverVersion, $"Seed {seed}, {tick}: opened where it was, and west serves.");
                opened = true;
                old = at == East ? old with { Closed = false } : old;
                next = at == West ? next with { Closed = false } : next;
            }

            if (decision is HandoverDecision.Activate { At: var told, Cluster: var cluster })
            {
                var version = Math.Max(old.FailoverVersion, next.FailoverVersion);
                old = told == East ? In(cluster, version) : old;
                next = told == West ? In(cluster, version) : next;
            }
        }
    }
}
