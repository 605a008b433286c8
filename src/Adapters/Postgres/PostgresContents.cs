using System.Globalization;
using System.Text.Json;
using Npgsql;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Adapters.Postgres;

/// <summary>What the databases of a server hold: writes down before a set is made how many rows there are, and reads all of what was restored.</summary>
public sealed class PostgresContents(PostgresServer server)
{
    /// <summary>Tables of a database, the largest first: permanent ones of users, since what is temporary or unlogged is in no set. <c>$1</c>: at most so many.</summary>
    public const string Tables = """
        SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_table_size(c.oid) AS bytes, greatest(c.reltuples, -1)::bigint AS estimate,
          (SELECT left(encode(sha256(convert_to(coalesce(string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum), ''), 'UTF8')), 'hex'), 16)
           FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'platformops')
        ORDER BY pg_table_size(c.oid) DESC LIMIT $1
        """;

    /// <summary>Larger tables of a server at work are not read for it: it says what it estimates.</summary>
    public const long CountedUpTo = 64L << 20;

    /// <summary>The largest ones of each database.</summary>
    public const int TablesAtMost = 2000;

    /// <summary>RDS keeps things of its own in a database that lets nobody in.</summary>
    private const string Databases = "SELECT datname::text AS name FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin' ORDER BY datname";

    private const string Mark = "CREATE TABLE IF NOT EXISTS platformops.backup_mark (set text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), tables text NOT NULL)";

    private const string Keep = """
        WITH old AS (DELETE FROM platformops.backup_mark WHERE at < now() - interval '400 days')
        INSERT INTO platformops.backup_mark (set, tables) VALUES (%L, %L) ON CONFLICT (set) DO UPDATE SET at = clock_timestamp(), tables = excluded.tables
        """;

    /// <summary>Reads every B-tree index, and every page of every table.</summary>
    private const string CheckIndexes = """
        SELECT count(bt_index_check(c.oid)) AS count FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree') AND c.relpersistence = 'p' AND i.indisready AND i.indisvalid
        """;

    private const string CheckTables = """
        SELECT format('%I, block %s: %s', c.relname, h.blkno, h.msg) AS trouble FROM pg_class c, LATERAL verify_heapam(c.oid) h WHERE c.relkind IN ('r', 't', 'm') AND c.relpersistence = 'p' LIMIT 5
        """;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes into the database how many rows it has, under the name of the set that is made next.</summary>
    /// <exception cref="AdapterException">It was refused, or the server did not answer.</exception>
    public async Task MarkAsync(string set, CancellationToken ct)
    {
        var counted = await CountAsync(all: false, ct);
        await server.InAsync("write down what a set has to hold", null, async session =>
        {
            await session.DoAsync("CREATE SCHEMA IF NOT EXISTS platformops");
            await session.DoAsync(Mark);
            await session.DoAsync(Keep, set, JsonSerializer.Serialize(counted, Json));
            return true;
        }, ct);
    }

    /// <summary>The marks that are there, with the tables of one of them.</summary>
    /// <param name="set">Whose tables; null: of the newest.</param>
    /// <exception cref="AdapterException">It was refused, or the server did not answer.</exception>
    public Task<FoundMarks> MarksAsync(string? set, CancellationToken ct) => server.InAsync("read what a set has to hold", null, async session =>
    {
        if (await session.CountAsync("SELECT count(to_regclass('platformops.backup_mark')) AS count") == 0)
            return new FoundMarks(new Dictionary<string, DateTimeOffset>(), null);
        var marks = (await session.RowsAsync("SELECT set, at FROM platformops.backup_mark ORDER BY at")).ToDictionary(
            row => (string)row["set"]!, row => DateTimeOffset.Parse((string)row["at"]!, CultureInfo.InvariantCulture));
        var asked = await session.RowsAsync("SELECT tables FROM platformops.backup_mark WHERE set = coalesce(nullif($1, ''), set) ORDER BY at DESC LIMIT 1", set ?? "");
        return new(marks, asked is [var row] ? JsonSerializer.Deserialize<IReadOnlyList<TableRows>>((string)row["tables"]!, Json) : null);
    }, ct);

    /// <summary>How many rows every table has.</summary>
    /// <param name="all">Whether large tables are counted too, and not estimated.</param>
    /// <exception cref="AdapterException">It was refused, or the server did not answer.</exception>
    public async Task<IReadOnlyList<TableRows>> CountAsync(bool all, CancellationToken ct)
    {
        var counted = new List<TableRows>();
        foreach (var database in await DatabasesAsync(ct))
        {
            await server.InAsync("count rows", database, async session =>
            {
                foreach (var table in await session.RowsAsync(Tables, TablesAtMost))
                {
                    var (name, estimate, exact) = ((string)table["name"]!, (long)table["estimate"]!, all || (long)table["bytes"]! <= CountedUpTo);
                    // One that nobody has analysed yet is not estimated either.
                    if (exact || estimate >= 0)
                        counted.Add(new($"{database}.{name}", exact ? await session.CountAsync($"SELECT count(*) AS count FROM {name}") : estimate, exact, (string)table["columns"]!));
                }

                return true;
            }, ct);
        }

        return counted;
    }

    /// <summary>Reads every page of every table and every B-tree index. Nothing stays of it in the database.</summary>
    /// <returns>What is damaged, one sentence each; and how it was looked for.</returns>
    /// <exception cref="AdapterException">It was refused, or the server did not answer.</exception>
    public async Task<(IReadOnlyList<string> Wrong, string Looked)> CheckAsync(CancellationToken ct)
    {
        var (wrong, unchecked_, indexes) = (new List<string>(), new List<string>(), 0L);
        foreach (var database in await DatabasesAsync(ct))
        {
            try
            {
                await server.InAsync("read every table and index", database, async session =>
                {
                    await session.ThenUndoneAsync(async () =>
                    {
                        await session.DoAsync("CREATE EXTENSION IF NOT EXISTS amcheck");
                        indexes += await session.CountAsync(CheckIndexes);
                        wrong.AddRange((await session.RowsAsync(CheckTables)).Select(row => $"{database}: {row["trouble"]}."));
                    });
                    return true;
                }, ct);
            }
            catch (AdapterException failure) when (failure.InnerException is PostgresException { SqlState: ['X', 'X', ..] } damage)
            {
                wrong.Add($"{database}: {damage.MessageText}.");
            }
            catch (AdapterException failure) when (failure.InnerException is PostgresException { SqlState: "42501" or "58P01" or "0A000" or "22023" })
            {
                unchecked_.Add(database);
            }
        }

        return (wrong, unchecked_.Count == 0 ? string.Create(CultureInfo.InvariantCulture, $"Every table was read, and {indexes} B-tree indexes, with amcheck.")
            : $"amcheck may not be used in {string.Join(", ", unchecked_)}: rows were read there, indexes were not.");
    }

    private Task<IReadOnlyList<string>> DatabasesAsync(CancellationToken ct) =>
        server.InAsync<IReadOnlyList<string>>("list databases", null, async session => [.. (await session.RowsAsync(Databases)).Select(row => (string)row["name"]!)], ct);
}

/// <param name="At">When each was written, by the name of its set.</param>
/// <param name="Tables">Of the one that was asked for; null: it is not there.</param>
public sealed record FoundMarks(IReadOnlyDictionary<string, DateTimeOffset> At, IReadOnlyList<TableRows>? Tables);
