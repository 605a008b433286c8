using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>A guard may be killed between any two of its steps: every state that is then on disk has one right duty, and none of them serves by mistake.</summary>
public class GuardRulesTests
{
    private const string Node = "us-east-1", Other = "us-west-2";

    private static readonly GuardMemory Primary = new() { Epoch = 3, ServesIn = 3 };
    private static readonly GuardMemory Standby = new() { Epoch = 3 };

    public static TheoryData<string, GuardMemory, NodeData, WitnessView?, GuardTask> States => new()
    {
        { "just initialised", new() { Epoch = 1, ServesIn = 1, First = true }, NodeData.Primary, new(null), GuardTask.Serve },
        { "initialised, the witness silent", new() { Epoch = 1, ServesIn = 1, First = true }, NodeData.Primary, null, GuardTask.RunClosed },
        { "an old primary whose witness lost everything", new() { Epoch = 1, ServesIn = 1 }, NodeData.Primary, new(null), GuardTask.RunClosed },
        { "serving", Primary, NodeData.Primary, Of(3, Node), GuardTask.Serve },
        { "restarted before the witness answered", Primary, NodeData.Primary, null, GuardTask.RunClosed },
        { "replaced", Primary, NodeData.Primary, Of(4, Other), GuardTask.Fence },
        { "replaced twice while it slept", Primary, NodeData.Primary, Of(9, Other), GuardTask.Fence },
        { "named for a new epoch, not promoted yet", Primary with { Epoch = 4 }, NodeData.Primary, Of(4, Node), GuardTask.RunClosed },
        { "killed in a promotion after the server's, before it was remembered", Standby with { Epoch = 4 }, NodeData.Primary, Of(4, Node), GuardTask.RunClosed },
        { "killed in a promotion before the server's", Standby with { Epoch = 4 }, NodeData.Standby, Of(4, Node), GuardTask.RunStandby },
        { "killed in a promotion before the lease was taken", Primary with { Epoch = 4, ServesIn = 4 }, NodeData.Primary, Of(4, Node), GuardTask.Serve },
        { "promoted, and lost the epoch before the lease was taken", Primary with { Epoch = 4, ServesIn = 4 }, NodeData.Primary, Of(5, Other), GuardTask.Fence },
        { "killed in a fence after it was remembered", Primary.Fenced(4, "asked"), NodeData.Primary, Of(3, Node), GuardTask.StayDown },
        { "fenced and named again", Primary.Fenced(4, "asked"), NodeData.Primary, Of(5, Node), GuardTask.StayDown },
        { "following", Standby, NodeData.Standby, Of(3, Other), GuardTask.RunStandby },
        { "a standby without a witness", Standby, NodeData.Standby, null, GuardTask.RunStandby },
        { "killed while it was rewound", Primary.Rebuilding(Other, 4), NodeData.Primary, Of(4, Other), GuardTask.Rebuild },
        { "killed while it was cloned", Standby.Rebuilding(Other, 4), NodeData.None, Of(4, Other), GuardTask.Rebuild },
        { "killed after the clone, before it was remembered", Standby.Rebuilding(Other, 4), NodeData.Standby, Of(4, Other), GuardTask.Rebuild },
        { "fenced and then told to follow", Primary.Fenced(4, "asked").Rebuilding(Other, 4), NodeData.Primary, Of(4, Other), GuardTask.Rebuild },
        { "without data", new(), NodeData.None, Of(3, Other), GuardTask.StayDown },
        { "a witness that was restored from an old copy", Primary, NodeData.Primary, Of(2, Node), GuardTask.RunClosed },
        { "the same epoch in another's name", Primary, NodeData.Primary, Of(3, Other), GuardTask.RunClosed },
    };

    [Theory, MemberData(nameof(States))]
    public void Every_state_that_a_kill_leaves_behind_has_its_duty(string state, GuardMemory memory, NodeData data, WitnessView? view, GuardTask duty)
    {
        var decided = GuardRules.Decide(memory, Node, data, view);
        Assert.True(decided.Task == duty, $"{state}: {decided}");
        Assert.NotEmpty(decided.Why);
    }

    [Fact]
    public void A_node_serves_only_where_the_witness_names_it_in_the_epoch_of_its_data()
    {
        foreach (var memory in Memories())
        {
            foreach (var data in Enum.GetValues<NodeData>())
            {
                foreach (var record in new[] { 1L, 2, 3, 4 }.SelectMany(epoch => new[] { Of(epoch, Node), Of(epoch, Other) }))
                {
                    if (GuardRules.Decide(memory, Node, data, record).Task != GuardTask.Serve)
                        continue;
                    Assert.Equal((Node, memory.ServesIn, NodeData.Primary), (record!.Record!.Primary, record.Record.Epoch, data));
                    Assert.Null(memory.Fence);
                    Assert.Null(memory.Rebuild);
                }
            }
        }
    }

    [Fact]
    public void An_epoch_that_is_over_changes_nothing_and_the_highest_is_never_forgotten()
    {
        foreach (var memory in Memories())
        {
            Assert.NotNull(memory.WhyRefused(memory.Epoch - 1));
            Assert.Null(memory.WhyRefused(memory.Epoch));
            foreach (var next in new[] { memory.Seen(1), memory.Seen(4), memory.Fenced(4, "x"), memory.Promoted(4), memory.Rebuilding(Other, 4), memory.Rebuilt() })
                Assert.True(next.Epoch >= memory.Epoch);
        }
    }

    [Fact]
    public void A_promotion_waits_for_nobody_and_a_repeated_one_changes_nothing()
    {
        var promoted = (Primary with { Synchronous = true }).Promoted(4);
        Assert.False(promoted.Synchronous);
        var synchronous = promoted with { Synchronous = true };
        Assert.Equal(synchronous, synchronous.Promoted(4));
    }

    private static WitnessView Of(long epoch, string primary) => new(new WitnessRecord(epoch, primary, "op", Lease: null, Replaced: null));

    private static IEnumerable<GuardMemory> Memories() =>
        from epoch in new long[] { 1, 2, 3 }
        from serves in new long[] { 0, 1, 2, 3 }
        where serves <= epoch
        from first in new[] { false, true }
        from fenced in new[] { false, true }
        from rebuilt in new[] { false, true }
        let memory = new GuardMemory { Epoch = epoch, ServesIn = serves, First = first, Fence = fenced ? new(epoch, "x") : null }
        select rebuilt ? memory with { Rebuild = new(Other, epoch) } : memory;
}
