using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace PlatformOps.Sandbox.Aws.Rds;

/// <summary>The operations of RDS. Creating, changing, promoting and deleting take as long as the clock says.</summary>
internal sealed partial class RdsCalls(AwsStorage storage, TimeProvider time, double scale, TimeSpan lag)
{
    private static readonly TimeSpan Creating = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Changing = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Promoting = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Rebooting = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Deleting = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private readonly Kept<RdsState> state = new(storage, "rds");

    private SortedDictionary<string, StoredDatabase> Databases => state.Value.Databases;

    public XElement CarryOut(AwsCall call)
    {
        lock (gate)
        {
            Advance();
            var answer = call.Operation switch
            {
                "CreateDBInstance" => Create(call),
                "CreateDBInstanceReadReplica" => CreateReplica(call),
                "DescribeCertificates" => RdsAuthority.Describe(call),
                "DescribeDBInstances" => Describe(call),
                "DescribeOrderableDBInstanceOptions" => RdsOffers.Describe(call),
                "ModifyDBInstance" => Modify(call),
                "PromoteReadReplica" => Promote(call),
                "RebootDBInstance" => Reboot(call),
                "RestoreDBInstanceToPointInTime" => Restore(call),
                "DeleteDBInstance" => Delete(call),
                "AddTagsToResource" => AddTags(call),
                "RemoveTagsFromResource" => RemoveTags(call),
                "CreateGlobalCluster" => CreateGlobal(call),
                "DescribeGlobalClusters" => DescribeGlobals(call),
                "SwitchoverGlobalCluster" => SwitchOver(call),
                "FailoverGlobalCluster" => FailOver(call),
                "CreateDBCluster" => CreateCluster(call),
                "DescribeDBClusters" => DescribeClusters(call),
                "ModifyDBCluster" => ModifyCluster(call),
                "CreateDBSnapshot" => CreateSnapshot(call),
                "DescribeDBSnapshots" => DescribeSnapshots(call),
                "CopyDBSnapshot" => CopySnapshot(call),
                "DeleteDBSnapshot" => DeleteSnapshot(call),
                "RestoreDBInstanceFromDBSnapshot" => RestoreSnapshot(call),
                _ => throw AwsFailure.InvalidAction(call),
            };
            state.Write();
            return answer;
        }
    }

    /// <summary>Whether an instance would let its master user in with a password: there is no server to ask.</summary>
    public bool AcceptsLogin(string region, string identifier, string user, string password)
    {
        lock (gate)
            return Databases.GetValueOrDefault(RdsState.Key(region, identifier)) is { PasswordDigest: { } digest } database && database.MasterUser == user && digest == Digest(password);
    }

    /// <summary>What clients would meet.</summary>
    public DatabaseSight? LookAt(string region, string identifier)
    {
        lock (gate)
        {
            Advance();
            var key = RdsState.Key(region, identifier);
            if (Clusters.TryGetValue(key, out var cluster))
            {
                var (whole, writer) = (Globals.Values.FirstOrDefault(whole => whole.Members.Contains(key)), Databases.Values.Where(instance => instance.Cluster == key).MinBy(instance => instance.Created));
                // In a switchover the primary stops writing first; a failover does not ask it.
                var writes = cluster.IsReady(time.GetUtcNow()) && (whole is null || (whole.Members[0] == key && (whole.Target is null || whole.Loses)));
                return new(writes && writer is { Status: not "rebooting" }, writer?.Restarts ?? 0, [.. cluster.SecurityGroups]);
            }

            return Databases.GetValueOrDefault(key) is { } database ? new(database is { Source: null, Status: not ("creating" or "rebooting" or "deleting") }, database.Restarts, [.. database.SecurityGroups]) : null;
        }
    }

    /// <summary>Ends what is over by now.</summary>
    private void Advance()
    {
        AdvanceGlobals();
        foreach (var database in Databases.Values.Where(database => database.Until <= time.GetUtcNow()).ToList())
        {
            if (database.Status != "deleting")
            {
                Rename(database);
                database.End();
                continue;
            }

            Databases.Remove(Key(database));
            // What is left of the replicas are instances of their own.
            foreach (var replica in ReplicasOf(database))
                replica.Source = null;
        }
    }

    /// <summary>It had its old name until now. What copies it goes on doing so.</summary>
    private void Rename(StoredDatabase database)
    {
        if (database.Renamed is not { } name)
            return;
        var replicas = ReplicasOf(database).ToList();
        Databases.Remove(Key(database));
        (database.Identifier, database.Renamed) = (name, null);
        Databases[Key(database)] = database;
        foreach (var replica in replicas)
            replica.Source = Key(database);
    }

