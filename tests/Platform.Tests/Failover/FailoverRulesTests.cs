using CsCheck;
using PlatformOps.Platform.Failover;
using PlatformOps.Platform.Specification;
using static PlatformOps.Platform.Tests.Failover.Sighting;

namespace PlatformOps.Platform.Tests.Failover;

/// <summary>When the standby becomes primary, and why not otherwise.</summary>
public class FailoverRulesTests
{
    private static readonly string[] Findings =
        ["serves", "agentGone", "claims", "fenced", "starting", "refuses", "refusesLong", "gone", "goneLong", "unclear", "silent", "stale", "late"];

    private static readonly string[] Leases = ["renewed", "almost", "stalled", "released", "none", "unknown", "moved"];

    [Theory]
    [InlineData("serves", "serves", "renewed", FailoverReason.Healthy)]
    [InlineData("serves", "serves", "unknown", FailoverReason.Healthy)]
    [InlineData("silent", "serves", "renewed", FailoverReason.Healthy)]
    [InlineData("agentGone", "agentGone", "renewed", FailoverReason.Healthy)]
    // One of three: an observer that is lost, cut off or mistaken moves nothing.
    [InlineData("goneLong", "serves", "renewed", FailoverReason.NoQuorum)]
    [InlineData("serves", "goneLong", "renewed", FailoverReason.NoQuorum)]
    [InlineData("serves", "serves", "stalled", FailoverReason.NoQuorum)]
    [InlineData("silent", "silent", "renewed", FailoverReason.NoQuorum)]
    [InlineData("silent", "goneLong", "renewed", FailoverReason.NoQuorum)]
    [InlineData("silent", "gone", "almost", FailoverReason.NoQuorum)]
    // Unknown is not dead.
    [InlineData("unclear", "unclear", "stalled", FailoverReason.NoQuorum)]
    [InlineData("stale", "late", "stalled", FailoverReason.NoQuorum)]
    [InlineData("unclear", "gone", "unknown", FailoverReason.NoQuorum)]
    // A guard that renews is alive: what is wrong may pass.
    [InlineData("gone", "gone", "renewed", FailoverReason.NoQuorum)]
    [InlineData("refuses", "refuses", "renewed", FailoverReason.NoQuorum)]
    [InlineData("refusesLong", "refuses", "renewed", FailoverReason.NoQuorum)]
    // Nobody can claim without the witness.
    [InlineData("gone", "gone", "unknown", FailoverReason.WitnessUnknown)]
    [InlineData("fenced", "fenced", "unknown", FailoverReason.WitnessUnknown)]
    [InlineData("gone", "gone", "moved", FailoverReason.EpochMoved)]
    [InlineData("silent", "silent", "stalled", FailoverReason.NoQuorum)]
    public void Waits(string east, string west, string lease, FailoverReason code) =>
        Assert.Equal(code, Assert.IsType<FailoverDecision.Wait>(FailoverRules.Decide(Facts(east, west, lease))).Code);

    [Theory]
    // The region is gone, and with it the observer in it.
    [InlineData("silent", "gone", "stalled", FailoverReason.PrimaryLost)]
    [InlineData("stale", "gone", "stalled", FailoverReason.PrimaryLost)]
    [InlineData("gone", "gone", "stalled", FailoverReason.PrimaryLost)]
    // The primary is cut off from the others: whoever still reaches it has no veto, since it is about to close.
    [InlineData("serves", "gone", "stalled", FailoverReason.PrimaryLost)]
    [InlineData("starting", "starting", "stalled", FailoverReason.PrimaryLost)]
    [InlineData("goneLong", "goneLong", "renewed", FailoverReason.PrimaryLost)]
    [InlineData("refusesLong", "refusesLong", "renewed", FailoverReason.PrimaryLost)]
    // The guard says so itself.
    [InlineData("fenced", "fenced", "released", FailoverReason.PrimaryFenced)]
    [InlineData("silent", "fenced", "released", FailoverReason.PrimaryFenced)]
    [InlineData("fenced", "gone", "none", FailoverReason.PrimaryFenced)]
    [InlineData("serves", "fenced", "released", FailoverReason.PrimaryLost)]
    public void Fails_over(string east, string west, string lease, FailoverReason code)
    {
        var decision = Assert.IsType<FailoverDecision.FailOverDatabase>(FailoverRules.Decide(Facts(east, west, lease)));

        Assert.Equal(code, decision.Code);
        Assert.Equal((East, West, 7L, StackMove.Stays), (decision.Proposal.From, decision.Proposal.To, decision.Proposal.Epoch, decision.Proposal.Stack));
        Assert.Equal(code == FailoverReason.PrimaryFenced, decision.Proposal.Fenced);
        Assert.Equal(lease == "stalled" ? 40 : lease == "released" ? 41 : null, decision.Proposal.StalledSequence);
        Assert.Equal($"{East} is down", decision.Reason[..17]);
    }

