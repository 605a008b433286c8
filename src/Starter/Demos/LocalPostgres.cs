using System.Diagnostics;
using System.Globalization;
using Npgsql;
using PlatformOps.Starter.CommandLine;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Starter.Demos;

/// <summary>A real PostgreSQL server on loopback that logs every statement. It is gone afterwards.</summary>
internal sealed class LocalPostgres : IAsyncDisposable
{
    public const string Owner = "provisioner";

    private readonly string folder;

    private LocalPostgres(string folder, int port, string password) => (this.folder, Address, Password) = (folder, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), password);

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Of <see cref="Owner"/>, who may do everything.</summary>
    public string Password { get; }

    /// <summary>Holds <see cref="Password"/>.</summary>
    public string PasswordFile => Path.Combine(folder, "password");

    /// <summary>What the server says, with every statement.</summary>
    public string LogFile => Path.Combine(folder, "log");

    /// <exception cref="CommandFailure">PostgreSQL is not installed, or does not start.</exception>
    public static async Task<LocalPostgres> StartAsync(string folder, CancellationToken ct)
    {
        if (LocalPair.Binaries is null)
            throw new CommandFailure(ExitCode.Failure, "PostgreSQL is not installed here.", "A real server is needed.", "Debian: apt-get install postgresql");
        Directory.CreateDirectory(folder);
        var port = LocalPorts.Take();
        var server = new LocalPostgres(folder, port, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(server.PasswordFile, server.Password, ct);
        // The server runs as another user when we are root.
        await server.ShellAsync("chmod 711 \"$1\" \"$1\"/..; chmod 644 \"$2\"; [ $(id -u) != 0 ] || chown postgres \"$1\"", ct, folder, server.PasswordFile);
        await server.RunAsync("initdb", ct, "-D", Path.Combine(folder, "data"), "-U", Owner, "--pwfile", server.PasswordFile, "--auth=scram-sha-256", "--no-sync");
        await server.ShellAsync("printf %s \"$2\" >> \"$1\"", ct, Path.Combine(folder, "data", "postgresql.conf"), string.Create(CultureInfo.InvariantCulture, $"""

            listen_addresses = '127.0.0.1'
            port = {port}
            unix_socket_directories = ''
            fsync = off
            log_statement = all
            max_connections = 500

            """));
        await server.RunAsync("pg_ctl", ct, "-D", Path.Combine(folder, "data"), "-l", server.LogFile, "-w", "start");
        return server;
    }

    public string ConnectionString(string login, string password, string application) =>
        $"Host=127.0.0.1;Port={Address[(Address.IndexOf(':') + 1)..]};Username={login};Password={password};Database=postgres;SSL Mode=Disable;Pooling=false;Timeout=30;Application Name={application}";

    /// <summary>Whether it lets somebody in.</summary>
    public async Task<bool> LetsInAsync(string login, string password, string application, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString(login, password, application));
            await connection.OpenAsync(ct);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(ct);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState is "28P01" or "28000")
        {
            return false;
        }
    }

    /// <summary>Logins that were refused so far, by the server's own account.</summary>
    public async Task<int> RefusedAsync(CancellationToken ct)
    {
        await using var open = new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(open);
        return (await reader.ReadToEndAsync(ct)).Split('\n').Count(line => line.Contains("FATAL:", StringComparison.Ordinal)
            && (line.Contains("authentication failed", StringComparison.Ordinal) || line.Contains("is not permitted to log in", StringComparison.Ordinal)));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await RunAsync("pg_ctl", CancellationToken.None, "-D", Path.Combine(folder, "data"), "-m", "immediate", "-w", "stop");

    private Task RunAsync(string program, CancellationToken ct, params string[] arguments) => ShellAsync(
        "[ $(id -u) != 0 ] || set -- setpriv --reuid=postgres --regid=postgres --init-groups \"$@\"; \"$@\" >/dev/null </dev/null", ct, [Path.Combine(LocalPair.Binaries!, program), .. arguments]);

    private async Task ShellAsync(string script, CancellationToken ct, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, "sh", .. arguments]) { RedirectStandardError = true, WorkingDirectory = "/" })!;
        var errors = await process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
            throw new CommandFailure(ExitCode.Failure, "PostgreSQL cannot be started.", errors.Trim(), $"Look whether its user may reach {folder}.");
    }
}
