using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>What must be so before replicas come or go.</summary>
public sealed class ScalingGuardsTests
{
    private const long Gibibyte = 1024L * 1024 * 1024;

    private static readonly ScalingDefinition Plain = new("replicas", new("StatefulSet", "web", "shop"), [], TimeSpan.Zero, TimeSpan.Zero, 100, 10);

    private static readonly ConnectionBudget Budget = new(300, [new("temporal-frontend", 3, 20), new("temporal-history", 5, 20), new("temporal-matching", 3, 20), new("temporal-worker", 2, 20)]);

    [Fact]
    public void Pools_that_would_exceed_the_connections_are_refused_with_the_sum()
    {
        var decision = Apply(Plain, 5, 8, new() { Connections = Budget }, component: "temporal-history");

        Assert.Equal(
            (ScalingVerdict.Refuse, "With 8 replicas the pools need temporal-frontend 3 x 20 + temporal-history 8 x 20 + temporal-matching 3 x 20 + temporal-worker 2 x 20 = 320 connections, and the database accepts 300, of which 13 are kept free. At most 6 replicas fit: raise the database's connections first, or make the pools smaller."),
            (decision.Verdict, decision.Why));
        Assert.Equal(ScalingVerdict.Scale, Apply(Plain, 5, 6, new() { Connections = Budget }, component: "temporal-history").Verdict);
        // Fewer are never too many.
        Assert.Equal(ScalingVerdict.Scale, Apply(Plain, 5, 4, new() { Connections = Budget with { Limit = 10 } }, component: "temporal-history").Verdict);
    }

    [Fact]
    public void A_limit_that_nobody_knows_lets_nobody_in() =>
        Assert.Equal(ScalingVerdict.Refuse, Apply(Plain, 5, 6, new() { Connections = Budget with { Limit = null } }, component: "temporal-history").Verdict);

    [Theory]
    [InlineData(2, null, ScalingVerdict.Scale, "")]
    [InlineData(1, null, ScalingVerdict.Refuse, "2 more pods are wanted, and the nodes have room for 1. Looked at 3 nodes. Add nodes first.")]
    [InlineData(9, 1, ScalingVerdict.Refuse, "2 more pods are wanted, and the namespace's quota leaves room for 1. Looked at 3 nodes. Raise the quota first.")]
    [InlineData(null, null, ScalingVerdict.Refuse, "Whether the nodes have room could not be found out. Looked at 3 nodes.")]
    public void More_pods_need_room(int? pods, int? quota, ScalingVerdict verdict, string why)
    {
        var decision = Apply(Plain, 3, 5, new() { Room = new(pods, quota, "Looked at 3 nodes.") });

        Assert.Equal(verdict, decision.Verdict);
        Assert.Equal(verdict == ScalingVerdict.Scale ? "asked for" : why, decision.Why);
    }

    [Fact]
    public void A_disruption_budget_keeps_one_more_than_its_minimum()
    {
        var around = new ScalingSurroundings { Floors = [new("web", 2)] };

        Assert.Equal("PodDisruptionBudget web wants 2 to be there: with 2 no node could be drained any more. Change the budget first.", Apply(Plain, 4, 2, around).Why);
        Assert.Equal(ScalingVerdict.Scale, Apply(Plain, 4, 3, around).Verdict);
    }

    [Theory]
    [InlineData("green", 0, ScalingVerdict.Scale, 4, "asked for; web-4 holds no shards any more.")]
    [InlineData("green", 3, ScalingVerdict.Wait, 5, "web-4 still holds 3 shards: it goes when they have moved to the others.")]
    [InlineData("green", 3, ScalingVerdict.Empty, 5, "web-4 still holds 3 shards: it goes when they have moved to the others.", "")]
    [InlineData("green", 0, ScalingVerdict.Empty, 5, "web-4 holds no shards, and must not be given any before it goes.", "web-3")]
    [InlineData("yellow", 0, ScalingVerdict.Wait, 5, "Elasticsearch is yellow: a node that went now might take the only copy of something with it.")]
    [InlineData(null, 0, ScalingVerdict.Refuse, 5, "Elasticsearch did not say how it is: no node goes on a guess.")]
    public void A_node_of_Elasticsearch_goes_alone_and_empty(string? status, int shards, ScalingVerdict verdict, int to, string why, string emptied = "web-4") =>
        Assert.Equal((verdict, to, why), InShort(Apply(Plain with { Shards = true }, 5, 3, new() { Search = Search(status, 5, shards, emptied: emptied) })));

