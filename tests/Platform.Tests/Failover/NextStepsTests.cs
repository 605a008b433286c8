using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>The bootstrap cluster is gone, at every step of a change of places from east (epoch 7) to west: what is found then, and who goes on.</summary>
public sealed class NextStepsTests
{
    private const string East = "us-east-1", West = "us-west-2";

    private static readonly PrimaryLease Held = new(40, TimeSpan.FromSeconds(1), Released: false);

    private static readonly WitnessRecord Before = new(7, East, "first", Held, null), Claimed = Before.Claim(West, "failover-1", fenced: false), Promoted = Claimed.Renew(TimeSpan.FromSeconds(1));

    public static TheoryData<string, FailoverWorld, string[]> Interrupted() => new()
    {
        { "nothing was begun", World(Before, Primary(East, 7), Follows(West), East, 7), [] },
        { "switchover: fenced, not claimed", World(Before.Release(), Stopped(East), Follows(West), East, 7), ["Claim Run"] },
        { "the primary is lost, nobody has claimed", World(Before, null, Follows(West), East, 7), [" Run"] },
        { "claimed, and the old lease goes on", World(Claimed, Primary(East, 7), Follows(West), East, 7), ["Fence Run", "Promote Run"] },
        { "claimed, the old one is gone", World(Claimed, null, Follows(West), East, 7), ["Promote Run"] },
        { "claimed and fenced", World(Claimed.ReplacedFenced(), Stopped(East), Follows(West), East, 7), ["Promote Run"] },
        { "claimed, and the new primary is lost too", World(Claimed, Stopped(East), null, East, 7), ["Promote People"] },
        { "promoted", World(Promoted, Stopped(East), Primary(West, 8), East, 7), ["Repoint Run", "Repoint Run", "Rebuild Run"] },
        { "promoted, the old region is away", World(Promoted, null, Primary(West, 8), East, 7, unread: true), ["Repoint People", "Repoint Run", "Rebuild Run"] },
        { "repointed", World(Promoted, Stopped(East), Primary(West, 8), West, 8), ["Rebuild Run"] },
        { "rebuilt, and commits do not wait", World(Promoted, Follows(East), Primary(West, 8) with { Synchronous = false }, West, 8), ["Rebuild Run"] },
        { "all done", World(Promoted, Follows(East), Primary(West, 8), West, 8), [] },
        { "taken back: claimed for the old one again, not opened", World(Claimed.Claim(East, "failover-1-back", fenced: false), Stopped(East), Follows(West), East, 7), ["Promote Run"] },
        { "the witness is away", World(Before, Primary(East, 7), Follows(West), East, 7) with { Witness = null }, [" People"] },
        { "the witness was emptied", World(Before, Primary(East, 7), Follows(West), East, 7) with { Witness = new(null) }, [" People"] },
        { "the witness was set back", World(Before, Primary(East, 7), Follows(West), East, 9), ["Repoint People", "Repoint People"] },
        { "a namespace is closed by a handover", World(Promoted, Follows(East), Primary(West, 8), West, 8) with { Namespaces = [Says(new("east", [], 1, Closed: true), new("east", [], 1))] }, ["Namespaces People"] },
        { "the clusters disagree of a namespace", World(Promoted, Follows(East), Primary(West, 8), West, 8) with { Namespaces = [Says(new("east", [], 1), new("west", [], 2))] }, ["Namespaces People"] },
        { "a namespace is active where the database is not, or one side is away", World(Promoted, Follows(East), Primary(West, 8), West, 8) with { Namespaces = [Says(new("east", [], 1), new("east", [], 1)), Says(null, new("west", [], 2))] }, [] },
        { "two are writable", World(Promoted, Primary(East, 7), Primary(West, 8), West, 8), ["Fence People"] },
    };

    [Theory]
    [MemberData(nameof(Interrupted))]
    public void From_every_interrupted_state_it_is_said_what_is_left_and_who_does_it(string state, FailoverWorld world, string[] expected)
    {
        var steps = NextSteps.Of(world);
        Assert.True(expected.SequenceEqual(steps.Select(step => $"{step.Step} {step.Actor}")), $"{state}: {string.Join(", ", steps)}");
        Assert.All(steps, step => Assert.True(step.Found.EndsWith('.') && step.Do.EndsWith('.')));
    }

    [Fact]
    public void An_epoch_that_was_claimed_is_gone_on_with_and_no_other_is_claimed()
    {
        foreach (var world in new[] { World(Claimed, null, Follows(West), East, 7), World(Claimed.ReplacedFenced(), Stopped(East), Follows(West), East, 7), World(Claimed.Claim(East, "failover-1-back", false), Stopped(East), Follows(West), East, 7) })
            Assert.Contains($"in epoch {world.Witness!.Record!.Epoch}. No further epoch is claimed.", Assert.Single(NextSteps.Of(world)).Do, StringComparison.Ordinal);
    }

    private static FailoverWorld World(WitnessRecord record, DatabaseNode? east, DatabaseNode? west, string leadsTo, long epoch, bool unread = false) => new()
    {
        Environment = "production",
        Witness = new(record),
        Nodes = new Dictionary<string, DatabaseNode?> { [East] = east, [West] = west },
        Pointers = [new("Endpoints database/postgresql in us-east-1", leadsTo, unread ? null : epoch), new("DNS record db.example.org", leadsTo, epoch)],
        Synchronous = true,
    };

    private static NamespaceSight Says(ActiveNamespace? east, ActiveNamespace? west) => new("orders", new Dictionary<string, ActiveNamespace?> { [East] = east, [West] = west });

    private static DatabaseNode Primary(string name, long epoch) => new() { Name = name, Role = NodeRole.Primary, Writable = true, Fenced = false, Epoch = epoch, Synchronous = true, Streaming = true };

    private static DatabaseNode Follows(string name) => new() { Name = name, Role = NodeRole.Standby, Writable = false, Fenced = false, Epoch = 7, Streaming = true };

    private static DatabaseNode Stopped(string name) => new() { Name = name, Role = NodeRole.Stopped, Writable = false, Fenced = true, Epoch = 8 };
}
