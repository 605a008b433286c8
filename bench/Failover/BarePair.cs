using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace PlatformOps.Bench.Failover;

/// <summary>Two plain PostgreSQL servers with synchronous streaming replication, and somebody who knows at once that the primary has died: what no failover can be faster than.</summary>
internal sealed class BarePair : IAsyncDisposable
{
    private const string User = "bench";

    private readonly string folder;
    private readonly int first = LocalPostgres.FreePort(), second = LocalPostgres.FreePort();

    private BarePair(string folder) => this.folder = folder;

    /// <summary>Seconds from <c>kill -9</c> of the primary's first process to the first write that the other one acknowledged.</summary>
    public static async Task<double> MeasureAsync()
    {
        await using var pair = new BarePair(await LocalPostgres.FolderAsync());
        await pair.StartAsync();
        await using var other = await LocalPostgres.OpenAsync(pair.second, User);
        // Backends of the dead server may outlive it for a moment; nobody asks them here.
        var postmaster = await LocalPostgres.PostmasterAsync(Path.Combine(pair.folder, "first"));
        var killed = Stopwatch.GetTimestamp();
        LocalPostgres.KillNow([postmaster]);
        await LocalPostgres.RunAsync(other, "SELECT pg_promote(true, 30)");
        await LocalPostgres.RunAsync(other, "ALTER SYSTEM SET synchronous_standby_names = ''");
        await LocalPostgres.RunAsync(other, "SELECT pg_reload_conf()");
        while (true)
        {
            try
            {
                await LocalPostgres.RunAsync(other, "INSERT INTO ledger DEFAULT VALUES");
                return Stopwatch.GetElapsedTime(killed).TotalSeconds;
            }
            catch (PostgresException)
            {
                await Task.Delay(1);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in new[] { "first", "second" })
        {
            try
            {
                await LocalPostgres.ToolAsync("pg_ctl", "-D", Path.Combine(folder, node), "-m", "immediate", "-w", "stop");
            }
            catch (InvalidOperationException)
            {
                // It does not run any more.
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAsync()
    {
        if (LocalPostgres.Binaries is null)
            throw new InvalidOperationException("PostgreSQL is not installed (Debian: apt-get install postgresql).");
        var (one, two) = (Path.Combine(folder, "first"), Path.Combine(folder, "second"));
        await LocalPostgres.ToolAsync("initdb", "-D", one, "-U", User, "-A", "trust", "--no-sync");
        await File.AppendAllTextAsync(Path.Combine(one, "postgresql.conf"), $"""

            unix_socket_directories = '{folder}'
            listen_addresses = '127.0.0.1'
            wal_retrieve_retry_interval = 100ms
            hot_standby = on

            """);
        await ServeAsync(one, first);
        await using (var primary = await LocalPostgres.OpenAsync(first, User))
        {
            await LocalPostgres.RunAsync(primary, "CREATE TABLE ledger (id bigserial PRIMARY KEY)");
            await LocalPostgres.RunAsync(primary, "SELECT pg_create_physical_replication_slot('second')");
            await LocalPostgres.ToolAsync("pg_basebackup", "-D", two, "-R", "-S", "second", "-d", $"host=127.0.0.1 port={first} user={User} application_name=second", "--no-sync");
            await ServeAsync(two, second);
            await LocalPostgres.RunAsync(primary, "ALTER SYSTEM SET synchronous_standby_names = 'second'");
            await LocalPostgres.RunAsync(primary, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
            await LocalPostgres.RunAsync(primary, "SELECT pg_reload_conf()");
            await LocalPostgres.RunAsync(primary, "INSERT INTO ledger DEFAULT VALUES");
        }
    }

    private Task ServeAsync(string data, int port) =>
        LocalPostgres.ToolAsync("pg_ctl", "-D", data, "-o", string.Create(CultureInfo.InvariantCulture, $"-p {port}"), "-l", Path.Combine(folder, $"{port}.log"), "-w", "start");
}
