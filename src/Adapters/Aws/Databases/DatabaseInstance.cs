namespace PlatformOps.Adapters.Aws.Databases;

/// <summary>A managed database as RDS reports it.</summary>
/// <param name="Status">RDS's word: <c>available</c>, <c>creating</c>, <c>modifying</c>, ...</param>
/// <param name="Address"><c>host:port</c>; null until there is one.</param>
/// <param name="ReplicaOf">The identifier of the instance that it copies, an ARN when that is in another region; null: none.</param>
/// <param name="Replicas">Identifiers of the instances that copy it, ARNs when they are in another region.</param>
public sealed record DatabaseInstance(
    string Identifier,
    string Arn,
    string Status,
    string Engine,
    string EngineVersion,
    string Class,
    int StorageGigabytes,
    int BackupDays,
    bool MultipleZones,
    bool Encrypted,
    bool DeletionProtection,
    bool PubliclyAccessible,
    string? Address,
    string? ReplicaOf,
    IReadOnlyList<string> Replicas,
    DateTimeOffset? LatestRestorable,
    IReadOnlyDictionary<string, string> Tags)
{
    /// <summary>RDS's own id, which no other instance ever has, also not one of the same name.</summary>
    public string? ResourceId { get; init; }

    public string? DatabaseName { get; init; }

    public string? MasterUser { get; init; }

    /// <summary>RDS makes the master password, keeps it in Secrets Manager and rotates it there.</summary>
    public bool ManagesPassword { get; init; }

    public string? SubnetGroup { get; init; }

    /// <summary>Who signed its server certificate, by RDS's name: <c>rds-ca-rsa2048-g1</c>; null: RDS does not say.</summary>
    public string? Authority { get; init; }

    /// <summary>Until when its server certificate is valid; null: RDS does not say.</summary>
    public DateTimeOffset? CertificateEnds { get; init; }

    public IReadOnlyList<string> SecurityGroups { get; init; } = [];

    /// <summary>Asked for and not carried out yet; empty: nothing.</summary>
    public DatabaseChange Pending { get; init; } = new();

    /// <summary>Of a replica: RDS's word for its replication, such as <c>replicating</c> or <c>error</c>; null: it does not say.</summary>
    public string? Replication { get; init; }

    /// <summary>Whether RDS calls that normal; null: it does not say.</summary>
    public bool? ReplicatesNormally { get; init; }

    /// <summary>It answers and nothing is being done to it.</summary>
    public bool Available => Status == "available";

    /// <summary>Something is being done to it that ends by itself, and until then RDS refuses changes. Words that are not known here are left to RDS.</summary>
    public bool Busy => Status is "backing-up" or "creating" or "maintenance" or "modifying" or "promoting" or "rebooting" or "renaming"
        or "resetting-master-credentials" or "starting" or "stopping" or "upgrading";
}

/// <summary>A new database.</summary>
public sealed record NewDatabase
{
    /// <summary>Decided by the caller, never by chance: it is what makes creating it twice impossible.</summary>
    public required string Identifier { get; init; }

    /// <summary>For example <c>postgres</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>Null: what RDS prefers.</summary>
    public string? EngineVersion { get; init; }

    /// <summary>For example <c>db.r6g.large</c>.</summary>
    public required string Class { get; init; }

    public required int StorageGigabytes { get; init; }

    /// <summary>0..35; 0 switches backups, and with them replicas, off.</summary>
    public int BackupDays { get; init; } = 7;

    public bool MultipleZones { get; init; }

    public bool DeletionProtection { get; init; } = true;

    /// <summary>Null: the key of the account.</summary>
    public string? EncryptionKey { get; init; }

    public string? SubnetGroup { get; init; }

    public IReadOnlyList<string> SecurityGroups { get; init; } = [];

    /// <summary>Null: none is created.</summary>
    public string? DatabaseName { get; init; }

    public required string MasterUser { get; init; }
}

/// <summary>What to change; null stays as it is.</summary>
public sealed record DatabaseChange
{
    public string? EngineVersion { get; init; }

    public string? Class { get; init; }

    public int? StorageGigabytes { get; init; }

    public int? BackupDays { get; init; }

    public bool? MultipleZones { get; init; }

    public bool? DeletionProtection { get; init; }

    public IReadOnlyList<string>? SecurityGroups { get; init; }
}

/// <summary>Where a new instance lives.</summary>
public sealed record DatabasePlacement
{
    public string? Class { get; init; }

    public bool? MultipleZones { get; init; }

    public bool DeletionProtection { get; init; } = true;

    public string? SubnetGroup { get; init; }

    public IReadOnlyList<string> SecurityGroups { get; init; } = [];

    /// <summary>In the target's region; a copy of an encrypted instance of another region needs one. Null: as the source.</summary>
    public string? EncryptionKey { get; init; }
}

/// <summary>What happened to a database, as RDS tells it.</summary>
public sealed record DatabaseEvent(string Source, DateTimeOffset At, string Message, IReadOnlyList<string> Categories);
