using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

public sealed class DatabaseClassRulesTests
{
    private static readonly string[] Allowed = ["db.t3.medium", "db.r6g.large", "db.r6g.xlarge", "db.x2g.large"];

    /// <summary>Pools of 600 in all, which fit into 1802 and not into 450.</summary>
    private static readonly ObservedDatabaseClass Seen = new(
        "shop-production", "postgres", "16.4", "available", "db.r6g.large", [], null, Standby: true, Offered: true, Failover: null, new(1000, [new("temporal-history", 30, 20)]));

    [Fact]
    public void A_larger_class_says_what_it_accepts_what_the_pools_open_and_how_long_clients_wait()
    {
        var decision = Decide(Seen, "db.r6g.xlarge");

        Assert.Equal((ScalingVerdict.Scale, "db.r6g.large", "db.r6g.xlarge"), (decision.Verdict, decision.From, decision.To));
        Assert.Equal(
            "db.r6g.xlarge instead of db.r6g.large: max_connections from 1802 to 3604, of which the pools may open 600. RDS begins at once, and fails over to the standby: clients wait for about a minute or two. Engine, version and storage stay.",
            decision.Why);
        Assert.Contains("restarts the instance, which has no standby: clients wait for minutes", Decide(Seen with { Standby = false }, "db.r6g.xlarge").Why, StringComparison.Ordinal);
        Assert.Contains("in the maintenance window, not now", DatabaseClassRules.Decide("managed-database", Allowed, Seen, "db.r6g.xlarge", atOnce: false).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_smaller_class_has_to_hold_the_pools()
    {
        var refused = Decide(Seen, "db.t3.medium");
        Assert.Equal(ScalingVerdict.Refuse, refused.Verdict);
        Assert.Contains("temporal-history 30 x 20 = 600 connections, and the database accepts 450", refused.Why, StringComparison.Ordinal);

        Assert.Equal(ScalingVerdict.Scale, Decide(Seen with { Connections = new(1000, [new("temporal-history", 10, 20)]) }, "db.t3.medium").Verdict);
        // Nor is a larger one refused because they did not fit before.
        Assert.Equal(ScalingVerdict.Scale, Decide(Seen with { Connections = new(1000, [new("temporal-history", 99, 20)]) }, "db.r6g.xlarge").Verdict);
    }

    [Theory]
    [InlineData("db.r6g.xlarge", "db.r6g.xlarge", null, true)]
    [InlineData("db.r6g.xlarge", "db.r6g.large", null, false)]
    [InlineData("db.r6g.xlarge", "unknown", null, false)]
    [InlineData("db.t3.medium", "db.t3.micro", null, true)]
    [InlineData("db.t3.medium", null, "db.t3.medium", true)]
    [InlineData("db.t3.medium", null, "db.r6g.large", false)]
    [InlineData("db.t3.medium", null, "unknown", false)]
    [InlineData("db.r6g.xlarge", null, "db.r6g.2xlarge", true)]
    public void A_replica_never_accepts_fewer_connections_than_its_source(string wanted, string? replica, string? source, bool may)
    {
        var seen = Seen with { Connections = null, Replicas = replica is null ? [] : [new("shop of us-west-2", replica == "unknown" ? null : replica)], Source = source is null ? null : new("shop of us-east-1", source == "unknown" ? null : source) };
        var decision = Decide(seen, wanted);

        Assert.Equal(may ? ScalingVerdict.Scale : ScalingVerdict.Refuse, decision.Verdict);
        Assert.Equal(!may, decision.Why.Contains("PostgreSQL stops copying", StringComparison.Ordinal));
        Assert.Equal(may, DatabaseClassRules.Harm(seen, wanted) is null);
    }

    [Fact]
    public void What_is_under_way_or_unknown_is_refused_with_the_reason()
    {
        Refused("only the specification changes its class", DatabaseClassRules.Decide("managed-database", null, Seen, "db.r6g.xlarge", atOnce: true));
        Refused("none of the classes", Decide(Seen, "db.m6g.large"));
        Refused("Provision it first", Decide(null, "db.r6g.xlarge"));
        Refused("is backing-up, and not available", Decide(Seen with { Status = "backing-up" }, "db.r6g.xlarge"));
        Refused("has still to change allocatedStorage", Decide(Seen with { Pending = ["allocatedStorage"] }, "db.r6g.xlarge"));
        Refused("A failover is under way", Decide(Seen with { Failover = "failover/production promotes us-west-2." }, "db.r6g.xlarge"));
        Refused("RDS has no db.r6g.xlarge for postgres 16.4", Decide(Seen with { Offered = false }, "db.r6g.xlarge"));
        Refused("could not be found out", Decide(Seen with { Offered = null }, "db.r6g.xlarge"));
        Refused("is not known here", Decide(Seen, "db.x2g.large"));

        static void Refused(string why, DatabaseClassDecision decision)
        {
            Assert.Equal(ScalingVerdict.Refuse, decision.Verdict);
            Assert.Contains(why, decision.Why, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_so_already_or_on_its_way_is_not_asked_for_again()
    {
        Assert.Equal(ScalingVerdict.Wait, Decide(Seen, "db.r6g.large").Verdict);
        Assert.Equal(ScalingVerdict.Wait, Decide(Seen with { Status = "modifying", Pending = ["instanceClass"], PendingClass = "db.r6g.xlarge" }, "db.r6g.xlarge").Verdict);
    }

    private static DatabaseClassDecision Decide(ObservedDatabaseClass? seen, string wanted) => DatabaseClassRules.Decide("managed-database", Allowed, seen, wanted, atOnce: true);
}
