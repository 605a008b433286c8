using Microsoft.Data.Sqlite;

namespace PlatformOps.BootstrapServer.Storage.Sqlite;

/// <summary>Says what is wrong with a database file, and what to do about it.</summary>
internal static class SqliteTrouble
{
    // SQLite's primary result codes: https://www.sqlite.org/rescode.html
    private const int Busy = 5;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Full = 13;
    private const int CannotOpen = 14;

    /// <param name="cannot">What cannot be done: "be read", "be used".</param>
    public static StorageException With(string path, string cannot, SqliteException e) =>
        new($"Database file {path} cannot {cannot}: {e.Message} {Advice(e.SqliteErrorCode)}", e);

    private static string Advice(int code) => code switch
    {
        Busy => "Another program has it open: end that, and start the server again.",
        ReadOnly or CannotOpen => "Make the file and its folder writable for the user of the server, or choose another file.",
        InputOutput => "Check the disk and the room on it, and start the server again.",
        Full => "Make room on the disk, and start the server again.",
        _ => "Restore it from a copy, or start with another file.",
    };
}
