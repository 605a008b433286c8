using Microsoft.Data.Sqlite;
using PlatformOps.BootstrapServer.Executions;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>Takes a file that an older release wrote along, in one transaction: whoever stops in between finds the file as it was.</summary>
internal static class FormatChanges
{
    /// <summary>Format 2 keeps what lists show of closed runs in a table; before, it was read from all runs at each start.</summary>
    public static void From1To2(SqliteConnection connection)
    {
        using var transaction = connection.BeginTransaction();
        using var change = Command(connection, DatabaseSchema.ClosedRuns);
        change.ExecuteNonQuery();
        using var read = Command(connection, "SELECT key, namespace, workflow, run, start, state FROM runs WHERE open = 0");
        using var write = Command(connection, "INSERT INTO closed VALUES ($1, $2, $3, $4, $5, $6, $7)");
        using (var reader = read.ExecuteReader())
        {
            while (reader.Read())
            {
                var name = new RunName(reader.GetString(1), reader.GetString(2), reader.GetString(3));
                var stored = new StoredRun(reader.GetInt64(0), name, Open: false, SqliteStore.Bytes(reader, 4), SqliteStore.Bytes(reader, 5));
                var closed = ClosedRecords.Of(stored);
                object[] values = [closed.Key, name.NamespaceId, name.WorkflowId, name.RunId, closed.Place.CloseTicks, closed.Place.StartTicks, closed.Record];
                write.Parameters.Clear();
                for (var i = 0; i < values.Length; i++)
                    write.Parameters.AddWithValue($"${i + 1}", values[i]);
                write.ExecuteNonQuery();
            }
        }
        using var version = Command(connection, "PRAGMA user_version = 2");
        version.ExecuteNonQuery();
        transaction.Commit();
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
