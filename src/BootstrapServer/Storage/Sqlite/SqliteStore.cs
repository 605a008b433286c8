using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>Keeps everything in one SQLite file: one writer with group commit, readers beside it.</summary>
internal sealed class SqliteStore : IStore
{
    /// <summary>Runs read together on recovery.</summary>
    private const int Slice = 1_000;

    private const string RunColumns = "key, namespace, workflow, run, open, start, state";

    private readonly DatabaseFile file;
    private readonly TransactionWriter writer;
    private readonly GroupCommit commits;
    private readonly ConcurrentBag<SqliteConnection> readers = [];
    private long lastKey;

    /// <exception cref="StorageException">The file cannot be used; the message says why.</exception>
    public SqliteStore(string path)
    {
        file = DatabaseFile.Open(path);
        var connection = file.Connect(readOnly: false);
        writer = new TransactionWriter(connection);
        commits = new GroupCommit(file.Path, writer, new WriteAheadLog(connection, file.Path));
        lastKey = Read("SELECT coalesce(max(key), 0) FROM runs", [], r => r.GetInt64(0))[0];
    }

    public long NextRunKey() => Interlocked.Increment(ref lastKey);

    public Task Commit(Transaction transaction) => commits.Add(transaction);

    public Task Flushed() => commits.Last;

    public StoredRun? FindLatest(string namespaceId, string workflowId) =>
        Runs("WHERE namespace = $1 AND workflow = $2 ORDER BY key DESC LIMIT 1", namespaceId, workflowId).FirstOrDefault();

    public StoredRun? Find(RunName name) =>
        Runs("WHERE namespace = $1 AND workflow = $2 AND run = $3 ORDER BY key DESC LIMIT 1", name.NamespaceId, name.WorkflowId, name.RunId).FirstOrDefault();

    public StoredRun? Find(long key) => Runs("WHERE key = $1", key).FirstOrDefault();

    public IReadOnlyList<StoredRow> Rows(long run) => Read(
        "SELECT kind, id, data FROM rows WHERE run = $1", [run], r => new StoredRow((RowKind)r.GetInt32(0), r.GetString(1), Bytes(r, 2)));

    public IReadOnlyList<EventBatch> History(long run, long fromEventId, long beforeEventId) => Read(
        "SELECT first, last, data FROM batches WHERE run = $1 AND last >= $2 AND first < $3 ORDER BY last",
        [run, fromEventId, beforeEventId],
        r => new EventBatch(r.GetInt64(0), r.GetInt64(1), Bytes(r, 2)));

    public IEnumerable<RecoveredRun> OpenRuns()
    {
        List<StoredRun> slice;
        for (var after = 0L; (slice = Runs($"WHERE open = 1 AND key > $1 ORDER BY key LIMIT {Slice}", after)).Count > 0; after = slice[^1].Key)
        {
            var rows = Read(
                "SELECT run, kind, id, data FROM rows WHERE run IN (SELECT key FROM runs WHERE open = 1 AND key BETWEEN $1 AND $2)",
                [slice[0].Key, slice[^1].Key],
                r => (Run: r.GetInt64(0), Row: new StoredRow((RowKind)r.GetInt32(1), r.GetString(2), Bytes(r, 3)))).ToLookup(r => r.Run, r => r.Row);
            foreach (var run in slice)
                yield return new RecoveredRun(run, [.. rows[run.Key]]);
        }
    }

    public IEnumerable<RecoveredRun> ClosedRunsWithOutgoing() =>
        Runs($"WHERE open = 0 AND key IN (SELECT run FROM rows WHERE kind = {(int)RowKind.Outgoing}) ORDER BY key").Select(run => new RecoveredRun(run, Rows(run.Key)));

    public IReadOnlyList<ClosedRun> ClosedRuns(string namespaceId, string? workflowId, ListKey? after, int most) => ClosedRunQuery.Slice(this, namespaceId, workflowId, after, most);

    public IReadOnlyList<ClosedRun> OldestClosedRuns(string namespaceId, DateTimeOffset closedUntil, int most) =>
        ClosedRunQuery.Oldest(this, namespaceId, closedUntil, most);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Documents(string kind) => Read(
        "SELECT id, data FROM documents WHERE kind = $1", [kind], r => KeyValuePair.Create(r.GetString(0), Bytes(r, 1)));

    public ValueTask DisposeAsync()
    {
        commits.Dispose();
        while (readers.TryTake(out var reader))
            reader.Dispose();
        writer.Dispose();
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    private List<StoredRun> Runs(string which, params object[] values) => Read($"SELECT {RunColumns} FROM runs {which}", values, r =>
        new StoredRun(r.GetInt64(0), new RunName(r.GetString(1), r.GetString(2), r.GetString(3)), r.GetBoolean(4), Bytes(r, 5), Bytes(r, 6)));

    /// <summary>Reads with a connection of its own: each read sees what was committed before it, and holds up nobody.</summary>
    internal List<T> Read<T>(string sql, object[] values, Func<SqliteDataReader, T> make)
    {
        var connection = readers.TryTake(out var free) ? free : file.Connect(readOnly: true);
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
                command.Parameters.AddWithValue($"${i + 1}", values[i]);
            var found = new List<T>();
            using var reader = command.ExecuteReader();
            while (reader.Read())
                found.Add(make(reader));
            return found;
        }
        catch (SqliteException e)
        {
            throw SqliteTrouble.With(file.Path, "be read", e);
        }
        finally
        {
            readers.Add(connection);
        }
    }

    internal static byte[] Bytes(SqliteDataReader reader, int column) => reader.GetFieldValue<byte[]>(column);
}
