using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>Puts transactions into statements, prepared once. Used by one thread.</summary>
internal sealed class TransactionWriter : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly List<SqliteCommand> commands = [];
    private readonly SqliteCommand begin;
    private readonly SqliteCommand commit;
    private readonly SqliteCommand createRun;
    private readonly SqliteCommand updateRun;
    private readonly SqliteCommand putClosed;
    private readonly SqliteCommand putRow;
    private readonly SqliteCommand deleteRow;
    private readonly SqliteCommand addBatch;
    private readonly SqliteCommand putDocument;
    private readonly SqliteCommand deleteDocument;
    private readonly SqliteCommand[] deleteRun;

    public TransactionWriter(SqliteConnection connection)
    {
        this.connection = connection;
        begin = Prepare("BEGIN IMMEDIATE");
        commit = Prepare("COMMIT");
        createRun = Prepare("INSERT INTO runs VALUES ($1, $2, $3, $4, $5, $6, $7)", 7);
        updateRun = Prepare("UPDATE runs SET open = $2, state = $3 WHERE key = $1", 3);
        putClosed = Prepare("INSERT OR REPLACE INTO closed VALUES ($1, $2, $3, $4, $5, $6, $7)", 7);
        putRow = Prepare("INSERT INTO rows VALUES ($1, $2, $3, $4) ON CONFLICT DO UPDATE SET data = excluded.data", 4);
        deleteRow = Prepare("DELETE FROM rows WHERE run = $1 AND kind = $2 AND id = $3", 3);
        addBatch = Prepare("INSERT INTO batches VALUES ($1, $2, $3, $4)", 4);
        putDocument = Prepare("INSERT INTO documents VALUES ($1, $2, $3) ON CONFLICT DO UPDATE SET data = excluded.data", 3);
        deleteDocument = Prepare("DELETE FROM documents WHERE kind = $1 AND id = $2", 2);
        deleteRun =
        [
            Prepare("DELETE FROM runs WHERE key = $1", 1),
            Prepare("DELETE FROM closed WHERE key = $1", 1),
            Prepare("DELETE FROM rows WHERE run = $1", 1),
            Prepare("DELETE FROM batches WHERE run = $1", 1),
        ];
    }

    /// <summary>Writes all of them and returns when they are on disk. After an exception nothing of them is.</summary>
    public void Write(IEnumerable<Transaction> transactions)
    {
        begin.ExecuteNonQuery();
        foreach (var transaction in transactions)
            Write(transaction);
        commit.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (var command in commands)
            command.Dispose();
        connection.Dispose();
    }

    private void Write(Transaction transaction)
    {
        foreach (var change in transaction.Runs)
            Write(change);
        foreach (var key in transaction.DeletedRuns)
        {
            foreach (var command in deleteRun)
                Execute(command, key);
        }
        foreach (var (kind, id, data) in transaction.Documents)
        {
            if (data is null)
                Execute(deleteDocument, kind, id);
            else
                Execute(putDocument, kind, id, data);
        }
    }

    private void Write(RunChange change)
    {
        if (change.Created is { } created)
            Execute(createRun, change.Key, created.Name.NamespaceId, created.Name.WorkflowId, created.Name.RunId, change.Open, created.Start, change.State ?? []);
        else if (change.State is not null && Execute(updateRun, change.Key, change.Open, change.State) == 0)
            return; // deleted meanwhile
        if (change.Closed is { } closed)
            Execute(putClosed, change.Key, closed.Name.NamespaceId, closed.Name.WorkflowId, closed.Name.RunId, closed.Place.CloseTicks, closed.Place.StartTicks, closed.Record);
        foreach (var (kind, id, data) in change.Rows)
        {
            if (data is null)
                Execute(deleteRow, change.Key, (int)kind, id);
            else
                Execute(putRow, change.Key, (int)kind, id, data);
        }
        foreach (var batch in change.Batches)
            Execute(addBatch, change.Key, batch.LastEventId, batch.FirstEventId, batch.Data);
    }

    private SqliteCommand Prepare(string sql, int parameters = 0)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= parameters; i++)
            command.Parameters.Add(new SqliteParameter { ParameterName = "$" + i });
        commands.Add(command);
        return command;
    }

    private static int Execute(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        return command.ExecuteNonQuery();
    }
}