    [Fact]
    public void Elasticsearch_keeps_its_quorum() => Assert.Equal(
        (ScalingVerdict.Refuse, 3, "With 2 nodes Elasticsearch could not lose one and still elect a master: 3 are the fewest."),
        InShort(Apply(Plain with { Shards = true }, 3, 2, new() { Search = Search("green", 3, 0) })));

    [Fact]
    public void Shards_need_the_heap_of_the_nodes_that_stay() => Assert.Equal(
        (ScalingVerdict.Refuse, 4, "The 3 nodes that stay have 3 GiB of heap, which serve 60 shards well (20 for each GiB), and there are 75. Delete or merge indices first, or give the nodes more memory."),
        InShort(Apply(Plain with { Shards = true }, 4, 3, new() { Search = Search("green", 4, 0, each: 25) })));

    [Theory]
    [InlineData("web-0", "web-1=sync web-2=async", 1, 2, ScalingVerdict.Scale, "asked for")]
    [InlineData("web-0", "web-1=sync web-2=potential", 1, 2, ScalingVerdict.Scale, "asked for")]
    [InlineData("web-0", "web-1=async web-2=sync", 1, 2, ScalingVerdict.Refuse, "web-2, which would go, is a synchronous standby: commits wait for it. Let another one take its place first.")]
    [InlineData("web-2", "web-0=sync", 1, 2, ScalingVerdict.Refuse, "web-2, which would go, is the primary. Hand over to another instance first.")]
    // Any one of two: one may go, the other one has to stay.
    [InlineData("web-0", "web-1=quorum web-2=quorum", 1, 2, ScalingVerdict.Scale, "asked for")]
    [InlineData("web-0", "web-1=quorum web-2=quorum", 1, 1, ScalingVerdict.Refuse, "Commits wait for 1 of the standbys web-1, web-2, and 0 of them would stay: no commit would end any more. Change synchronous_standby_names first.")]
    [InlineData("web-0", "web-1=quorum web-2=quorum", 2, 2, ScalingVerdict.Refuse, "Commits wait for 2 of the standbys web-1, web-2, and 1 of them would stay: no commit would end any more. Change synchronous_standby_names first.")]
    [InlineData("web-0", "web-2=quorum", 1, 2, ScalingVerdict.Refuse, "Commits wait for 1 of the standbys web-2, and 0 of them would stay: no commit would end any more. Change synchronous_standby_names first.")]
    // One outside counts, and nobody who goes may be it.
    [InlineData("web-0", "other=quorum web-2=quorum", 1, 2, ScalingVerdict.Scale, "asked for")]
    [InlineData("web-0", "walreceiver=sync", 1, 2, ScalingVerdict.Refuse, "Commits wait for a standby that calls itself walreceiver, and that may be web-2, which would go. Have each standby give its pod's name as application_name.")]
    [InlineData("web-0", "web-1=async", 0, 1, ScalingVerdict.Scale, "asked for")]
    [InlineData(null, "web-1=async", 0, 2, ScalingVerdict.Refuse, "Which instances are the primary and the synchronous standbys could not be found out: none goes on a guess. Nobody answers.")]
    [InlineData("web-0", null, 0, 2, ScalingVerdict.Refuse, "Which instances are the primary and the synchronous standbys could not be found out: none goes on a guess. Nobody answers.")]
    public void A_primary_and_a_synchronous_standby_stay_and_so_does_the_quorum(string? primary, string? standbys, int needed, int to, ScalingVerdict verdict, string why) => Assert.Equal(
        (verdict, why),
        Apply(Plain, 3, to, new() { Database = new(primary, standbys?.Split(' ').Select(standby => new DatabaseStandby(standby.Split('=')[0], standby.Split('=')[1])).ToList(), needed, "Nobody answers.") }) is var decision ? (decision.Verdict, decision.Why) : default);

    [Theory]
    [InlineData("", 0)]
    [InlineData("ANY 1 (\"postgresql-0\", \"postgresql-1\", \"postgresql-2\")", 1)]
    [InlineData("any 2 (a, b, c)", 2)]
    [InlineData("FIRST 2 (a, b, c)", 2)]
    [InlineData("3 (a, b, c)", 3)]
    [InlineData("a, b", 1)]
    [InlineData("*", 1)]
    [InlineData("\"any\", b", 1)]
    public void How_many_standbys_a_commit_waits_for_stands_in_their_names(string names, int needed) => Assert.Equal(needed, SynchronousStandbys.Needed(names));