    private XElement Create(AwsCall call)
    {
        if (call.Text("DBClusterIdentifier") is { } cluster)
            return CreateMember(call, Cluster(call.Region, cluster));
        var database = new StoredDatabase
        {
            Region = call.Region,
            Identifier = NewIdentifier(call, "DBInstanceIdentifier"),
            Created = time.GetUtcNow(),
            Engine = call.Required("Engine") is "postgres" ? "postgres" : throw AwsFailure.Invalid("Invalid DB engine: the sandbox has postgres"),
            EngineVersion = call.Text("EngineVersion") ?? "16.4",
            MasterUser = call.Required("MasterUsername"),
            Class = call.Required("DBInstanceClass"),
            Storage = call.Number("AllocatedStorage") is >= 20 and <= 65536 and var size ? size : throw AwsFailure.Invalid("Invalid storage size: 20 to 65536 are expected"),
            BackupDays = Retention(call) ?? 1,
            MultipleZones = call.Flag("MultiAZ") ?? false,
            Encrypted = call.Flag("StorageEncrypted") ?? false,
            Protected = call.Flag("DeletionProtection") ?? false,
            Public = call.Flag("PubliclyAccessible") ?? false,
            DatabaseName = call.Text("DBName"),
            ManagesPassword = call.Flag("ManageMasterUserPassword") ?? false,
            SubnetGroup = call.Text("DBSubnetGroupName") ?? "default",
            Tags = call.Tags(),
        };
        call.Flag("AutoMinorVersionUpgrade");
        if (database.ManagesPassword)
        {
            if (call.Text("MasterUserPassword") is not null)
                throw AwsFailure.Combination("You can't specify MasterUserPassword when ManageMasterUserPassword is enabled");
        }
        else
            database = database with { PasswordDigest = Password(call.Required("MasterUserPassword")) };
        call.Text("KmsKeyId");
        database.SecurityGroups = Placement(call);
        return Begin(call, database);
    }

    private XElement CreateMember(AwsCall call, StoredCluster cluster)
    {
        if (call.Required("Engine") != Aurora)
            throw AwsFailure.Combination($"The engine of a member of {cluster.Identifier} is {Aurora}");
        return Begin(call, new StoredDatabase
        {
            Region = call.Region,
            Identifier = NewIdentifier(call, "DBInstanceIdentifier"),
            Created = time.GetUtcNow(),
            Cluster = RdsState.Key(cluster.Region, cluster.Identifier),
            Engine = Aurora,
            EngineVersion = "16.4",
            MasterUser = "",
            Class = call.Required("DBInstanceClass"),
            Storage = 1,
            BackupDays = 1,
            MultipleZones = false,
            Encrypted = false,
            Protected = false,
            Tags = call.Tags(),
        });
    }

    private XElement CreateReplica(AwsCall call)
    {
        var identifier = NewIdentifier(call, "DBInstanceIdentifier");
        var (region, name) = SourceOf(call, call.Required("SourceDBInstanceIdentifier"), "db");
        var source = Existing(region, name);
        if (source.Status != "available" || source.BackupDays == 0)
            throw State(source.BackupDays == 0 ? $"Automated backups are not enabled for this database instance: {source.Identifier}" : $"{source.Identifier} is not in the available state");
        if (source.ManagesPassword)
            throw AwsFailure.Invalid($"Creating read replicas for source instance with engine {source.Engine} where ManageMasterUserPassword is enabled is not supported.");
        var key = call.Text("KmsKeyId");
        if (source.Region != call.Region && source.Encrypted && key is null)
            throw AwsFailure.Combination("A KMS key of this region is required to replicate an encrypted instance of another region (KmsKeyId)");
        var replica = Copy(call, identifier, source);
        replica.Source = Key(source);
        return Begin(call, replica);
    }

    private XElement Restore(AwsCall call)
    {
        var identifier = NewIdentifier(call, "TargetDBInstanceIdentifier");
        var source = Existing(call.Region, call.Required("SourceDBInstanceIdentifier"));
        if ((call.Text("RestoreTime") is null) == (call.Flag("UseLatestRestorableTime") != true))
            throw AwsFailure.Combination("Either RestoreTime or UseLatestRestorableTime must be given");
        if (source.BackupDays == 0)
            throw new AwsFailure(400, "PointInTimeRestoreNotEnabled", $"Automated backups are not enabled for {source.Identifier}");
        return Begin(call, Copy(call, identifier, source));
    }

