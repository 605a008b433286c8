using PlatformOps.Platform.Certificates;

namespace PlatformOps.Platform.Tests.Certificates;

/// <summary>
/// The transition table of an authority, checked over every state that it can reach: two pods that each trust, serve and restart for themselves, steps that are lost before and after their effect, places that are
/// written one by one, looks that see nothing, and a run that may turn back at any moment.
/// </summary>
public sealed class AuthorityPolicyTests
{
    private const string OldPrint = "01d00000aaaa", NewPrint = "0e800000bbbb";
    private static readonly TimeSpan Settle = TimeSpan.FromHours(1);

    [Fact]
    public void No_reachable_state_has_a_pod_that_refuses_another_one_and_the_old_root_is_never_dropped_without_overlap()
    {
        var (reached, open) = (new HashSet<World>(), new Queue<World>([World.Start]));
        while (open.TryDequeue(out var world))
        {
            if (!reached.Add(world))
                continue;
            Check(world);
            foreach (var next in Following(world))
            {
                CheckStates(world, next);
                open.Enqueue(next);
            }
        }

        // That it has looked at something: both ends, the way back, and a pod in every state between.
        Assert.InRange(reached.Count, 50, 200_000);
        Assert.Contains(reached, world => world.OldRevoked);
        Assert.Contains(reached, world => world is { Returning: true, NewExists: false });
        Assert.Contains(reached, world => world.First.Trusts != world.Second.Trusts);
        Assert.Contains(reached, world => world.First.Serves != world.Second.Serves);
        foreach (var world in reached)
            Ends(world);
    }

