namespace PlatformOps.Guard.Postgres;

/// <summary>The statements of the guard beside looking.</summary>
internal static class ServerStatements
{
    /// <summary>What a new pair's database gets: the roles, and the tables of epochs and of the marker.</summary>
    public const string Schema = $"""
        CREATE ROLE {ServerRoles.Replication} LOGIN REPLICATION NOINHERIT;
        GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean), pg_read_binary_file(text),
          pg_read_binary_file(text, bigint, bigint, boolean) TO {ServerRoles.Replication};
        CREATE SCHEMA platformops;
        CREATE TABLE platformops.epoch (epoch bigint PRIMARY KEY, node text NOT NULL, at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE platformops.marker (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL);
        GRANT USAGE ON SCHEMA platformops TO public;
        GRANT SELECT ON platformops.epoch, platformops.marker TO public;
        """;

    /// <summary>Proves that the node takes writes in its epoch: nothing comes back when the database has seen a higher one.</summary>
    public const string WriteEpoch = """
        INSERT INTO platformops.epoch (epoch, node) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM platformops.epoch WHERE epoch > $1)
        ON CONFLICT (epoch) DO UPDATE SET node = excluded.node, at = now() RETURNING epoch
        """;

    /// <summary>The primary's time, for all to see how far a standby is behind.</summary>
    public const string WriteMarker = "INSERT INTO platformops.marker (at) VALUES (clock_timestamp()) ON CONFLICT (one) DO UPDATE SET at = excluded.at";

    public const string EndSessions = $"""
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND usename NOT IN ('{ServerRoles.Guard}', '{ServerRoles.Replication}')
        """;

    /// <summary>A commit that waits for the standby becomes, when it is cancelled, one that has not waited and is acknowledged all the same.</summary>
    public const string WaitsForStandby = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep')";

    /// <summary>The standby's slot, which keeps for it what it has not got.</summary>
    public const string EnsureSlot = """
        SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)
        """;

    /// <summary>A standby keeps nothing for others of what it was as a primary.</summary>
    public const string DropSlots = "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active AND slot_name LIKE 'platformops\\_%'";

    public const string Promote = "SELECT pg_promote(false)";
}
