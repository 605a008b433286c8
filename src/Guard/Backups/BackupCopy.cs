using System.Globalization;
using System.Text.Json;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;

namespace PlatformOps.Guard.Backups;

/// <summary>A set that was restored beside the node's own server. Nobody but the guard reaches it: it listens on a socket in a directory that is closed to others, and lets in the guard's role alone.
/// One at a time.</summary>
internal sealed class BackupCopy(GuardParts parts)
{
    /// <summary>What it must not do, whatever the configuration says that was restored with it: nothing of it leads out.</summary>
    private const string Isolation = """

        # Added by platformops guard for a copy: nothing of it leads out.
        archive_mode = 'off'
        archive_command = ''
        max_logical_replication_workers = 0
        cron.launch_active_jobs = 'off'

        """;

    /// <summary>How far back markers are compared: older ones may have been removed meanwhile.</summary>
    private static readonly TimeSpan Compared = TimeSpan.FromHours(24);

    private static readonly TimeSpan SqlPatience = TimeSpan.FromSeconds(30);

    /// <summary>Of a copy that reads the log of weeks before it lets in.</summary>
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromHours(12);

    /// <summary>A short name: the path of a socket may not be long.</summary>
    private string Folder => Path.Combine(parts.Configuration.State, "q");

    private GuardConfiguration Own => parts.Configuration with { Data = Path.Combine(Folder, "data"), State = Folder, Backup = null };

    private string OrderFile => Path.Combine(Folder, "order.json");

    private string DoneFile => Path.Combine(Folder, "restored.json");

    /// <summary>Restores, and starts a server on what was restored. What an earlier attempt did is done.</summary>
    public async Task<RestoredCopy> RestoreAsync(BackupOrder order, PgBackRest tool, Action<string> progress, CancellationToken ct)
    {
        var held = Order();
        if (held is not null && held.Operation != order.Operation)
            throw new GuardException($"{held.Operation} holds the copy of {held.Label} on {parts.Configuration.Node}: one at a time. Let it end; the next verification of the store removes what is left of it.");
        if (held is null)
            Begin(order);
        if (File.Exists(DoneFile) && new DataDirectory(Own.Data).Ready())
            return Read<RestoredCopy>(DoneFile);
        var ordered = Order()!.OrderedAt;
        using var server = Server();
        await server.StopAsync(TimeSpan.Zero, ct);
        progress("Restoring.");
        await tool.RestoreAsync(order.Label!, Own.Data, order.Target, progress, ct);
        progress("Reading the log.");
        var upTo = await StartAsync(server, ct);
        var restored = new RestoredCopy(ordered, parts.Clock.GetUtcNow() - ordered, upTo ?? ordered);
        Write(DoneFile, restored);
        return restored;
    }

    /// <summary>Reads all of it, and compares what has to be in it with the node's own server.</summary>
    public async Task<CopyFindings> ProbeAsync(BackupOrder order, Action<string> progress, CancellationToken ct)
    {
        if (Order() is not { } held || held.Operation != order.Operation || !File.Exists(DoneFile))
            throw new GuardException($"There is no copy of {order.Operation} on {parts.Configuration.Node}: restore it first.");
        var (wrong, right) = (new List<string>(), new List<string>());
        using var server = Server();
        await server.StartAsync(new(), GuardDuties.StartPatience, ct);
        await using var copy = new ServerSql(Own, () => server.Id);
        progress("Reading every table and index.");
        await CheckPagesAsync(wrong, right, ct);
        progress("Comparing with the server.");
        await CompareNamesAsync(copy, wrong, right, ct);
        var rpo = await CompareMarkersAsync(copy, held, TimeSpan.FromSeconds(order.RpoSeconds), wrong, right, ct);
        return new(wrong, right, rpo);
    }

