using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>
/// Keeps the log beside the database file from growing without end. SQLite moves it into the file now and then, but starts it anew
/// only in a moment without readers, which may not come for a long time; here the writer waits for such a moment.
/// </summary>
internal sealed class WriteAheadLog(SqliteConnection connection, string databaseFile)
{
    /// <summary>Sixteen times what SQLite usually lets it grow to: only reached when readers are in the way.</summary>
    public const long Largest = 64 * 1024 * 1024;

    private readonly FileInfo file = new(databaseFile + "-wal");
    private long limit = Largest;

    /// <summary>Called by the writer between two transactions.</summary>
    public void Tend()
    {
        file.Refresh();
        if (!file.Exists || file.Length < limit)
            return;
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            command.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // No transaction is lost: all of them are in the log. If the disk is in trouble, the next commit says so.
        }
        file.Refresh();
        // Somebody reads for very long: not again with each transaction.
        limit = Math.Max(Largest, 2 * file.Length);
    }
}
