using System.Text.Json;
using Microsoft.Extensions.Logging;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>How many rows every table of a server has. Written into the database itself before a set is made, so that whatever is restored says what it has to hold.</summary>
internal static class TableCounts
{
    private const string Table = "CREATE TABLE IF NOT EXISTS platformops.table_rows (at timestamptz PRIMARY KEY DEFAULT clock_timestamp(), tables text NOT NULL)";

    private const string Keep = "WITH old AS (DELETE FROM platformops.table_rows WHERE at < now() - interval '40 days') INSERT INTO platformops.table_rows (tables) VALUES ($1)";

    private const string IsKept = "SELECT to_regclass('platformops.table_rows')::text", Kept = "SELECT tables FROM platformops.table_rows ORDER BY at DESC LIMIT 1";

    private const string Databases = "SELECT array_agg(datname::text ORDER BY datname) FROM pg_database WHERE datallowconn AND NOT datistemplate";

    private const string Tables = $"SELECT coalesce(json_agg(t), '[]')::text FROM ({PostgresContents.Tables}) t";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For one table, of a copy that nobody else waits for.</summary>
    private static readonly TimeSpan LongPatience = TimeSpan.FromHours(1);

    /// <summary>Counts, and writes it into the database. What cannot be counted keeps no set from being made.</summary>
    public static async Task KeepAsync(GuardParts parts, CancellationToken ct)
    {
        try
        {
            var counted = await CountAsync(parts.Configuration, () => parts.Server.Id, all: false, ct);
            await parts.SlowSql.RunAsync(Table, Patience, ct);
            await parts.SlowSql.RunAsync(Keep, Patience, ct, JsonSerializer.Serialize(counted, GuardWire.Json));
        }
        catch (GuardException failure)
        {
            parts.Log.LogWarning("The rows of tables were not counted before the backup: {Failure}", failure.Message);
        }
    }

    /// <summary>What was counted last before the moment that a server has.</summary>
    /// <returns>Null: nothing was.</returns>
    public static async Task<IReadOnlyList<TableRows>?> KeptAsync(ServerSql sql, CancellationToken ct) =>
        await sql.RunAsync(IsKept, Patience, ct) is not null && await sql.RunAsync(Kept, Patience, ct) is string kept ? JsonSerializer.Deserialize<IReadOnlyList<TableRows>>(kept, GuardWire.Json) : null;

    /// <param name="all">Whether large tables are counted too, and not estimated.</param>
    public static async Task<IReadOnlyList<TableRows>> CountAsync(GuardConfiguration configuration, Func<int> server, bool all, CancellationToken ct)
    {
        var counted = new List<TableRows>();
        foreach (var database in await DatabasesAsync(configuration, server, ct))
        {
            await using var sql = new ServerSql(configuration, server, database);
            foreach (var table in JsonSerializer.Deserialize<IReadOnlyList<Found>>((string)(await sql.RunAsync(Tables, Patience, ct, PostgresContents.TablesAtMost))!, GuardWire.Json)!)
            {
                var exact = all || table.Bytes <= PostgresContents.CountedUpTo;
                // One that nobody has analysed yet is not estimated either.
                if (exact || table.Estimate >= 0)
                    counted.Add(new($"{database}.{table.Name}", exact ? (long)(await sql.RunAsync($"SELECT count(*) FROM {table.Name}", all ? LongPatience : Patience, ct))! : table.Estimate, exact, table.Columns));
            }
        }

        return counted;
    }

    /// <summary>Every database that lets in and is no template.</summary>
    public static async Task<string[]> DatabasesAsync(GuardConfiguration configuration, Func<int> server, CancellationToken ct)
    {
        await using var sql = new ServerSql(configuration, server);
        return (string[]?)await sql.RunAsync(Databases, Patience, ct) ?? [];
    }

    /// <param name="Name">Quoted.</param>
    private sealed record Found(string Name, long Bytes, long Estimate, string Columns);
}
