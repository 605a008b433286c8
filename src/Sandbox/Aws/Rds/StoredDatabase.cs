using System.Globalization;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>All databases, snapshots and clusters of the account, by region and identifier.</summary>
internal sealed class RdsState
{
    public SortedDictionary<string, StoredDatabase> Databases { get; init; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, StoredSnapshot> Snapshots { get; init; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, StoredCluster> Clusters { get; init; } = new(StringComparer.Ordinal);

    /// <summary>By identifier: they belong to no region.</summary>
    public SortedDictionary<string, StoredGlobal> Globals { get; init; } = new(StringComparer.Ordinal);

    public static string Key(string region, string identifier) => $"{region}/{identifier}";
}

/// <summary>A database. What is under way ends at a time: whoever looks later sees it ended.</summary>
internal sealed record StoredDatabase
{
    /// <summary>AWS's authorities sign for a year.</summary>
    private static readonly TimeSpan CertificateLifetime = TimeSpan.FromDays(365);

    public required string Region { get; init; }

    public required string Identifier { get; set; }

    /// <summary>The name that it is on its way to; null: it keeps its own.</summary>
    public string? Renamed { get; set; }

    public string Arn => $"arn:aws:rds:{Region}:{AwsStandIn.Account}:db:{Identifier}";

    public required DateTimeOffset Created { get; init; }

    public string Status { get; set; } = "creating";

    /// <summary>When what is under way ends; null: nothing is.</summary>
    public DateTimeOffset? Until { get; set; }

    public required string Engine { get; init; }

    public required string EngineVersion { get; set; }

    public required string MasterUser { get; init; }

    public required string Class { get; set; }

    public required int Storage { get; set; }

    public required int BackupDays { get; set; }

    public required bool MultipleZones { get; set; }

    public required bool Encrypted { get; init; }

    public required bool Protected { get; set; }

    public bool Public { get; set; }

    public string? DatabaseName { get; init; }

    public string SubnetGroup { get; init; } = "default";

    public List<string> SecurityGroups { get; set; } = ["sg-default"];

    /// <summary>Its master password is in Secrets Manager.</summary>
    public bool ManagesPassword { get; init; }

    /// <summary>SHA-256 of the master user's password; null: nobody outside knows one.</summary>
    public string? PasswordDigest { get; init; }

    public required Dictionary<string, string> Tags { get; init; }

    /// <summary>No other instance ever has it.</summary>
    public string ResourceId { get; init; } = $"db-{Guid.NewGuid():N}".ToUpperInvariant();

    /// <summary>What a change that is under way leads to; null: none is.</summary>
    public PendingChange? Pending { get; set; }

    /// <summary>The key of the instance that it copies.</summary>
    public string? Source { get; set; }

    /// <summary>The key of the Aurora cluster that it is an instance of; null: of none.</summary>
    public string? Cluster { get; init; }

    /// <summary>How often it was restarted.</summary>
    public int Restarts { get; set; }

    /// <summary>Begins something that takes time.</summary>
    public void Begin(string status, DateTimeOffset until, PendingChange? change = null) => (Status, Until, Pending) = (status, until, change);

    /// <summary>What is so when it ended.</summary>
    public void End()
    {
        if (Pending is { } change)
        {
            (Class, EngineVersion, Storage) = (change.Class ?? Class, change.EngineVersion ?? EngineVersion, change.Storage ?? Storage);
            (BackupDays, MultipleZones) = (change.BackupDays ?? BackupDays, change.MultipleZones ?? MultipleZones);
        }

        if (Status == "promoting")
            Source = null;
        (Status, Until, Pending) = ("available", null, null);
    }

    /// <param name="source">The instance that it copies.</param>
    /// <param name="replicas">The instances that copy it.</param>
    public XElement ToXml(StoredDatabase? source, IEnumerable<StoredDatabase> replicas) => new("DBInstance",
        new XElement("DBInstanceIdentifier", Identifier),
        new XElement("DBInstanceArn", Arn),
        new XElement("DbiResourceId", ResourceId),
        new XElement("DBInstanceClass", Class),
        new XElement("DBInstanceStatus", Status),
        Cluster is null ? null : new XElement("DBClusterIdentifier", Cluster[(Cluster.IndexOf('/', StringComparison.Ordinal) + 1)..]),
        new XElement("Engine", Engine),
        new XElement("EngineVersion", EngineVersion),
        new XElement("MasterUsername", MasterUser),
        DatabaseName is null ? null : new XElement("DBName", DatabaseName),
        // There is an address only when the instance was created.
        Status == "creating" ? null : new XElement("Endpoint", new XElement("Address", $"{Identifier}.sandbox.{Region}.rds.amazonaws.com"), new XElement("Port", 5432)),
        new XElement("AllocatedStorage", Storage),
        new XElement("InstanceCreateTime", Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
        new XElement("BackupRetentionPeriod", BackupDays),
        new XElement("MultiAZ", MultipleZones),
        new XElement("DBSubnetGroup", new XElement("DBSubnetGroupName", SubnetGroup)),
        new XElement("VpcSecurityGroups", SecurityGroups.Select(group => new XElement("VpcSecurityGroupMembership", new XElement("VpcSecurityGroupId", group), new XElement("Status", "active")))),
        new XElement("AvailabilityZone", $"{Region}a"),
        new XElement("PubliclyAccessible", Public),
        new XElement("StorageEncrypted", Encrypted),
        new XElement("DeletionProtection", Protected),
        new XElement("CACertificateIdentifier", RdsAuthority.Name),
        Status == "creating" ? null : new XElement("CertificateDetails", new XElement("CAIdentifier", RdsAuthority.Name), new XElement("ValidTill", RdsAuthority.Time(Created + CertificateLifetime))),
        ManagesPassword ? new XElement("MasterUserSecret", new XElement("SecretArn", $"arn:aws:secretsmanager:{Region}:{AwsStandIn.Account}:secret:rds!{ResourceId}"), new XElement("SecretStatus", "active")) : null,
        Pending?.ToXml(),
        source is null || Status == "creating" ? null : new XElement("StatusInfos", new XElement("DBInstanceStatusInfo",
            new XElement("StatusType", "read replication"), new XElement("Normal", true), new XElement("Status", "replicating"))),
        source is null ? null : new XElement("ReadReplicaSourceDBInstanceIdentifier", NameFor(source)),
        new XElement("ReadReplicaDBInstanceIdentifiers", replicas.Select(replica => new XElement("ReadReplicaDBInstanceIdentifier", NameFor(replica)))),
        new XElement("TagList", Tags.Select(tag => new XElement("Tag", new XElement("Key", tag.Key), new XElement("Value", tag.Value)))));

    /// <summary>Instances of other regions are named by their ARN.</summary>
    private string NameFor(StoredDatabase other) => other.Region == Region ? other.Identifier : other.Arn;
}
