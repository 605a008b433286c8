using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>An Aurora cluster. Its instances are databases that name it.</summary>
internal sealed record StoredCluster
{
    public required string Region { get; init; }

    public required string Identifier { get; init; }

    public string Arn => $"arn:aws:rds:{Region}:{AwsStandIn.Account}:cluster:{Identifier}";

    /// <summary>When it is available; before, it is being created, or made anew as a secondary.</summary>
    public required DateTimeOffset Ready { get; set; }

    public required List<string> SecurityGroups { get; set; }

    public required Dictionary<string, string> Tags { get; init; }

    public bool IsReady(DateTimeOffset now) => Ready <= now;

    /// <param name="instances">Of it, in the order of their creation: the first one writes.</param>
    public XElement ToXml(DateTimeOffset now, IEnumerable<StoredDatabase> instances) => new("DBCluster",
        new XElement("DBClusterIdentifier", Identifier),
        new XElement("DBClusterArn", Arn),
        new XElement("Status", IsReady(now) ? "available" : "creating"),
        new XElement("Engine", RdsCalls.Aurora),
        new XElement("DBClusterMembers", instances.Select((instance, index) => new XElement("DBClusterMember",
            new XElement("DBInstanceIdentifier", instance.Identifier), new XElement("IsClusterWriter", index == 0)))),
        new XElement("VpcSecurityGroups", SecurityGroups.Select(group => new XElement("VpcSecurityGroupMembership", new XElement("VpcSecurityGroupId", group), new XElement("Status", "active")))),
        new XElement("TagList", Tags.Select(tag => new XElement("Tag", new XElement("Key", tag.Key), new XElement("Value", tag.Value)))));
}

/// <summary>A global database: clusters of several regions, of which one writes.</summary>
internal sealed record StoredGlobal
{
    public required string Identifier { get; init; }

    /// <summary>Keys of the clusters, that of the primary first.</summary>
    public List<string> Members { get; init; } = [];

    /// <summary>The key of the member that a change under way makes primary; null: none is.</summary>
    public string? Target { get; set; }

    public DateTimeOffset? Until { get; set; }

    /// <summary>Whether the change goes on without the primary.</summary>
    public bool Loses { get; set; }

    /// <param name="arn">Of a member, by its key.</param>
    /// <param name="follows">Whether a secondary has caught up, by its key.</param>
    public XElement ToXml(Func<string, string> arn, Func<string, bool> follows) => new("GlobalCluster",
        new XElement("GlobalClusterIdentifier", Identifier),
        new XElement("GlobalClusterArn", $"arn:aws:rds::{AwsStandIn.Account}:global-cluster:{Identifier}"),
        new XElement("Status", Target is null ? "available" : Loses ? "failing-over" : "switching-over"),
        new XElement("Engine", RdsCalls.Aurora),
        new XElement("GlobalClusterMembers", Members.Select((member, index) => new XElement("GlobalClusterMember",
            new XElement("DBClusterArn", arn(member)),
            new XElement("IsWriter", index == 0),
            index == 0 ? new XElement("Readers", Members.Skip(1).Select(reader => new XElement("member", arn(reader)))) : null,
            index == 0 ? null : new XElement("SynchronizationStatus", follows(member) ? "connected" : "pending-resync")))),
        Target is null ? null : new XElement("FailoverState",
            new XElement("Status", Loses ? "failing-over" : "switching-over"),
            new XElement("FromDbClusterArn", arn(Members[0])),
            new XElement("ToDbClusterArn", arn(Target)),
            new XElement("IsDataLossAllowed", Loses)));
}