    [Fact]
    public void An_alert_alone_moves_nothing()
    {
        var decision = FailoverRules.Decide(Facts() with { Alerts = ["PostgresDown"] });

        Assert.Equal(FailoverReason.AlertAlone, decision.Code);
        Assert.StartsWith("PostgresDown fires, and no observer finds the same (us-east-1: it serves; us-west-2: it serves; witness: the lease is renewed).", decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recovery_that_runs_or_is_not_acknowledged_blocks_for_ever()
    {
        var years = Now - TimeSpan.FromDays(4000);
        var down = Facts("gone", "gone", "stalled");

        Assert.Equal(FailoverReason.RecoveryRunning, Assert.IsType<FailoverDecision.Wait>(FailoverRules.Decide(down with { Recovery = new("failover-1", true, years) })).Code);
        Assert.Equal(FailoverReason.Unacknowledged, Assert.IsType<FailoverDecision.Refuse>(FailoverRules.Decide(down with { Recovery = new("failover-1", false, years) })).Code);
    }

    [Fact]
    public void A_server_that_merely_stopped_is_started_again_where_nobody_may_take_its_place()
    {
        var stopped = Facts("fenced", "fenced", "released");

        Assert.Equal(FailoverReason.RecoveryRunning, FailoverRules.Decide(stopped with { Recovery = new("failover-1", true, Now) }).Code);
        Assert.Equal(FailoverReason.Maintenance, FailoverRules.Decide(stopped with { Maintenance = new("new disks", "ada", Now, Now + TimeSpan.FromHours(1)) }).Code);
        foreach (var facts in new[]
        {
            stopped with { Recovery = new("failover-1", true, Now, Promoted: true) },
            stopped with { Recovery = new("failover-1", false, Now, Promoted: true) },
            stopped with { Policy = stopped.Policy with { Database = FailoverMode.Off } },
            stopped with { Policy = stopped.Policy with { Database = FailoverMode.Approval } },
            stopped with { Reports = [.. stopped.Reports.Select(report => report with { Nodes = [report.Nodes[0]] })] },
        })
            Assert.IsType<FailoverDecision.RestartInPlace>(FailoverRules.Decide(facts));
    }

    [Theory]
    [InlineData(1, FailoverReason.Maintenance)]
    [InlineData(-1, FailoverReason.PrimaryLost)]
    public void Maintenance_refuses_while_it_is_open(int minutes, FailoverReason code) => Assert.Equal(
        code, FailoverRules.Decide(Facts("gone", "gone", "stalled") with { Maintenance = new("new disks", "ada", Now, Now + TimeSpan.FromMinutes(minutes)) }).Code);

    [Theory]
    [InlineData(FailoverMode.Off, typeof(FailoverDecision.Refuse), FailoverReason.SwitchedOff)]
    [InlineData(FailoverMode.Approval, typeof(FailoverDecision.RequestApproval), FailoverReason.ApprovalNeeded)]
    [InlineData(FailoverMode.Automatic, typeof(FailoverDecision.FailOverDatabase), FailoverReason.PrimaryLost)]
    public void The_specification_says_who_decides(FailoverMode mode, Type expected, FailoverReason code)
    {
        var decision = FailoverRules.Decide(Facts("gone", "gone", "stalled", policy: new(mode, FailoverMode.Off, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5))));

        Assert.Equal((expected, code), (decision.GetType(), decision.Code));
    }

    [Fact]
    public void A_loss_above_the_objective_is_for_people_to_decide()
    {
        var policy = new FailoverPolicy(FailoverMode.Automatic, FailoverMode.Off, TimeSpan.FromHours(1), Rpo: TimeSpan.FromMilliseconds(500));

        var decision = Assert.IsType<FailoverDecision.RequestApproval>(FailoverRules.Decide(Facts("gone", "gone", "stalled", synchronous: false, standbyLsn: 4_000, policy: policy)));

        Assert.Equal(FailoverReason.LossAboveObjective, decision.Code);
        Assert.Equal((false, 1_000, TimeSpan.FromSeconds(1)), (decision.Proposal.Loss.Nothing, decision.Proposal.Loss.Bytes, decision.Proposal.Loss.Duration!.Value));
    }

    [Theory]
    [InlineData(true, 4_000, false)] // Commits waited for the standby: what it lacks was never acknowledged.
    [InlineData(false, 5_000, false)]
    [InlineData(false, 4_999, true)]
    public void A_server_that_merely_stopped_is_started_again_when_the_standby_lacks_something(bool synchronous, long standbyLsn, bool restarts)
    {
        var facts = Facts("fenced", "fenced", "released", synchronous, standbyLsn) with { OneHeardIsEnough = true };

        Assert.Equal(restarts ? FailoverReason.RestartFirst : FailoverReason.PrimaryFenced, FailoverRules.Decide(facts).Code);
        Assert.Equal(FailoverReason.PrimaryFenced, FailoverRules.Decide(facts with { RestartingSince = Now - TimeSpan.FromSeconds(5) }).Code);
    }

    [Theory]
    [InlineData(true, FailoverReason.PrimaryFenced)]
    [InlineData(false, FailoverReason.RestartFirst)]
    [InlineData(null, FailoverReason.RestartFirst)] // Its guard was started again too, and does not know.
    public void What_a_stopped_primary_says_tells_whether_commits_waited(bool? waited, FailoverReason code)
    {
        var facts = Facts("fenced", "fenced", "released", standbyLsn: 4_000) with { OneHeardIsEnough = true };
        facts = facts with { Reports = [.. facts.Reports.Select(report => report with { Nodes = [Said(report.Nodes[0]), report.Nodes[1]] })] };

        Assert.Equal(code, FailoverRules.Decide(facts).Code);
        // So decided runs that were started before.
        Assert.Equal(FailoverReason.RestartFirst, FailoverRules.Decide(facts with { OneHeardIsEnough = false }).Code);

        NodeReport Said(NodeReport of) => of with { Node = of.Node! with { CommitsWaited = waited }, LastKnown = of.LastKnown! with { CommitsWaited = waited } };
    }

    [Theory]
    [InlineData("serves", "fenced")]
    [InlineData("fenced", "serves")]
    [InlineData("fencedAndWrote", "refuses")]
    [InlineData("unclear", "refuses")] // It has given its lease back, and nobody has heard more of it yet.
    public void An_observer_that_wrote_a_moment_ago_makes_no_failover_of_a_restart(string east, string west)
    {
        var facts = Facts(east, west, "released", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true };

        Assert.Equal(FailoverReason.RestartFirst, FailoverRules.Decide(facts).Code);
        Assert.Equal(FailoverReason.RestartInstead, FailoverRules.Decide(facts with { Policy = facts.Policy with { Database = FailoverMode.Off } }).Code);
        // Nobody has heard of its guard, or enough find it serving.
        Assert.Equal(FailoverReason.PrimaryLost, FailoverRules.Decide(Facts("gone", "gone", "stalled", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true }).Code);
        Assert.IsType<FailoverDecision.Wait>(FailoverRules.Decide(Facts(east, west, "renewed", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true }));
        // So decided runs that were started before.
        Assert.Equal(FailoverReason.PrimaryLost, FailoverRules.Decide(facts with { OneHeardIsEnough = false }).Code);
    }

    [Fact]
    public void A_server_that_is_starting_again_has_its_time()
    {
        var facts = Facts("starting", "starting", "released", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true, RestartingSince = Now - TimeSpan.FromSeconds(4.9) };

        Assert.Equal(FailoverReason.RestartFirst, FailoverRules.Decide(facts).Code);
        Assert.Equal(FailoverReason.PrimaryLost, FailoverRules.Decide(facts with { RestartingSince = Now - TimeSpan.FromSeconds(5) }).Code);
        Assert.Equal(FailoverReason.RestartFirst, FailoverRules.Decide(Facts("starting", "starting", "stalled", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true, RestartingSince = facts.RestartingSince }).Code);
        Assert.Equal(FailoverReason.PrimaryLost, FailoverRules.Decide(Facts("starting", "starting", "stalled", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true }).Code);
        // Its guard is gone too.
        Assert.Equal(FailoverReason.PrimaryLost, FailoverRules.Decide(Facts("gone", "gone", "released", synchronous: false, standbyLsn: 4_999) with { OneHeardIsEnough = true, RestartingSince = Now }).Code);
    }

    [Theory]
    [InlineData(NodeRole.Primary, 3, null, FailoverReason.StandbyUnfit)]
    [InlineData(NodeRole.Rebuilding, 3, null, FailoverReason.StandbyUnfit)]
    [InlineData(NodeRole.Standby, 2, null, FailoverReason.StandbyUnfit)]
    [InlineData(NodeRole.Standby, 3, "The disk is full.", FailoverReason.StandbyUnfit)]
    [InlineData(NodeRole.Standby, 3, null, FailoverReason.PrimaryLost)]
    public void Promotes_only_what_can_be_promoted(NodeRole role, int timeline, string? trouble, FailoverReason code)
    {
        var facts = Facts("gone", "gone", "stalled");
        var reports = facts.Reports.Select(report => report with
        {
            Nodes = [.. report.Nodes.Select(node => node.Name == West ? node with { Node = node.Node! with { Role = role, Timeline = timeline, Trouble = trouble } } : node)],
        });

        Assert.Equal(code, FailoverRules.Decide(facts with { Reports = [.. reports] }).Code);
    }

    [Fact]
    public void Nobody_is_promoted_of_whom_nothing_is_known()
    {
        var facts = Facts("gone", "gone", "stalled");

        Assert.Equal(FailoverReason.StandbyUnknown, FailoverRules.Decide(facts with
        {
            Reports = [.. facts.Reports.Select(report => report with { Nodes = [.. report.Nodes.Select(node => node.Name == West ? node with { Node = null } : node)] })],
        }).Code);
    }

    [Theory]
    [InlineData(FailoverMode.Approval, false, false, StackMove.AfterApproval)]
    [InlineData(FailoverMode.Automatic, false, false, StackMove.Moves)]
    [InlineData(FailoverMode.Off, false, false, StackMove.Stays)]
    [InlineData(FailoverMode.Automatic, true, false, StackMove.Stays)]
    [InlineData(FailoverMode.Automatic, null, null, StackMove.Stays)]
    [InlineData(FailoverMode.Automatic, false, false, StackMove.Stays, false)] // Who finds nothing anywhere is cut off.
    public void The_stack_moves_when_the_region_is_lost_as_a_whole(FailoverMode fullStack, bool? kubernetes, bool? temporal, StackMove expected, bool other = true)
    {
        var facts = Facts("silent", "gone", "stalled", policy: new(FailoverMode.Automatic, fullStack, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5)));
        var seen = facts.Reports.Select(report => report with { Services = [new("kubernetes", East, kubernetes), new("temporal", East, temporal), new("kubernetes", West, other)] });

        Assert.Equal(expected, Assert.IsType<FailoverDecision.FailOverDatabase>(FailoverRules.Decide(facts with { Reports = [.. seen] })).Proposal.Stack);
    }

