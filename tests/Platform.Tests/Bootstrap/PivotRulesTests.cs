using PlatformOps.Platform.Bootstrap;

namespace PlatformOps.Platform.Tests.Bootstrap;

/// <summary>A move from every state in which it can be left, forward and back.</summary>
public class PivotRulesTests
{
    private static readonly DateTimeOffset Closed = new(2026, 3, 1, 3, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void From_every_state_it_leads_to_one_active_cluster_with_all_of_the_work(bool movedBefore)
    {
        var forward = Walk(Start(movedBefore), PivotDirection.Forward);
        Assert.Equal(17, forward.Count);
        foreach (var state in forward)
        {
            AssertMoved(Walk(state, PivotDirection.Forward)[^1]);
            if (state.Source.Says.Role == BootstrapRole.HandedOver)
            {
                Assert.Contains("no way back", Assert.IsType<PivotDecision.Refuse>(PivotRules.Decide(state with { Direction = PivotDirection.Back })).Reason, StringComparison.Ordinal);
                continue;
            }

            foreach (var (index, returning) in Walk(state, PivotDirection.Back).Index())
            {
                var back = Walk(returning, PivotDirection.Back)[^1];
                AssertAsBefore(back, movedBefore);
                AssertMoved(Walk(back, PivotDirection.Forward)[^1]);
                // A command that knows nothing of the abort does not go on against it.
                if (returning.Source.Says.Role == BootstrapRole.Returning)
                    Assert.IsType<PivotDecision.Refuse>(PivotRules.Decide(returning with { Direction = PivotDirection.Forward }));
                else if (index > 0)
                    AssertMoved(Walk(returning, PivotDirection.Forward)[^1]);
            }
        }
    }

    [Fact]
    public void What_was_moved_can_be_moved_back()
    {
        var there = Walk(Start(movedBefore: false), PivotDirection.Forward)[^1];

        var home = Walk(there with { Source = there.Target, Target = there.Source }, PivotDirection.Forward)[^1];

        AssertMoved(home);
        Assert.Equal((3, BootstrapRole.HandedOver), (home.Target.Says.Epoch, home.Source.Says.Role));
        var refused = Assert.IsType<PivotDecision.Refuse>(PivotRules.Decide(home with { Target = home.Target with { Name = "third", NamespaceId = "t" } }));
        Assert.Contains("was moved to", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_somebody_changes_at_the_source_meanwhile_is_what_is_moved()
    {
        foreach (var state in Walk(Start(movedBefore: false), PivotDirection.Forward).Where(state => state.Source.Says.Role == BootstrapRole.HandingOver))
        {
            var changed = state with
            {
                Source = state.Source with
                {
                    Schedules = [.. state.Source.Schedules.Where(schedule => schedule.Id != "backup/production/temporal"), new("made-meanwhile", Paused: false)],
                    Standing = [new("failover/staging", "r9", Suspended: false)],
                },
            };

            var end = Walk(changed, PivotDirection.Forward)[^1];

            Assert.Equal(["drift/production", "made-meanwhile"], end.Target.Schedules.Select(schedule => schedule.Id).Order(StringComparer.Ordinal));
            Assert.Equal(["failover/staging"], end.Target.Standing.Select(run => run.Id));
            Assert.Empty(end.Source.Work);
        }
    }

    [Fact]
    public void Runs_that_end_by_themselves_are_waited_for_before_anything_and_after_the_source_is_closed()
    {
        var start = Start(movedBefore: false);
        var waiting = Assert.IsType<PivotDecision.Wait>(PivotRules.Decide(start with { Source = start.Source with { Passing = ["provision/production"] } }));
        Assert.Equal(["provision/production"], waiting.For);

        foreach (var state in Walk(start, PivotDirection.Forward).Where(state => state.Source.Says.Role == BootstrapRole.HandingOver))
        {
            var (steps, end) = PivotRules.Plan(state with { Source = state.Source with { Passing = ["drift/production"] } });
            Assert.Equal(["drift/production"], Assert.IsType<PivotDecision.Wait>(end).For);
            Assert.All(steps, step => Assert.IsType<PivotStep.Hold>(step));
        }
    }

    [Fact]
    public void Handing_over_waits_until_lists_are_true_and_opening_until_workers_are_gone()
    {
        var states = Walk(Start(movedBefore: false), PivotDirection.Forward);
        var (before, after) = (states.Last(state => state.Source.Says.Role == BootstrapRole.HandingOver), states.First(state => state.Source.Says.Role == BootstrapRole.HandedOver));

        Assert.Equal(TimeSpan.FromSeconds(3), Assert.IsType<PivotDecision.Settle>(PivotRules.Decide(before with { Unchanged = TimeSpan.FromSeconds(2.9) })).For);
        Assert.Equal(TimeSpan.FromSeconds(10), Assert.IsType<PivotDecision.Settle>(PivotRules.Decide(after with { Unchanged = TimeSpan.FromSeconds(9.9) })).For);
        Assert.Equal(Closed, Assert.IsType<PivotStep.Write>(Assert.IsType<PivotDecision.Act>(PivotRules.Decide(before)).Step).Record!.Since);
    }

    [Fact]
    public void What_was_begun_at_the_source_after_it_had_handed_over_is_named_and_not_removed()
    {
        var end = Walk(Start(movedBefore: false), PivotDirection.Forward)[^1];

        var strays = Assert.IsType<PivotDecision.Wait>(PivotRules.Decide(end with
        {
            Source = end.Source with { Schedules = [new("made-later", Paused: false)], Standing = [new("failover/production", "r7", Suspended: false)], Passing = ["provision/staging"] },
        }));

        Assert.Equal(["schedule made-later", "run failover/production", "run provision/staging"], strays.For);
    }

    [Theory]
    [InlineData("itself", "the same namespace")]
    [InlineData("active", "is an active bootstrap cluster itself")]
    [InlineData("work", "has work of its own: schedule theirs")]
    [InlineData("expects another", "expects the work of elsewhere")]
    [InlineData("another type", "search attribute Region of type Text instead of Keyword")]
    [InlineData("no source", "does not exist")]
    [InlineData("target of another", "is not active: it expects the work of elsewhere")]
    public void It_refuses(string what, string because)
    {
        var start = Start(movedBefore: false);
        var facts = what switch
        {
            "itself" => start with { Target = start.Target with { NamespaceId = start.Source.NamespaceId } },
            "active" => start with { Target = start.Target with { NamespaceId = "b", Record = new(BootstrapRole.Active, 4) } },
            "work" => start with { Target = start.Target with { NamespaceId = "b", Schedules = [new("theirs", false)] } },
            "expects another" => start with { Target = start.Target with { NamespaceId = "b", Record = new(BootstrapRole.Expecting, 0, "pivot-2-0", 2, "elsewhere") } },
            "another type" => start with { Target = start.Target with { NamespaceId = "b", Attributes = new Dictionary<string, string> { ["Region"] = "Text" } } },
            "no source" => start with { Source = new() { Name = "source" } },
            _ => start with { Source = start.Source with { Record = new(BootstrapRole.Expecting, 0, "pivot-2-0", 2, "elsewhere") } },
        };

        Assert.Contains(because, Assert.IsType<PivotDecision.Refuse>(PivotRules.Decide(facts)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("schedule")]
    [InlineData("run")]
    public void What_others_put_at_the_target_meanwhile_stops_it(string what)
    {
        foreach (var state in Walk(Start(movedBefore: false), PivotDirection.Forward).Where(state => state.Source.Says.Role == BootstrapRole.HandingOver))
        {
            var target = what == "run"
                ? state.Target with { Standing = [new("failover/production", "r8", Suspended: false)] }
                : state.Target with { Schedules = [.. state.Target.Schedules, new("theirs", Paused: false)] };
            Assert.Contains("has not brought there", Assert.IsType<PivotDecision.Refuse>(PivotRules.Plan(state with { Target = target }).End).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_targets_are_never_moved_to_at_once()
    {
        foreach (var state in Walk(Start(movedBefore: false), PivotDirection.Forward).Where(state => state.Source.Says.Role == BootstrapRole.HandingOver))
        {
            var other = new BootstrapSight { Name = "other", NamespaceId = "o" };
            Assert.Contains("is being moved to target", Assert.IsType<PivotDecision.Refuse>(PivotRules.Decide(state with { Target = other })).Reason, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("weekly, see the wiki [moving: no]", false)]
    public void A_mark_gives_the_note_back(string note, bool runs)
    {
        foreach (var taken in new DateTimeOffset?[] { null, Closed.AddMilliseconds(250) })
        {
            var mark = new PivotMark("pivot-2-abc", runs, taken);
            Assert.Equal((mark, note), PivotMark.Read(mark.Before(note)));
            Assert.Equal((null, note), PivotMark.Read(note));
        }
    }

    [Fact]
    public void Only_what_fell_due_while_nobody_acted_is_made_up_for()
    {
        var (runs, now, year) = (new PivotMark("pivot-2-abc", Runs: true), Closed.AddMinutes(10), TimeSpan.FromDays(365));

        Assert.Equal(Closed, runs.Missed(Closed, acted: null, year, now));
        Assert.Equal(Closed, runs.Missed(Closed, Closed.AddHours(-1), year, now));
        Assert.Equal(Closed.AddSeconds(5.5), (runs with { Taken = Closed.AddSeconds(5) }).Missed(Closed, acted: null, year, now));
        Assert.Equal(Closed.AddMinutes(9), runs.Missed(Closed, acted: null, TimeSpan.FromMinutes(1), now));
        Assert.Null(runs.Missed(Closed, acted: now, year, now));
        Assert.Null((runs with { Runs = false }).Missed(Closed, acted: null, year, now));
        Assert.Null(runs.Missed(closed: null, acted: null, year, now));
    }

    private static PivotFacts Start(bool movedBefore) => new(
        PivotDirection.Forward,
        new()
        {
            Name = "source",
            NamespaceId = "a",
            RecordedAt = Closed,
            Attributes = new Dictionary<string, string> { ["Region"] = "Keyword" },
            Schedules = [new("drift/production", Paused: false), new("backup/production/temporal", Paused: true)],
            Standing = [new("failover/production", "r1", Suspended: false)],
        },
        movedBefore
            ? new() { Name = "target", NamespaceId = "b", Record = new(BootstrapRole.HandedOver, 1, Peer: "source") }
            : new() { Name = "target" },
        TimeSpan.MaxValue,
        PivotTiming.Default);

    /// <summary>Every state on the way, the first and the last included; the rules hold in each.</summary>
    private static List<PivotFacts> Walk(PivotFacts start, PivotDirection direction)
    {
        List<PivotFacts> states = [start with { Direction = direction }];
        while (PivotRules.Decide(states[^1]) is PivotDecision.Act { Step: var step })
        {
            states.Add(PivotOutlook.After(step, states[^1]));
            AssertSafe(states[^1]);
            Assert.True(states.Count < 100, "It does not come to an end.");
        }

        Assert.IsType<PivotDecision.Done>(PivotRules.Decide(states[^1]));
        return states;
    }

    private static void AssertSafe(PivotFacts state)
    {
        var (source, target) = (state.Source, state.Target);
        Assert.False(source.Says.TakesWork && target.Record is { TakesWork: true }, "Workers take work from both.");
        Assert.False(source.Schedules.Any(schedule => !schedule.Paused && target.Schedules.Any(copy => copy.Id == schedule.Id && !copy.Paused)), "A schedule runs in both.");
        // Nobody takes work from a cluster that has some of the work, unless it is the active one.
        Assert.False(PivotRules.Active(source.Record) == PivotSide.Source && target.Work.Count > 0 && target.Says.TakesWork, "The target works already.");
        Assert.All(target.Schedules, copy => Assert.True(copy.Paused || target.Says.TakesWork, "A schedule runs at a target where nobody takes work."));
    }

    private static void AssertMoved(PivotFacts end)
    {
        Assert.Equal((PivotSide.Target, BootstrapRole.Active, BootstrapRole.HandedOver), (PivotRules.Active(end.Source.Record), end.Target.Says.Role, end.Source.Says.Role));
        AssertWorks(end.Target);
        Assert.Empty(end.Source.Work);
    }

    private static void AssertAsBefore(PivotFacts end, bool movedBefore)
    {
        Assert.Equal((PivotSide.Source, BootstrapRole.Active, movedBefore), (PivotRules.Active(end.Source.Record), end.Source.Says.Role, end.Target.Record is { Role: BootstrapRole.HandedOver }));
        AssertWorks(end.Source);
        Assert.Empty(end.Target.Work);
    }

    private static void AssertWorks(BootstrapSight sight)
    {
        Assert.Equal(
            [new("backup/production/temporal", Paused: true), new StandingSchedule("drift/production", Paused: false)],
            sight.Schedules.OrderBy(schedule => schedule.Id, StringComparer.Ordinal));
        Assert.Equal([("failover/production", false)], sight.Standing.Select(run => (run.Id, run.Suspended)));
    }
}