    /// <summary>Removes whatever was restored here, whoever's it is.</summary>
    /// <returns>What was there.</returns>
    public async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken ct)
    {
        if (!Directory.Exists(Folder))
            return [];
        var what = Order() is { } held ? $"the copy of {held.Label}" : "what was left of a copy";
        using (var server = Server())
            await server.StopAsync(TimeSpan.Zero, ct);
        Directory.Delete(Folder, recursive: true);
        return Directory.Exists(Folder) || new DataDirectory(Own.Data).Processes().Count > 0
            ? throw new GuardException($"{Folder} was removed and is there again: look who works in it.")
            : [what];
    }

    private ServerProcess Server() => new(Own, parts.User, new(Own, parts.User), parts.Clock, parts.Log, () => { });

    private void Begin(BackupOrder order)
    {
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(Own.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        parts.User.Own(Own.Data);
        Write(OrderFile, new CopyOrder(order.Operation, order.Label!, order.Target, parts.Clock.GetUtcNow()));
    }

    /// <returns>The time of the newest change that it has; null: none came after the set.</returns>
    private async Task<DateTimeOffset?> StartAsync(ServerProcess server, CancellationToken ct)
    {
        await File.AppendAllTextAsync(Path.Combine(Own.Data, "postgresql.auto.conf"), Isolation, ct);
        try
        {
            await server.StartAsync(new(), RecoveryPatience, ct);
            await using var sql = new ServerSql(Own, () => server.Id);
            while (await sql.RunAsync("SELECT pg_is_in_recovery()", SqlPatience, ct) is true)
            {
                if (!server.Running)
                    throw new GuardException("The server of the copy ended.");
                await Task.Delay(TimeSpan.FromMilliseconds(50), parts.Clock, ct);
            }

            return await sql.RunAsync("SELECT pg_last_xact_replay_timestamp()", SqlPatience, ct) is DateTime at ? new DateTimeOffset(at, TimeSpan.Zero) : null;
        }
        catch (GuardException failure) when (!server.Running)
        {
            throw new GuardException($"What was restored does not become a server: {LastWords()}", failure) { Damaged = true };
        }
    }

    private string LastWords()
    {
        try
        {
            return File.ReadLines(Path.Combine(Folder, "server.log")).LastOrDefault(line => line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal)) ?? "it ended without a word.";
        }
        catch (IOException failure)
        {
            return failure.Message;
        }
    }

    private async Task CheckPagesAsync(List<string> wrong, List<string> right, CancellationToken ct)
    {
        var pass = Path.Combine(Folder, "guard.pass");
        parts.Settings.WriteFile(pass, $"*:*:*:{ServerRoles.Guard}:{ServerRoles.PasswordOf(ServerRoles.Guard, Own.PasswordFile).Reveal()}\n");
        var (code, output, errors) = await parts.Tools.TryAsync(
            "pg_amcheck", ["--host", Own.SocketDirectory, "--port", "5432", "--username", ServerRoles.Guard, "--no-password", "--all", "--install-missing"], "/", new Dictionary<string, string> { ["PGPASSFILE"] = pass }, ct);
        // 2: it found something; anything else but 0: it could not look.
        if (code == 2)
            wrong.Add($"pg_amcheck found damage in it: {First(output)}");
        else if (code != 0)
            throw new GuardException($"pg_amcheck ended with {code}: {First(errors.Length > 0 ? errors : output)}");
        else
            right.Add("Every table and B-tree index of every database was read and is sound (pg_amcheck).");
    }

    private async Task CompareNamesAsync(ServerSql copy, List<string> wrong, List<string> right, CancellationToken ct)
    {
        foreach (var (what, statement) in new[]
        {
            ("databases", "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database"),
            ("roles", "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"),
        })
        {
            var (here, there) = (Words(await parts.SlowSql.RunAsync(statement, SqlPatience, ct)), Words(await copy.RunAsync(statement, SqlPatience, ct)));
            if (here.Except(there).ToList() is { Count: > 0 } missing)
                wrong.Add($"{missing.Count} {what} of the server are missing in it: {string.Join(", ", missing)}.");
            else
                right.Add(string.Create(CultureInfo.InvariantCulture, $"All {here.Length} {what} of the server are there."));
        }

        static string[] Words(object? answer) => $"{answer}".Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<TimeSpan?> CompareMarkersAsync(ServerSql copy, CopyOrder held, TimeSpan rpo, List<string> wrong, List<string> right, CancellationToken ct)
    {
        var until = held.OrderedAt - rpo;
        if (held.Target < until)
            until = held.Target.Value;
        object[] window = [(held.OrderedAt - Compared).UtcDateTime, until.UtcDateTime];
        var (here, there) = (await parts.SlowSql.RunAsync(BackupMarkers.Between, SqlPatience, ct, window), await copy.RunAsync(BackupMarkers.Between, SqlPatience, ct, window));
        var (own, copied) = ((long[])(here ?? Array.Empty<long>()), (long[])(there ?? Array.Empty<long>()));
        if (own.Except(copied).ToList() is { Count: > 0 } missing)
            wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{missing.Count} of {own.Length} markers from before {until:u} are missing in it, the first is {missing.Min()}: what was committed then was lost."));
        else if (own.Length > 0)
            right.Add(string.Create(CultureInfo.InvariantCulture, $"All {own.Length} markers from before {until:u} are there."));
        else
            right.Add("There are no markers that are old enough to be compared yet.");
        return held.Target is null && await copy.RunAsync(BackupMarkers.Newest, SqlPatience, ct) is DateTime newest
            ? TimeSpan.FromTicks(Math.Max(0, (held.OrderedAt - new DateTimeOffset(newest, TimeSpan.Zero)).Ticks))
            : null;
    }

    private static string First(string text) => text.Length <= 400 ? text.Trim() : text[..400].Trim() + "...";

    private CopyOrder? Order() => File.Exists(OrderFile) ? Read<CopyOrder>(OrderFile) : null;

    private static T Read<T>(string file) => JsonSerializer.Deserialize<T>(File.ReadAllText(file), GuardWire.Json)!;

    private static void Write<T>(string file, T what)
    {
        File.WriteAllText(file + ".new", JsonSerializer.Serialize(what, GuardWire.Json));
        File.Move(file + ".new", file, overwrite: true);
    }

    private sealed record CopyOrder(string Operation, string Label, DateTimeOffset? Target, DateTimeOffset OrderedAt);
}