    [Fact]
    public void An_approval_is_bound_to_what_would_be_done_and_lost()
    {
        var proposal = Proposal(Facts("gone", "gone", "stalled"));

        Assert.Equal(proposal.Hash, Proposal(Facts("silent", "gone", "stalled")).Hash);
        Assert.NotEqual(proposal.Hash, (proposal with { Epoch = 8 }).Hash);
        Assert.NotEqual(proposal.Hash, (proposal with { Stack = StackMove.Moves }).Hash);
        Assert.NotEqual(proposal.Hash, (proposal with { Loss = proposal.Loss with { Nothing = false, Bytes = 1 } }).Hash);
        Assert.NotEqual(proposal.Hash, (proposal with { To = East, From = West }).Hash);
    }

    [Fact]
    public void Whatever_is_found_nothing_moves_without_two_sources_a_witness_and_a_fresh_standby() =>
        Gen.Select(One(Findings), One(Findings), One(Leases), Gen.Bool, Gen.Long[4_000, 5_100]).Sample((east, west, lease, synchronous, lsn) =>
        {
            var facts = Facts(east, west, lease, synchronous, lsn);
            var decision = FailoverRules.Decide(facts);
            var acts = decision is FailoverDecision.FailOverDatabase or FailoverDecision.RequestApproval or FailoverDecision.RestartInPlace;
            Assert.False(string.IsNullOrWhiteSpace(decision.Reason));
            if (!acts)
                return;
            Assert.True(facts.Quorum.Down >= 2 && facts.Quorum.Lease is { Epoch: 7, Primary: East } && facts.StandbyNow() is not null);
            Assert.DoesNotContain(lease, (string[])["unknown", "moved"]);
            // One good observer together with a renewed lease always holds it.
            Assert.False(lease is "renewed" or "almost" && (east is "serves" or "claims" or "agentGone" || west is "serves" or "claims" or "agentGone"));
        });

    private static Gen<string> One(string[] words) => Gen.Int[0, words.Length - 1].Select(index => words[index]);

    private static FailoverProposal Proposal(FailoverFacts facts) => Assert.IsType<FailoverDecision.FailOverDatabase>(FailoverRules.Decide(facts)).Proposal;
}
