using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PlatformOps.Bench.Failover;

/// <summary>Two plain PostgreSQL servers with synchronous streaming replication, and somebody who knows at once that the primary has died: what no failover can be faster than.</summary>
internal sealed class BarePair : IAsyncDisposable
{
    private static readonly string? Binaries = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    private readonly string folder = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
    private readonly int first = FreePort(), second = FreePort();

    private BarePair()
    {
    }

    /// <summary>Seconds from <c>kill -9</c> of the primary's first process to the first write that the other one acknowledged.</summary>
    public static async Task<double> MeasureAsync()
    {
        await using var pair = new BarePair();
        await pair.StartAsync();
        await using var other = await OpenAsync(pair.second);
        // Backends of the dead server may outlive it for a moment; nobody asks them here.
        var postmaster = int.Parse((await File.ReadAllLinesAsync(Path.Combine(pair.folder, "first", "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        var killed = Stopwatch.GetTimestamp();
        using (var victim = Process.GetProcessById(postmaster))
            victim.Kill();
        await RunAsync(other, "SELECT pg_promote(true, 30)");
        await RunAsync(other, "ALTER SYSTEM SET synchronous_standby_names = ''");
        await RunAsync(other, "SELECT pg_reload_conf()");
        while (true)
        {
            try
            {
                await RunAsync(other, "INSERT INTO ledger DEFAULT VALUES");
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
                await ToolAsync("pg_ctl", "-D", Path.Combine(folder, node), "-m", "immediate", "-w", "stop");
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
        if (Binaries is null)
            throw new InvalidOperationException("PostgreSQL is not installed (Debian: apt-get install postgresql).");
        using (var give = Process.Start("chown", ["postgres", folder]))
            await give.WaitForExitAsync();
        var (one, two) = (Path.Combine(folder, "first"), Path.Combine(folder, "second"));
        await ToolAsync("initdb", "-D", one, "-U", "bench", "-A", "trust", "--no-sync");
        await File.AppendAllTextAsync(Path.Combine(one, "postgresql.conf"), $"""

            unix_socket_directories = '{folder}'
            listen_addresses = '127.0.0.1'
            wal_retrieve_retry_interval = 100ms
            hot_standby = on

            """);
        await ServeAsync(one, first);
        await using (var primary = await OpenAsync(first))
        {
            await RunAsync(primary, "CREATE TABLE ledger (id bigserial PRIMARY KEY)");
            await RunAsync(primary, "SELECT pg_create_physical_replication_slot('second')");
            await ToolAsync("pg_basebackup", "-D", two, "-R", "-S", "second", "-d", $"host=127.0.0.1 port={first} user=bench application_name=second", "--no-sync");
            await ServeAsync(two, second);
            await RunAsync(primary, "ALTER SYSTEM SET synchronous_standby_names = 'second'");
            await RunAsync(primary, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
            await RunAsync(primary, "SELECT pg_reload_conf()");
            await RunAsync(primary, "INSERT INTO ledger DEFAULT VALUES");
        }
    }

    private Task ServeAsync(string data, int port) => ToolAsync("pg_ctl", "-D", data, "-o", string.Create(CultureInfo.InvariantCulture, $"-p {port}"), "-l", Path.Combine(folder, $"{port}.log"), "-w", "start");

    private static async Task<NpgsqlConnection> OpenAsync(int port)
    {
        var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=bench;Database=postgres;Pooling=false;SSL Mode=Disable"));
        await connection.OpenAsync();
        return connection;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static async Task ToolAsync(string tool, params string[] arguments)
    {
        string[] words = [.. Environment.UserName == "root" ? new[] { "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups" } : [], Path.Combine(Binaries!, tool), .. arguments];
        // Not piped: a server that it starts would keep the pipe open.
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", .. words]))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{tool} ended with {process.ExitCode}.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
