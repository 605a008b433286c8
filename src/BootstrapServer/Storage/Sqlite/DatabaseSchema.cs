namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>The tables. A change here is a new format: the version grows, and <see cref="FormatChanges"/> takes older files along.</summary>
internal static class DatabaseSchema
{
    public const string Tables = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE runs (
            key INTEGER PRIMARY KEY, namespace TEXT NOT NULL, workflow TEXT NOT NULL, run TEXT NOT NULL,
            open INTEGER NOT NULL, start BLOB NOT NULL, state BLOB NOT NULL);
        CREATE INDEX runs_of_workflow ON runs (namespace, workflow, key);
        CREATE INDEX runs_open ON runs (key) WHERE open = 1;
        CREATE TABLE rows (
            run INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, kind, id)) WITHOUT ROWID;
        CREATE INDEX rows_outgoing ON rows (run) WHERE kind = 9;
        CREATE TABLE batches (
            run INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, last)) WITHOUT ROWID;
        CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
        """;

    /// <summary>What lists show of closed runs, in the order of lists, so that nobody has to read the runs themselves.</summary>
    public const string ClosedRuns = """
        CREATE TABLE closed (
            key INTEGER PRIMARY KEY, namespace TEXT NOT NULL, workflow TEXT NOT NULL, run TEXT NOT NULL,
            close INTEGER NOT NULL, start INTEGER NOT NULL, record BLOB NOT NULL);
        CREATE INDEX closed_order ON closed (namespace, close DESC, start DESC, run);
        CREATE INDEX closed_of_workflow ON closed (namespace, workflow, close DESC, start DESC, run);
        """;
}
