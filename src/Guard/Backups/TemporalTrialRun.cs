using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Postgres;
using PlatformOps.Adapters.Temporal;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>Starts a Temporal server on a restored copy where nothing of it gets out, asks it for executions that the tables have, has them replayed, and ends it. The copy is not what was restored any more then: timers go on.</summary>
internal sealed class TemporalTrialRun(GuardParts parts, GuardConfiguration copy, string folder, Func<int> server)
{
    /// <summary>In its network there is nobody else.</summary>
    private const string Address = "127.0.0.1:7233";

    private const string Role = "platformops_trial", OpenOnes = "SELECT count(*) FROM current_executions WHERE state IN (1, 2)";

    /// <summary>What a program that replays ends with when it could not find out: "temporary failure" in sysexits.h, which no runtime ends with by itself.</summary>
    private const int CouldNotFindOut = 75;

    private static readonly TimeSpan SqlPatience = TimeSpan.FromMinutes(5), Look = TimeSpan.FromMilliseconds(100), SettlesIn = TimeSpan.FromSeconds(60);

    private readonly TemporalSettings settings = parts.Configuration.Backup!.Temporal!;

    private string ServerLog => Path.Combine(folder, "temporal.log");

    /// <summary>Tries one database with executions.</summary>
    /// <exception cref="GuardException">It could not be tried: the server did not start, or there is no network without a way out.</exception>
    public async Task<TemporalTrial> TryAsync(TemporalCopyTally tally, CancellationToken ct)
    {
        using var quarantine = await NetworkQuarantine.OpenAsync();
        var (ways, open) = await quarantine.TryOutAsync(ct);
        if (open.Count > 0)
            throw new GuardException($"The network without a way out has one ({string.Join(", ", open)}): no Temporal server is started on the copy.");
        var before = await quarantine.BlockedAsync();
        var environment = await EnvironmentAsync(tally, ct);
        using var process = await quarantine.InAsync(() => Start(settings.Server, environment, ServerLog));
        using var temporal = await quarantine.InAsync(() => TemporalCluster.OpenHere("the quarantine", Address));
        var version = await AnswersAsync(temporal, process, ct);
        var contents = new TemporalContents(temporal);
        var seen = new List<RestoredExecution>();
        foreach (var run in tally.Sampled)
            seen.Add(await contents.ReadAsync(run.Namespace, run.WorkflowId, DashedRun(run.RunId), run.ListedOpen, run.TaskQueue, ct));
        var (kept, listed) = await CountAsync(tally, contents, ct);
        var replay = settings.Replay is { } program ? await ReplayAsync(quarantine, program, environment, seen, ct) : null;
        return new(tally.Persistence, version, tally.Sampled, seen, kept, listed, ways, open, await quarantine.BlockedAsync() - before, replay);
    }

    private static string DashedRun(string run) => Guid.TryParseExact(run, "N", out var id) ? $"{id}" : run;

    /// <summary>A login that is valid in the copy only.</summary>
    private async Task<Dictionary<string, string>> EnvironmentAsync(TemporalCopyTally tally, CancellationToken ct)
    {
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await using (var sql = new ServerSql(copy, server))
        {
            await sql.RunAsync(
                $"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{Role}') THEN CREATE ROLE {Role}; END IF; EXECUTE 'ALTER ROLE {Role} SUPERUSER LOGIN PASSWORD ''{ScramVerifier.Of(new(password))}'''; END $$", SqlPatience, ct);
        }

        var scratch = Path.Combine(folder, "temporal");
        Directory.CreateDirectory(scratch, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        parts.User.Own(scratch);
        return new()
        {
            ["COPY_SOCKET"] = copy.SocketDirectory,
            ["COPY_USER"] = Role,
            ["COPY_PASSWORD"] = password,
            ["COPY_DATABASE"] = tally.Persistence,
            ["COPY_VISIBILITY"] = tally.Visibility ?? "",
            ["COPY_FOLDER"] = scratch,
            ["TEMPORAL_ADDRESS"] = Address,
        };
    }

    private async Task<string> AnswersAsync(TemporalCluster temporal, Process process, CancellationToken ct)
    {
        var began = parts.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                var version = await temporal.VersionAsync(ct);
                // It answers who it is before it has read which namespaces there are.
                if ((await new TemporalNamespaces(temporal).ListAsync(ct)).Count > 0)
                    return version;
            }
            catch (AdapterException failure) when (failure.Kind == AdapterFailureKind.Unavailable)
            {
                // It starts.
            }

            if (process.HasExited)
                throw new GuardException(string.Create(CultureInfo.InvariantCulture, $"The Temporal server on the copy ended with {process.ExitCode} while it started: {LastLine(ServerLog)}"));
            if (parts.Clock.GetElapsedTime(began) > TimeSpan.FromSeconds(settings.StartSeconds))
                throw new GuardException($"The Temporal server on the copy does not answer after {settings.StartSeconds} s: {LastLine(ServerLog)}");
            await Task.Delay(Look, parts.Clock, ct);
        }
    }

    /// <summary>What was still to be listed is listed when the server has run for a moment.</summary>
    private async Task<(long Kept, long? Listed)> CountAsync(TemporalCopyTally tally, TemporalContents contents, CancellationToken ct)
    {
        await using var sql = new ServerSql(copy, server, tally.Persistence);
        var began = parts.Clock.GetTimestamp();
        while (true)
        {
            var kept = (long)(await sql.RunAsync(OpenOnes, SqlPatience, ct))!;
            if (tally.Visibility is null)
                return (kept, null);
            var listed = await contents.CountAllOpenAsync(ct);
            if (listed == kept || parts.Clock.GetElapsedTime(began) > SettlesIn)
                return (kept, listed);
            await Task.Delay(Look, parts.Clock, ct);
        }
    }

    private async Task<TemporalReplay> ReplayAsync(NetworkQuarantine quarantine, string program, Dictionary<string, string> environment, List<RestoredExecution> seen, CancellationToken ct)
    {
        var (list, log) = (Path.Combine(environment["COPY_FOLDER"], "executions.jsonl"), Path.Combine(folder, "replay.log"));
        parts.Settings.WriteFile(list, string.Concat(seen.Select(run => JsonSerializer.Serialize(new Replayed(run.Namespace, run.WorkflowId, run.RunId), GuardWire.Json) + "\n")));
        // It needs no login at the database.
        Dictionary<string, string> given = new() { ["TEMPORAL_ADDRESS"] = Address, ["EXECUTIONS"] = list };
        using var process = await quarantine.InAsync(() => Start(program, given, log));
        try
        {
            await process.WaitForExitAsync(ct).WaitAsync(TimeSpan.FromSeconds(settings.ReplaySeconds), parts.Clock, ct);
        }
        catch (TimeoutException)
        {
            throw new GuardException($"{program} has not ended after {settings.ReplaySeconds} s: {LastLine(log)}");
        }

        return process.ExitCode == CouldNotFindOut ? throw new GuardException($"{program} could not find out whether histories replay: {LastLine(log)}") : new(process.ExitCode == 0, LastLine(log));
    }

    /// <summary>It stands in the copy's data directory: what outlives its guard is found, and ended, as the copy's server is.</summary>
    private Process Start(string program, Dictionary<string, string> environment, string log)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", log, .. parts.User.Run(program)]) { WorkingDirectory = copy.Data };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static string LastLine(string log) => File.Exists(log) && File.ReadLines(log).LastOrDefault(line => line.Length > 0) is { } line ? line.Length <= 400 ? line : line[..400] + "..." : "it said nothing.";

    private sealed record Replayed(string Namespace, string WorkflowId, string RunId);
}