    [Fact]
    public void Nothing_is_issued_before_every_pod_was_proved_to_trust_both()
    {
        var seen = Seen(World.Start with { NewExists = true, FirstPlace = Both, SecondPlace = Both, First = new(Both, Old), Second = new(Old, Old, Restarted: true) }, proved: false);
        var decision = AuthorityPolicy.Decide(seen, Progress(World.Start));
        Assert.Equal((AuthorityStep.Wait, "shop/Deployment/second"), (decision.Step, decision.About));
        Assert.Contains("second-0", decision.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_of_which_it_is_not_known_whom_it_trusts_stops_every_step_that_cannot_be_undone()
    {
        var dropped = World.Start with { NewExists = true, NewSigns = true, FirstPlace = New, SecondPlace = New, Leaf = New, First = new(New, New, Restarted: true), Second = new(New, New, Restarted: true) };
        Assert.Equal(AuthorityStep.Revoke, AuthorityPolicy.Decide(Seen(dropped, proved: true), Progress(dropped)).Step);
        var seen = Seen(dropped, proved: true);
        var blind = seen with { Consumers = [.. seen.Consumers.Select(consumer => consumer with { Pods = [consumer.Pods[0] with { AcceptsOld = null }] })] };
        Assert.Equal(AuthorityStep.Wait, AuthorityPolicy.Decide(blind, Progress(dropped)).Step);
        var believer = seen with { Consumers = [seen.Consumers[0], seen.Consumers[1] with { Pods = [seen.Consumers[1].Pods[0] with { AcceptsOld = true }] }] };
        Assert.Equal(AuthorityStep.Wait, AuthorityPolicy.Decide(believer, Progress(dropped)).Step);
    }

    [Theory]
    [InlineData(AuthorityStep.Activate)]
    [InlineData(AuthorityStep.Roll)]
    [InlineData(AuthorityStep.DropTrust)]
    [InlineData(AuthorityStep.RestoreTrust)]
    public void A_certificate_that_would_not_be_believed_stops_each_step_that_relies_on_it(AuthorityStep step)
    {
        var both = World.Start with { NewExists = true, FirstPlace = Both, SecondPlace = Both, First = new(Both, Old, Restarted: true), Second = new(Both, Old, Restarted: true) };
        var world = step switch
        {
            AuthorityStep.Activate => both,
            AuthorityStep.Roll => both with { NewSigns = true },
            AuthorityStep.DropTrust => both with { NewSigns = true, Leaf = New, First = both.First with { Serves = New }, Second = both.Second with { Serves = New } },
            _ => both with { Returning = true },
        };
        var seen = Seen(world, proved: true);
        Assert.Equal(step, AuthorityPolicy.Decide(seen, Progress(world)).Step);
        var (none, some) = (Array.Empty<string>(), new[] { "shop is not believed by Secret a/b." });
        var broken = step switch
        {
            AuthorityStep.DropTrust => new CrossValidation(none, some, none),
            AuthorityStep.RestoreTrust => new CrossValidation(none, none, some),
            _ => new CrossValidation(some, none, none),
        };
        var stopped = AuthorityPolicy.Decide(seen with { Validation = broken }, Progress(world));
        Assert.Equal(AuthorityStep.Stop, stopped.Step);
        Assert.StartsWith("shop is not believed by Secret a/b.", stopped.Why, StringComparison.Ordinal);
        // What was not validated is not taken to be believed; runs of before this was looked at go on as they began.
        Assert.Equal(AuthorityStep.Wait, AuthorityPolicy.Decide(seen with { Validation = null }, Progress(world)).Step);
        Assert.Equal(step, AuthorityPolicy.Decide(seen with { Validation = null }, Progress(world) with { Validates = false }).Step);
    }

    [Fact]
    public void Pods_that_serve_nothing_while_they_are_restarted_do_not_bring_a_dropped_root_back()
    {
        var world = World.Start with { NewExists = true, NewSigns = true, FirstPlace = New, SecondPlace = New, Leaf = New, First = new(Both, New), Second = new(New, New, Restarted: true) };
        var seen = Seen(world, proved: true);
        var restarting = seen with { Leaves = [seen.Leaves[0] with { Unserved = ["second-0: it has no address yet"] }] };
        Assert.Equal((AuthorityStep.Refresh, "shop/Deployment/first"), (AuthorityPolicy.Decide(restarting, Progress(world)).Step, AuthorityPolicy.Decide(restarting, Progress(world)).About));
        // Nor is the old one revoked meanwhile.
        var restarted = Seen(world with { First = new(New, New, Restarted: true) }, proved: true);
        Assert.Equal(AuthorityStep.Wait, AuthorityPolicy.Decide(restarted with { Leaves = restarting.Leaves }, Progress(world)).Step);
        Assert.Equal(AuthorityStep.Revoke, AuthorityPolicy.Decide(restarted, Progress(world)).Step);
    }

    [Fact]
    public void Who_is_to_take_up_roots_by_himself_and_does_not_is_restarted_when_he_has_had_time()
    {
        var world = World.Start with { NewExists = true, FirstPlace = Both, SecondPlace = Both, First = new(Both, Old, Restarted: true), Second = new(Old, Old) };
        var seen = Seen(world, proved: false);
        var reloads = seen with { Consumers = [seen.Consumers[0], seen.Consumers[1] with { Standing = RestartStanding.Reloads }] };
        Assert.Equal(AuthorityStep.Wait, AuthorityPolicy.Decide(reloads, Progress(world)).Step);
        var late = AuthorityPolicy.Decide(reloads, Progress(world) with { ReloadsLate = true });
        Assert.Equal((AuthorityStep.Refresh, "shop/Deployment/second"), (late.Step, late.About));
    }

    [Fact]
    public void Who_is_not_known_stops_it_at_any_time_and_is_named()
    {
        var seen = Seen(World.Start, proved: false);
        var stranger = seen with { Consumers = [.. seen.Consumers, new("shop/Pod/debug", Declared: false, RestartStanding.Old, "", false, [])] };
        var decision = AuthorityPolicy.Decide(stranger, Progress(World.Start));
        Assert.Equal((AuthorityStep.Stop, "shop/Pod/debug"), (decision.Step, decision.About));
        Assert.Equal(AuthorityStep.Prepare, AuthorityPolicy.Decide(stranger, Progress(World.Start) with { Excused = ["shop/Pod/debug"] }).Step);
    }

    [Fact]
    public void A_pod_that_keeps_the_old_certificate_is_rolled_again_and_the_old_root_stays()
    {
        var world = World.Start with { NewExists = true, NewSigns = true, FirstPlace = Both, SecondPlace = Both, Leaf = New, First = new(Both, New), Second = new(Both, Old) };
        var decision = AuthorityPolicy.Decide(Seen(world, proved: true), Progress(world));
        Assert.Equal(AuthorityStep.Roll, decision.Step);
        // When its own rotation has ended there is nothing to roll: somebody has to look at the pod.
        var seen = Seen(world, proved: true);
        var ended = AuthorityPolicy.Decide(seen with { Leaves = [seen.Leaves[0] with { Unfinished = false }] }, Progress(world));
        Assert.Equal(AuthorityStep.Wait, ended.Step);
        Assert.Contains("second-0", ended.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, AuthorityState.Prepared, AuthorityState.Active)]
    [InlineData(true, false, AuthorityState.Active, AuthorityState.Old)]
    [InlineData(true, true, AuthorityState.Active, AuthorityState.Tainted)]
    public void A_root_stands_where_the_facts_say(bool signs, bool dropped, AuthorityState next, AuthorityState old)
    {
        var world = World.Start with { NewExists = true, NewSigns = signs, FirstPlace = dropped ? New : Both, SecondPlace = dropped ? New : Both };
        var seen = Seen(world, proved: false);
        Assert.Equal((next, old), (AuthorityPolicy.StateOf(seen.Issuers[1], seen.Issuers[1], seen), AuthorityPolicy.StateOf(seen.Issuers[0], seen.Issuers[1], seen)));
    }

    [Fact]
    public void Finds_the_rotation_that_an_earlier_run_has_left_and_none_where_there_is_none()
    {
        Assert.Null(AuthorityPolicy.LeftBy(Seen(World.Start, false), "internal"));
        Assert.Equal("r", AuthorityPolicy.LeftBy(Seen(World.Start with { NewExists = true }, false), "internal"));
        Assert.Equal("r", AuthorityPolicy.LeftBy(Seen(World.Start with { NewExists = true, NewSigns = true }, false), "internal"));
        Assert.Null(AuthorityPolicy.LeftBy(Seen(World.Start with { NewExists = true, NewSigns = true, OldRevoked = true }, false), "internal"));
    }

    /// <summary>Whatever one pod serves, the other one believes; and what cannot be undone was done on proof.</summary>
    private static void Check(World world)
    {
        foreach (var (asks, serves) in new[] { (world.First, world.Second), (world.Second, world.First) })
            Assert.True((asks.Trusts & serves.Serves) != 0, $"{asks} refuses {serves} in {world}");
        if (world.OldRevoked)
            Assert.True(world.First is { Trusts: New, Serves: New } && world.Second is { Trusts: New, Serves: New }, $"revoked too early: {world}");
        if (((world.FirstPlace | world.Leaf | world.SecondPlace) & New) == 0 && world.NewSigns)
            Assert.Equal(Old, world.Leaf);
    }

    private static void CheckStates(World before, World after)
    {
        foreach (var root in new[] { 0, 1 })
        {
            var (was, seen) = (Seen(before, false), Seen(after, false));
            if (was.Issuers.Count <= root || seen.Issuers.Count <= root)
                continue;
            var (from, to) = (AuthorityPolicy.StateOf(was.Issuers[root], was.Issuers.ElementAtOrDefault(1), was), AuthorityPolicy.StateOf(seen.Issuers[root], seen.Issuers.ElementAtOrDefault(1), seen));
            Assert.True(from == to || AuthorityPolicy.MayFollow(from, to), $"{from} -> {to}: {before} -> {after}");
        }
    }

    /// <summary>With pods that do as they are told it comes to an end from anywhere.</summary>
    private static void Ends(World world)
    {
        for (var step = 0; step < 60; step++)
        {
            var decision = AuthorityPolicy.Decide(Seen(world, proved: true), Progress(world));
            if (decision.Step == AuthorityStep.Finish)
                return;
            world = decision.Step is AuthorityStep.Wait ? world with { First = Obeys(world.First, world.FirstPlace, world.Leaf), Second = Obeys(world.Second, world.SecondPlace, world.Leaf) } : Done(world, decision)[^1];
        }

        Assert.Fail($"It does not end: {world}");
    }

    /// <summary>Everything that may happen next: the run's step, lost or not, in halves or whole, seen or not; and pods that reload by themselves.</summary>
    private static IEnumerable<World> Following(World world)
    {
        if (!world.Returning && AuthorityPolicy.MayReturn(Seen(world, false), Progress(world)) && world.NewExists)
            yield return world with { Returning = true };
        foreach (var proved in new[] { false, true })
        {
            foreach (var next in Done(world, AuthorityPolicy.Decide(Seen(world, proved), Progress(world))))
                yield return next;
        }

        // The second pod's workload reloads whom to trust by itself; the first one reads it when it starts.
        yield return world with { Second = world.Second with { Trusts = world.SecondPlace } };
    }

    /// <summary>What a step may leave: the last one is what it is to leave.</summary>
    private static List<World> Done(World world, AuthorityDecision decision) => decision.Step switch
    {
        AuthorityStep.Prepare => [world with { NewExists = true }],
        AuthorityStep.AddTrust => [world with { FirstPlace = Both, First = Stale(world.First) }, world with { FirstPlace = Both, SecondPlace = Both, First = Stale(world.First), Second = Stale(world.Second) }],
        AuthorityStep.DropTrust => [world with { FirstPlace = New, First = Stale(world.First) }, world with { FirstPlace = New, SecondPlace = New, First = Stale(world.First), Second = Stale(world.Second) }],
        AuthorityStep.RestoreTrust => [world with { FirstPlace = Old, First = Stale(world.First) }, world with { FirstPlace = Old, SecondPlace = Old, First = Stale(world.First), Second = Stale(world.Second) }],
        AuthorityStep.Refresh when decision.About!.EndsWith("first", StringComparison.Ordinal) => [world with { First = new(world.FirstPlace, Trusted(world.First, world.Leaf), Restarted: true) }],
        AuthorityStep.Refresh => [world with { Second = new(world.SecondPlace, Trusted(world.Second, world.Leaf), Restarted: true) }],
        AuthorityStep.Activate => [world with { NewSigns = true }],
        AuthorityStep.Deactivate => [world with { NewSigns = false }],
        AuthorityStep.Roll when (world.Leaf == New) != world.NewSigns => [world with { Leaf = world.NewSigns ? New : Old }, Rolled(world)],
        AuthorityStep.Roll => [world with { First = world.First with { Serves = world.Leaf } }, Rolled(world)],
        AuthorityStep.Revoke => [world with { OldRevoked = true }],
        AuthorityStep.Discard => [world with { NewExists = false }],
        _ => [world],
    };

    private static World Rolled(World world)
    {
        var leaf = world.NewSigns ? New : Old;
        return world with { Leaf = leaf, First = new(world.FirstPlace, leaf, Restarted: true), Second = new(world.SecondPlace, leaf, Restarted: true) };
    }

    private static Pod Obeys(Pod pod, int place, int leaf) => new(place, leaf, pod.Restarted);

    private static Pod Stale(Pod pod) => pod with { Restarted = false };

    /// <summary>A pod that starts serves what its Secret holds.</summary>
    private static int Trusted(Pod pod, int leaf) => pod.Serves == leaf ? pod.Serves : leaf;

    private static AuthorityProgress Progress(World world) => new("internal", "r", Settle, DateTimeOffset.UnixEpoch, [], world.Returning);

    /// <param name="proved">Whether serving has been proved for long.</param>
    private static ObservedAuthority Seen(World world, bool proved)
    {
        List<AuthorityIssuer> issuers = [new("1", "first", OldPrint, DateTimeOffset.MaxValue, !world.NewSigns, world.OldRevoked)];
        if (world.NewExists)
            issuers.Add(new("2", AuthorityPolicy.NameOf("internal", "r", OldPrint), NewPrint, DateTimeOffset.MaxValue, world.NewSigns, false));
        List<string> unserved = [.. new[] { (Name: "first-0", Pod: world.First), (Name: "second-0", Pod: world.Second) }.Where(pod => pod.Pod.Serves != world.Leaf).Select(pod => $"{pod.Name}: serves another one")];
        return new(
            issuers, [new("first", Prints(world.FirstPlace)), new("second", Prints(world.SecondPlace))], [Consumer("first", world.First), Consumer("second", world.Second)],
            [new("shop", world.Leaf == New ? NewPrint : OldPrint, unserved, unserved.Count > 0, false)], null, DateTimeOffset.UnixEpoch + (proved ? Settle : TimeSpan.Zero))
        {
            Validation = world.NewExists ? new(Refused(world.FirstPlace & world.SecondPlace), Refused(New), Refused(Old)) : null,
        };

        IReadOnlyList<string> Refused(int named) => (named & world.Leaf) == 0 ? ["shop is not believed."] : [];
    }

    private static TrustingConsumer Consumer(string name, Pod pod) => new(
        $"shop/Deployment/{name}", true, pod.Restarted ? RestartStanding.Restarted : RestartStanding.Old, "", true, [new($"{name}-0", (pod.Trusts & New) != 0, (pod.Trusts & Old) != 0, $"trusts {pod.Trusts}")]);

    private static string[] Prints(int trusts) => [.. new[] { (Old, OldPrint), (New, NewPrint) }.Where(root => (trusts & root.Item1) != 0).Select(root => root.Item2)];

    private const int Old = 1, New = 2, Both = 3;

    /// <param name="Trusts">Roots that it has loaded.</param>
    /// <param name="Serves">The root of the certificate that it serves.</param>
    /// <param name="Restarted">For what its place names now.</param>
    private sealed record Pod(int Trusts, int Serves, bool Restarted = false);

    private sealed record World(bool NewExists, bool NewSigns, bool OldRevoked, bool Returning, int FirstPlace, int SecondPlace, int Leaf, Pod First, Pod Second)
    {
        public static World Start { get; } = new(false, false, false, false, Old, Old, Old, new(Old, Old), new(Old, Old));
    }
}
