using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;

namespace PlatformOps.Bench.Failover;

/// <summary>What every pair of servers on loopback needs: Debian's programs, ports, the server's user, and processes that can be killed.</summary>
internal static class LocalPostgres
{
    private const int Kill = 9;

    /// <summary>The bin directory of the newest PostgreSQL of Debian on this machine; null: there is none.</summary>
    public static string? Binaries { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : null;

    /// <summary>PostgreSQL refuses to run as root.</summary>
    public static IEnumerable<string> AsServerUser => Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : [];

    /// <summary>A new folder that the server's user owns.</summary>
    public static async Task<string> FolderAsync()
    {
        var folder = Directory.CreateTempSubdirectory("platformops-bench-").FullName;
        if (Environment.UserName == "root")
        {
            using var give = Process.Start("chown", ["postgres", folder]);
            await give.WaitForExitAsync();
        }

        return folder;
    }

    public static async Task<NpgsqlConnection> OpenAsync(int port, string user)
    {
        var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username={user};Database=postgres;Pooling=false;SSL Mode=Disable;Timeout=2;Command Timeout=30"));
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public static async Task<object?> RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Runs one of PostgreSQL's programs to its end.</summary>
    public static async Task ToolAsync(string tool, params string[] arguments)
    {
        string[] words = [.. AsServerUser, Path.Combine(Binaries!, tool), .. arguments];
        // Not piped: a server that it starts would keep the pipe open.
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", .. words]))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{tool} ended with {process.ExitCode}.");
    }

    /// <summary>The first process of the server on a data directory.</summary>
    public static async Task<int> PostmasterAsync(string data) => int.Parse((await File.ReadAllLinesAsync(Path.Combine(data, "postmaster.pid")))[0], CultureInfo.InvariantCulture);

    /// <summary>All processes of the server on a data directory: they stand in it.</summary>
    public static IReadOnlyList<int> Processes(string data) =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => name!.All(char.IsAsciiDigit)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(process => StandsIn(process, data))];

    public static void KillNow(IEnumerable<int> processes)
    {
        foreach (var process in processes)
            _ = Signal(process, Kill);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool StandsIn(int process, string data)
    {
        try
        {
            return Directory.ResolveLinkTarget($"/proc/{process}/cwd", returnFinalTarget: false)?.FullName == data;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