    private XElement Describe(AwsCall call)
    {
        var wanted = call.Text("DBInstanceIdentifier");
        call.Number("MaxRecords");
        call.NothingElse();
        var found = wanted is null ? Databases.Values.Where(database => database.Region == call.Region && database.Created + lag <= time.GetUtcNow()) : [Existing(call.Region, wanted)];
        return call.Answer(new XElement("DBInstances", found.Select(Xml)));
    }

    private XElement Modify(AwsCall call)
    {
        var database = Available(call);
        if (call.Flag("ApplyImmediately") != true)
            throw AwsFailure.Invalid("The sandbox has no maintenance windows: ApplyImmediately must be true");
        var (type, version, storage, backups, zones, guarded) =
            (call.Text("DBInstanceClass"), call.Text("EngineVersion"), call.Number("AllocatedStorage"), Retention(call), call.Flag("MultiAZ"), call.Flag("DeletionProtection"));
        if (storage < database.Storage)
            throw AwsFailure.Combination("Invalid storage size for an existing instance: it cannot shrink");
        if (Version.TryParse(version, out var wanted) && Version.TryParse(database.EngineVersion, out var now) && wanted < now)
            throw AwsFailure.Combination($"Cannot upgrade {database.Engine} from {now} to {wanted}");
        if (call.List("VpcSecurityGroupIds", "VpcSecurityGroupId") is { Count: > 0 } groups)
            database.SecurityGroups = [.. groups];
        database.Renamed = call.Text("NewDBInstanceIdentifier") is { } name ? NewIdentifier(call, "NewDBInstanceIdentifier", name) : null;
        call.NothingElse();
        // Protection is a switch of the API, not of the machine.
        database.Protected = guarded ?? database.Protected;
        database.Begin(database.Renamed is null ? "modifying" : "renaming", After(Changing), new(type, version, storage, backups, zones));
        return call.Answer(Xml(database));
    }

    private XElement AddTags(AwsCall call)
    {
        var (arn, tags) = (call.Required("ResourceName"), call.Tags());
        call.NothingElse();
        var tagged = TagsOf(arn);
        foreach (var (key, value) in tags)
            tagged[key] = value;
        return call.Answer();
    }

    private XElement RemoveTags(AwsCall call)
    {
        var (arn, keys) = (call.Required("ResourceName"), call.List("TagKeys", "member"));
        call.NothingElse();
        var tagged = TagsOf(arn);
        foreach (var key in keys)
            tagged.Remove(key);
        return call.Answer();
    }

    private Dictionary<string, string> TagsOf(string arn) =>
        Databases.Values.FirstOrDefault(database => database.Arn == arn)?.Tags ?? Clusters.Values.FirstOrDefault(cluster => cluster.Arn == arn)?.Tags
        ?? throw new AwsFailure(404, "DBInstanceNotFound", $"{arn} not found.");

    private XElement Promote(AwsCall call)
    {
        var database = Available(call);
        var backups = Retention(call);
        call.NothingElse();
        if (database.Source is null)
            throw State($"DB Instance is not a read replica: {database.Identifier}");
        database.Begin("promoting", After(Promoting), new(null, null, null, backups, null));
        return call.Answer(Xml(database));
    }

    private XElement Reboot(AwsCall call)
    {
        var database = Available(call);
        call.NothingElse();
        database.Restarts++;
        database.Begin("rebooting", After(Rebooting));
        return call.Answer(Xml(database));
    }

    private XElement Delete(AwsCall call)
    {
        var database = Existing(call.Region, call.Required("DBInstanceIdentifier"));
        var (skip, final) = (call.Flag("SkipFinalSnapshot") ?? false, call.Text("FinalDBSnapshotIdentifier"));
        call.NothingElse();
        if (database.Protected)
            throw AwsFailure.Combination("Cannot delete protected DB Instance, please disable deletion protection and try again.");
        if (database.Status == "deleting")
            throw State($"{database.Identifier} is already being deleted");
        if (skip == final is not null)
            throw AwsFailure.Combination("Either SkipFinalSnapshot or FinalDBSnapshotIdentifier must be given");
        if (final is not null)
            Take(database, Unused(call, final), new(database.Tags));
        database.Begin("deleting", After(Deleting));
        return call.Answer(Xml(database));
    }

