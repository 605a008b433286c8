using System.Globalization;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>A database. What is under way ends at a time: whoever looks later sees it ended.</summary>
internal sealed class StoredDatabase(string region, string identifier)
{
    private readonly Queue<(DateTimeOffset At, Action End)> underWay = new();

    public string Region => region;

    public string Identifier => identifier;

    public string Arn { get; } = $"arn:aws:rds:{region}:{AwsStandIn.Account}:db:{identifier}";

    public required DateTimeOffset Created { get; init; }

    public string Status { get; private set; } = "creating";

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

    public required Dictionary<string, string> Tags { get; init; }

    /// <summary>The instance that it copies.</summary>
    public StoredDatabase? Source { get; set; }

    public List<StoredDatabase> Replicas { get; } = [];

    /// <summary>Begins something that takes time.</summary>
    /// <param name="end">What is so afterwards.</param>
    public void Begin(string status, DateTimeOffset until, Action? end = null)
    {
        Status = status;
        underWay.Enqueue((until, End));

        void End()
        {
            Status = "available";
            end?.Invoke();
        }
    }

    /// <summary>Ends what is over by now.</summary>
    public void Advance(DateTimeOffset now)
    {
        while (underWay.TryPeek(out var next) && next.At <= now)
        {
            underWay.Dequeue();
            next.End();
        }
    }

    /// <summary>What it is now, for a snapshot that must not follow it.</summary>
    public StoredDatabase Frozen() => new(region, identifier)
    {
        Created = Created,
        Engine = Engine,
        EngineVersion = EngineVersion,
        MasterUser = MasterUser,
        Class = Class,
        Storage = Storage,
        BackupDays = BackupDays,
        MultipleZones = MultipleZones,
        Encrypted = Encrypted,
        Protected = Protected,
        Public = Public,
        DatabaseName = DatabaseName,
        Tags = new(Tags),
    };

    public XElement ToXml() => new("DBInstance",
        new XElement("DBInstanceIdentifier", identifier),
        new XElement("DBInstanceArn", Arn),
        new XElement("DBInstanceClass", Class),
        new XElement("DBInstanceStatus", Status),
        new XElement("Engine", Engine),
        new XElement("EngineVersion", EngineVersion),
        new XElement("MasterUsername", MasterUser),
        DatabaseName is null ? null : new XElement("DBName", DatabaseName),
        // There is an address only when the instance was created.
        Status == "creating" ? null : new XElement("Endpoint", new XElement("Address", $"{identifier}.sandbox.{region}.rds.amazonaws.com"), new XElement("Port", 5432)),
        new XElement("AllocatedStorage", Storage),
        new XElement("InstanceCreateTime", Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
        new XElement("BackupRetentionPeriod", BackupDays),
        new XElement("MultiAZ", MultipleZones),
        new XElement("AvailabilityZone", $"{region}a"),
        new XElement("PubliclyAccessible", Public),
        new XElement("StorageEncrypted", Encrypted),
        new XElement("DeletionProtection", Protected),
        Source is null ? null : new XElement("ReadReplicaSourceDBInstanceIdentifier", NameFor(Source)),
        new XElement("ReadReplicaDBInstanceIdentifiers", Replicas.Select(replica => new XElement("ReadReplicaDBInstanceIdentifier", NameFor(replica)))),
        new XElement("TagList", Tags.Select(tag => new XElement("Tag", new XElement("Key", tag.Key), new XElement("Value", tag.Value)))));

    /// <summary>Instances of other regions are named by their ARN.</summary>
    private string NameFor(StoredDatabase other) => other.Region == region ? other.Identifier : other.Arn;
}
