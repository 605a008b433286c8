using System.Diagnostics;
using System.Globalization;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Demos;

/// <summary>How long a full backup, its restore and its verification took, beside pgBackRest and PostgreSQL alone on the same machine, data and bucket.</summary>
/// <param name="Bytes">Of the database.</param>
/// <param name="BackupSeconds">The runbook, from its start to its result.</param>
/// <param name="BareBackupSeconds"><c>pgbackrest backup --type=full</c>.</param>
/// <param name="RestoreSeconds">Of the verification: from the order to a server that lets in.</param>
/// <param name="BareRestoreSeconds"><c>pgbackrest restore</c>, and a server started on it until it lets in.</param>
/// <param name="VerifySeconds">The runbook of the verification: the restore, reading all of it, comparing and cleaning up.</param>
internal sealed record BackupTimes(long Bytes, double BackupSeconds, double BareBackupSeconds, double RestoreSeconds, double BareRestoreSeconds, double VerifySeconds);

/// <summary>pgBackRest and PostgreSQL as somebody uses them by hand, with the configuration that the guard of a node has written.</summary>
internal sealed class BarePgBackRest(GuardConfiguration node)
{
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly ServerUser user = new(node.ServerUser);

    /// <returns>Seconds.</returns>
    public Task<double> BackUpAsync(CancellationToken ct) => TimedAsync(() => RunAsync([.. Tool, "--type=full", "backup"], ct));

    /// <summary>Restores a set into a folder, and starts a server on it until it lets in. Then both go.</summary>
    /// <returns>Seconds.</returns>
    public async Task<double> RestoreAsync(string label, string folder, CancellationToken ct)
    {
        var (data, log) = (Path.Combine(folder, "data"), Path.Combine(folder, "log"));
        Directory.CreateDirectory(data);
        user.Own(folder);
        user.Own(data);
        try
        {
            return await TimedAsync(async () =>
            {
                await RunAsync(["chmod", "700", data], ct);
                await RunAsync([.. Tool, $"--pg1-path={data}", "--archive-mode=off", $"--set={label}", "restore"], ct);
                await RunAsync(
                    [Path.Combine(node.Binaries, "pg_ctl"), "start", "--wait", "--pgdata", data, "--log", log, "--options", $"-c listen_addresses= -c unix_socket_directories={folder} -c ssl=off -c archive_mode=off -c synchronous_standby_names="], ct);
                // It lets in for reading before it has read all of the log.
                await FailoverWorld.UntilAsync($"a restored server lets in: {log}", async () => (await File.ReadAllTextAsync(log, ct)).Contains("database system is ready to accept connections", StringComparison.Ordinal), ct, TimeSpan.FromMinutes(30));
            });
        }
        finally
        {
            if (File.Exists(Path.Combine(data, "postmaster.pid")))
                await RunAsync([Path.Combine(node.Binaries, "pg_ctl"), "stop", "--mode", "immediate", "--pgdata", data], CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }
    }

    private IReadOnlyList<string> Tool => [node.Backup!.Program, $"--config={PgBackRest.ConfigurationFile(node)}", $"--stanza={node.Backup.Stanza}"];

    private async Task RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        // Not piped: a server that it starts would keep the pipe open.
        string[] words = [.. user.Run(command)];
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", .. words]) { WorkingDirectory = "/" };
        start.Environment["PGPASSFILE"] = Path.Combine(node.State, "pgbackrest.pass");
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
            throw new CommandFailure(ExitCode.Failure, "What is measured beside us does not work.", string.Create(CultureInfo.InvariantCulture, $"{string.Join(' ', command)} ended with {process.ExitCode}."), "Run it by hand while the demo runs.");
    }

    private static async Task<double> TimedAsync(Func<Task> work)
    {
        var began = Clock.GetTimestamp();
        await work();
        return Clock.GetElapsedTime(began).TotalSeconds;
    }
}