    private StoredDatabase Copy(AwsCall call, string identifier, StoredDatabase source)
    {
        var copy = new StoredDatabase
        {
            Region = call.Region,
            Identifier = identifier,
            Created = time.GetUtcNow(),
            Engine = source.Engine,
            EngineVersion = source.EngineVersion,
            MasterUser = source.MasterUser,
            Class = call.Text("DBInstanceClass") ?? source.Class,
            Storage = source.Storage,
            BackupDays = source.BackupDays,
            MultipleZones = call.Flag("MultiAZ") ?? false,
            Encrypted = source.Encrypted,
            Protected = call.Flag("DeletionProtection") ?? false,
            Public = call.Flag("PubliclyAccessible") ?? false,
            DatabaseName = source.DatabaseName,
            PasswordDigest = source.PasswordDigest,
            SubnetGroup = call.Text("DBSubnetGroupName") ?? "default",
            Tags = call.Tags(),
        };
        copy.SecurityGroups = Placement(call);
        return copy;
    }

    private XElement Begin(AwsCall call, StoredDatabase database)
    {
        call.NothingElse();
        Databases.Add(Key(database), database);
        database.Begin("creating", After(Creating));
        return call.Answer(Xml(database));
    }

    private XElement Xml(StoredDatabase database) => database.ToXml(database.Source is { } source ? Databases.GetValueOrDefault(source) : null, ReplicasOf(database));

    private IEnumerable<StoredDatabase> ReplicasOf(StoredDatabase database) => Databases.Values.Where(replica => replica.Source == Key(database));

    private static string Key(StoredDatabase database) => RdsState.Key(database.Region, database.Identifier);

    private DateTimeOffset After(TimeSpan duration) => time.GetUtcNow() + duration * scale;

    private string NewIdentifier(AwsCall call, string parameter) => NewIdentifier(call, parameter, call.Required(parameter));

    private string NewIdentifier(AwsCall call, string parameter, string identifier)
    {
        if (!Identifier().IsMatch(identifier) || identifier.Contains("--", StringComparison.Ordinal) || identifier.EndsWith('-'))
            throw AwsFailure.Invalid($"The parameter {parameter} is not a valid identifier. Identifiers begin with a letter, have letters, digits and single hyphens, and do not end with one.");
        return Databases.ContainsKey(RdsState.Key(call.Region, identifier)) ? throw new AwsFailure(400, "DBInstanceAlreadyExists", "DB instance already exists") : identifier;
    }

    private StoredDatabase Existing(string region, string identifier) => Databases.GetValueOrDefault(RdsState.Key(region, identifier))
        ?? throw new AwsFailure(404, "DBInstanceNotFound", $"DBInstance {identifier} not found.");

    private StoredDatabase Available(AwsCall call)
    {
        var database = Existing(call.Region, call.Required("DBInstanceIdentifier"));
        return database.Status == "available" ? database : throw State($"Database instance is not in available state: {database.Identifier} is {database.Status}");
    }

    /// <summary>An ARN of another region asks for a call that is signed for that region.</summary>
    private static (string Region, string Identifier) SourceOf(AwsCall call, string name, string kind)
    {
        var presigned = call.Text("PreSignedUrl");
        if (name.Split(':') is not ["arn", "aws", "rds", var region, _, var itsKind, var identifier] || itsKind != kind)
            return (call.Region, name);
        if (region != call.Region && (presigned is null || !presigned.Contains($"%2F{region}%2Frds%2Faws4_request", StringComparison.Ordinal)
                || !presigned.Contains($"DestinationRegion={call.Region}", StringComparison.Ordinal) || !presigned.Contains("X-Amz-Signature=", StringComparison.Ordinal)))
            throw AwsFailure.Invalid($"PreSignedUrl must be a call of {call.Operation} that is signed for {region}");
        return (region, identifier);
    }

    private static int? Retention(AwsCall call) => call.Number("BackupRetentionPeriod") switch
    {
        > 35 => throw AwsFailure.Invalid("Invalid backup retention period: 0 to 35 are expected"),
        var days => days,
    };

    private static string Password(string password)
    {
        if (password.Length is < 8 or > 128 || password.Any(letter => letter is '/' or '@' or '"' or ' ' || !char.IsBetween(letter, '!', '~')))
            throw AwsFailure.Invalid("The parameter MasterUserPassword is not a valid password.");
        return Digest(password);
    }

    private static string Digest(string password) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(password)));

    /// <summary>Networks are not modelled: groups are kept, and mean nothing.</summary>
    private static List<string> Placement(AwsCall call)
    {
        call.Flag("CopyTagsToSnapshot");
        return call.List("VpcSecurityGroupIds", "VpcSecurityGroupId") is { Count: > 0 } groups ? [.. groups] : ["sg-default"];
    }

    private static AwsFailure State(string message) => new(400, "InvalidDBInstanceState", message);

    [GeneratedRegex("^[a-zA-Z][a-zA-Z0-9-]{0,62}$")]
    private static partial Regex Identifier();
}
