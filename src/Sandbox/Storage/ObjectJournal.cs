using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace PlatformOps.Sandbox.Storage;

/// <summary>Keeps the objects of one cluster in one SQLite file, so that the next process finds the world as it was left.</summary>
internal sealed class ObjectJournal : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly SqliteCommand put;
    private readonly SqliteCommand remove;
    private readonly SqliteCommand version;

    /// <param name="file">Made when it does not exist; null keeps nothing.</param>
    public ObjectJournal(string? file)
    {
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file ?? ":memory:", Pooling = false }.ToString());
        connection.Open();
        // The world that it stands for survives a killed process (the log is with the operating system by then), not a power cut.
        Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;");
        Run("CREATE TABLE IF NOT EXISTS objects (storage TEXT, namespace TEXT, name TEXT, version INTEGER, json TEXT, PRIMARY KEY (storage, namespace, name)) WITHOUT ROWID;");
        Run("CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;");
        put = Prepare("INSERT OR REPLACE INTO objects VALUES ($storage, $namespace, $name, $version, $json)", "$storage", "$namespace", "$name", "$version", "$json");
        remove = Prepare("DELETE FROM objects WHERE storage = $storage AND namespace = $namespace AND name = $name", "$storage", "$namespace", "$name");
        version = Prepare("INSERT OR REPLACE INTO state VALUES ('version', $version)", "$version");
    }

    /// <summary>The latest resource version that was ever given; 0 for a new world.</summary>
    public long LastVersion()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT value FROM state WHERE name = 'version'";
        return command.ExecuteScalar() is long last ? last : 0;
    }

    public IReadOnlyList<StoredObject> ReadAll()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT storage, namespace, name, version, json FROM objects";
        using var reader = command.ExecuteReader();
        var objects = new List<StoredObject>();
        while (reader.Read())
        {
            var key = new ObjectKey(reader.GetString(0), reader.GetString(1), reader.GetString(2));
            objects.Add(new(key, JsonNode.Parse(reader.GetString(4))!.AsObject(), reader.GetInt64(3)));
        }

        return objects;
    }

    /// <summary>Writes one event; whole or not at all.</summary>
    public void Write(StoreEvent change)
    {
        using var transaction = connection.BeginTransaction();
        var key = change.Object.Key;
        if (change.Type == StoreEventType.Deleted)
            Execute(remove, transaction, key.Storage, key.Namespace, key.Name);
        else
            Execute(put, transaction, key.Storage, key.Namespace, key.Name, change.ResourceVersion, change.Object.Value.ToJsonString(JsonText.Options));
        Execute(version, transaction, change.ResourceVersion);
        transaction.Commit();
    }

    public void Dispose()
    {
        put.Dispose();
        remove.Dispose();
        version.Dispose();
        connection.Dispose();
    }

    private static void Execute(SqliteCommand command, SqliteTransaction transaction, params object[] values)
    {
        command.Transaction = transaction;
        for (var index = 0; index < values.Length; index++)
            command.Parameters[index].Value = values[index];
        command.ExecuteNonQuery();
    }

    private void Run(string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private SqliteCommand Prepare(string text, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var parameter in parameters)
            command.Parameters.Add(new SqliteParameter(parameter, null));
        return command;
    }
}