    [Fact]
    public void Workers_go_when_they_do_nothing()
    {
        var workers = new Dictionary<string, WorkerLoad> { ["web-0"] = new(0, 0, 50), ["web-1"] = new(0, 0, 2), ["web-2"] = new(7, 0, 0), ["web-3"] = new(0, 1, 0) };
        var how = Plain with { Tasks = new("orders", "orders") };

        Assert.Equal((ScalingVerdict.Scale, 3, "asked for; 1 of 4 workers do nothing and may go."), InShort(Apply(how, 4, 3, new() { Tasks = new(workers) })));
        Assert.Equal((ScalingVerdict.Scale, 2, "asked for; 2 of 4 workers do nothing and may go."), InShort(Apply(how, 4, 1, new() { Tasks = new(workers) })));
        // Of those that do nothing the one goes whose cache is missed least.
        Assert.Equal(["web-1"], ScalingGuards.Spare(how, new(workers), 1));
        Assert.Equal(
            (ScalingVerdict.Wait, 2, "All 2 workers are in the middle of something (8 activities run): one goes when it is done."),
            InShort(Apply(how, 2, 1, new() { Tasks = new(new Dictionary<string, WorkerLoad> { ["web-0"] = new(1, 0, 0), ["web-1"] = new(7, 0, 0) }) })));
    }

    [Fact]
    public void A_busy_worker_may_go_when_it_has_the_time_to_end_what_it_began_and_those_that_do_least_go_first()
    {
        var workers = new Dictionary<string, WorkerLoad> { ["web-0"] = new(9, 0, 0), ["web-1"] = new(3, 1, 0), ["web-2"] = new(3, 0, 0) };
        var how = Plain with { Tasks = new("orders", "orders", TimeSpan.FromMinutes(30)) };

        Assert.Equal(ScalingVerdict.Scale, Apply(how, 3, 1, new() { Tasks = new(workers, TimeSpan.FromMinutes(30)) }).Verdict);
        Assert.Equal(["web-2", "web-1"], ScalingGuards.Spare(how, new(workers, TimeSpan.FromMinutes(30)), 2));
        Assert.Equal(ScalingVerdict.Wait, Apply(how, 3, 1, new() { Tasks = new(workers, TimeSpan.FromMinutes(29)) }).Verdict);
        Assert.Equal(ScalingVerdict.Wait, Apply(how with { Tasks = new("orders", "orders") }, 3, 1, new() { Tasks = new(workers, TimeSpan.FromMinutes(30)) }).Verdict);
        Assert.Empty(ScalingGuards.Spare(how, new(workers, TimeSpan.FromMinutes(29)), 2));
    }

    [Fact]
    public void No_worker_goes_before_all_have_said_what_they_do()
    {
        var how = Plain with { Tasks = new("orders", "orders") };

        Assert.Equal("web-1 did not tell Temporal what it does: none goes before all have.", Apply(how, 2, 1, new() { Tasks = new(new Dictionary<string, WorkerLoad> { ["web-0"] = new(0, 0, 0) }) }).Why);
        Assert.Equal("Temporal could not be asked what the workers do: none goes on a guess.", Apply(how, 2, 1, new() { Tasks = new(null) }).Why);
        Assert.Equal(ScalingVerdict.Wait, Apply(how, 1, 0, new() { Tasks = new(new Dictionary<string, WorkerLoad> { ["web-0"] = new(null, 0, 0) }) }).Verdict);
    }

    private static ScalingDecision Apply(ScalingDefinition how, int from, int to, ScalingSurroundings around, string component = "web") => ScalingGuards.Apply(
        component, how, new(ScalingVerdict.Scale, from, to, "asked for"), around, [.. Enumerable.Range(0, from).Select(ordinal => $"web-{ordinal}")]);

    private static (ScalingVerdict, int?, string) InShort(ScalingDecision decision) => (decision.Verdict, decision.To, decision.Why);

    private static SearchNodes Search(string? status, int nodes, int last, int each = 2, string emptied = "") =>
        new(status, Enumerable.Range(0, nodes).ToDictionary(ordinal => $"web-{ordinal}", ordinal => new SearchNode(ordinal == nodes - 1 ? last : each, Gibibyte)), [emptied]);
}
