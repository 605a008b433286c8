using PlatformOps.Adapters.Aws.Databases;
using PlatformOps.Adapters.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>Which instance of RDS is the primary, also in the middle of a failover.</summary>
public sealed class RdsPrimaryTests
{
    private const string Closed = "platformops.io/open-security-groups", Epoch = "platformops.io/epoch";

    [Fact]
    public void It_is_the_one_that_is_no_replica_and_not_the_one_that_a_failover_has_left_behind()
    {
        Assert.Equal("east", Primary(Instance("east"), Instance("west", replicaOf: "east")));
        Assert.Equal("west", Primary(Instance("east", tags: [(Closed, "sg-1"), (Epoch, "2")]), Instance("west", tags: [(Epoch, "2")])));
        Assert.Equal("west", Primary(Instance("east", tags: [(Epoch, "1")]), Instance("west", tags: [(Epoch, "2")])));
        Assert.Equal("west", Primary(Instance("east"), Instance("west", tags: [(Epoch, "1")])));
    }

    [Fact]
    public void When_it_cannot_be_told_none_is()
    {
        Assert.Null(Primary());
        Assert.Null(Primary(Instance("east", replicaOf: "west"), Instance("west", replicaOf: "east")));
        Assert.Null(Primary(Instance("east"), Instance("west")));
        Assert.Null(Primary(Instance("east", tags: [(Closed, "sg-1")]), Instance("west", replicaOf: "east")));
    }

    private static string? Primary(params DatabaseInstance[] instances) => RdsPrimary.Among(instances)?.Identifier;

    private static DatabaseInstance Instance(string name, string? replicaOf = null, params (string Key, string Value)[] tags) => new(
        name, $"arn:aws:rds:us-east-1:1:db:{name}", "available", "postgres", "16.4", "db.r6g.large", 100, 7, true, true, true, false, $"{name}.example.com", replicaOf, [], null,
        tags.ToDictionary(tag => tag.Key, tag => tag.Value));
}
