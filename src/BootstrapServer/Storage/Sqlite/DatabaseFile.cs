using System.Globalization;
using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>
/// The file itself: owned by one process at a time, of a format that this release knows, with its tables made on first use.
/// Ownership is an operating system lock beside the file, so it ends with the process however that ends.
/// </summary>
internal sealed class DatabaseFile : IDisposable
{
    /// <summary>Says that a SQLite file is one of ours: "PlOp".</summary>
    private const int ApplicationId = 0x506C4F70;

    /// <summary>Changes whenever a release could not read what another wrote.</summary>
    private const int FormatVersion = 2;

    private readonly FileStream ownership;

    private DatabaseFile(string path, FileStream ownership)
    {
        Path = path;
        this.ownership = ownership;
    }

    public string Path { get; }

    /// <exception cref="StorageException">Another process has the file, or it is not one that this release can use.</exception>
    public static DatabaseFile Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        var file = new DatabaseFile(path, Own(path));
        try
        {
            file.Prepare();
            return file;
        }
        catch (SqliteException e)
        {
            file.Dispose();
            throw SqliteTrouble.With(path, "be used", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public SqliteConnection Connect(bool readOnly)
    {
        var connection = new SqliteConnection(ConnectionString(Path, readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate));
        connection.Open();
        // An answer may only leave when what it says is on disk: FULL syncs the log with each commit.
        Run(connection, readOnly ? "PRAGMA query_only = 1" : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
        return connection;
    }

    public void Dispose() => ownership.Dispose();

    private void Prepare()
    {
        using var connection = Connect(readOnly: false);
        var tables = Number(connection, "SELECT count(*) FROM sqlite_schema");
        var (application, version) = (Number(connection, "PRAGMA application_id"), Number(connection, "PRAGMA user_version"));
        if (tables == 0)
        {
            using var transaction = connection.BeginTransaction();
            Run(connection, $"{DatabaseSchema.Tables} {DatabaseSchema.ClosedRuns} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {FormatVersion};");
            transaction.Commit();
        }
        else if (application != ApplicationId)
        {
            throw new StorageException($"Database file {Path} belongs to another program. Choose another file.");
        }
        else if (version == 1)
        {
            FormatChanges.From1To2(connection);
        }
        else if (version != FormatVersion)
        {
            throw new StorageException($"Database file {Path} has format {version}; this release knows format {FormatVersion}. Use the release that wrote it, or start with another file.");
        }
        Run(connection, $"INSERT OR REPLACE INTO meta VALUES ('owner', '{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}')");
    }

    private static FileStream Own(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path + ".lock"))
        {
            throw new StorageException($"Database file {path} is in use by {Owner(path)}. End that process, or choose another file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"Database file {path} cannot be opened for writing: {e.Message} Make the file and its folder writable for the user of the server, or choose another file.", e);
        }
    }

    private static string Owner(string path)
    {
        try
        {
            using var connection = new SqliteConnection(ConnectionString(path, SqliteOpenMode.ReadOnly));
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT value FROM meta WHERE name = 'owner'";
            return $"process {command.ExecuteScalar()}";
        }
        catch (SqliteException)
        {
            return "another process";
        }
    }

    // Pooling keeps files open behind our back; the store keeps its own connections.
    private static string ConnectionString(string path, SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString();

    private static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
