using Microsoft.Data.Sqlite;

namespace PlatformOps.Sandbox.Aws;

/// <summary>What the account remembers: bytes by path. Those of a file are read from it when they are asked for.</summary>
internal sealed class AwsStorage : IDisposable
{
    private readonly Lock gate = new();
    private readonly SqliteConnection file;

    /// <param name="path">Made when it does not exist; null keeps everything in memory.</param>
    public AwsStorage(string? path)
    {
        file = new(new SqliteConnectionStringBuilder { DataSource = path ?? ":memory:", Pooling = false }.ToString());
        file.Open();
        using var command = file.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE IF NOT EXISTS entries (path TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;";
        command.ExecuteNonQuery();
    }

    public byte[]? Get(string path)
    {
        lock (gate)
        {
            using var command = Command("SELECT value FROM entries WHERE path = $path", path);
            return command.ExecuteScalar() as byte[];
        }
    }

    public void Put(string path, byte[] value)
    {
        lock (gate)
        {
            using var command = Command("INSERT OR REPLACE INTO entries VALUES ($path, $value)", path);
            command.Parameters.AddWithValue("$value", value);
            command.ExecuteNonQuery();
        }
    }

    public void Remove(string path)
    {
        lock (gate)
        {
            using var command = Command("DELETE FROM entries WHERE path = $path", path);
            command.ExecuteNonQuery();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private SqliteCommand Command(string text, string path)
    {
        var command = file.CreateCommand();
        command.CommandText = text;
        command.Parameters.AddWithValue("$path", path);
        return command;
    }
}
