using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Guard.Configuration;
using PlatformOps.Guard.Postgres;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Guard.Backups;

/// <summary>A set that was restored beside the node's own server. Nobody but the guard reaches it: it listens on a socket in a directory that is closed to others, and lets in the guard's role alone.
/// One at a time.</summary>
/// <param name="folder">The copy's own directory; a short name, since the path of a socket may not be long.</param>
/// <param name="data">Where its data is.</param>
/// <param name="replaces">It is to take the place of the node's data: what it writes into its log is kept to be archived then, and what has changed since it was made is expected.</param>
internal sealed partial class BackupCopy(GuardParts parts, string folder, string data, bool replaces)
{
    /// <summary>The first line of <see cref="Isolation"/>.</summary>
    private const string IsolationMark = "# Added by platformops guard for a copy: nothing of it leads out.";

    /// <summary>What it must not do, whatever the configuration says that was restored with it: nothing of it leads out.</summary>
    private string Isolation => $"""

        {IsolationMark}
        archive_mode = '{(replaces ? "on" : "off")}'
        archive_command = ''
        max_logical_replication_workers = 0
        cron.launch_active_jobs = 'off'

        """;

    /// <summary>How far back markers are compared: older ones may have been removed meanwhile.</summary>
    private static readonly TimeSpan Compared = TimeSpan.FromHours(24);

    private static readonly TimeSpan SqlPatience = TimeSpan.FromSeconds(30);

    /// <summary>Of a copy that reads the log of weeks before it lets in.</summary>
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromHours(12);

    /// <summary>A marker is written at the time that it has, and committed a moment later.</summary>
    private static readonly TimeSpan CommitTakes = TimeSpan.FromSeconds(1);

    private GuardConfiguration Own => parts.Configuration with { Data = data, State = folder, Backup = null };

    /// <summary>The operation that made it; null: there is none.</summary>
    public string? Operation => Order()?.Operation;

    private string OrderFile => Path.Combine(folder, "order.json");

    private string ProbedFile => Path.Combine(folder, "probed.json");

    private string DoneFile => Path.Combine(folder, "restored.json");

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
        var left = await tool.RestoreAsync(order.Label!, Own.Data, order.Target, progress, ct);
        Write(OrderFile, Order()! with { LeftAt = left });
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
            throw new GuardException($"There is no copy of {order.Operation} on {parts.Configuration.Node}: restore it first.") { Missing = true };
        // A Temporal server has gone on with it since: it is not what was restored any more.
        if (File.Exists(ProbedFile))
            return Read<CopyFindings>(ProbedFile);
        var (wrong, right) = (new List<string>(), new List<string>());
        using var server = Server();
        await server.StartAsync(new(), GuardDuties.StartPatience, ct);
        await using var copy = new ServerSql(Own, () => server.Id);
        progress("Reading every table and index.");
        await CheckPagesAsync(wrong, right, ct);
        progress("Comparing with the server.");
        // What is to be replaced may be down, and may have what was made since.
        if (replaces && !parts.Server.Ready)
        {
            right.Add($"The server of {parts.Configuration.Node} does not run, so that nothing can be compared with it. The newest marker in the restored data is of {await copy.RunAsync(BackupMarkers.Newest, SqlPatience, ct):u}.");
            return new(wrong, right, null);
        }

        if (!replaces)
        {
            await CompareNamesAsync(copy, wrong, right, ct);
            await CompareTablesAsync(copy, server, order, wrong, right, ct);
        }

        var rpo = await CompareMarkersAsync(copy, held, TimeSpan.FromSeconds(order.RpoSeconds), wrong, right, ct);
        progress("Looking whether Temporal could go on from it.");
        var temporal = await TemporalCopy.LookAsync(Own, () => server.Id, ct);
        foreach (var tally in temporal)
        {
            var (lost, found) = TemporalCopyVerdict.Of(tally);
            wrong.AddRange(lost);
            right.AddRange(found);
        }

        var findings = new CopyFindings(wrong, right, rpo) { Temporal = [.. temporal.Select(TemporalCopyCounts.Of)] };
        // What is to be replaced is not for trying. What is damaged is that already.
        return replaces || parts.Configuration.Backup?.Temporal is null || temporal.Count == 0 || wrong.Count > 0 ? findings : await TryTemporalAsync(findings, temporal, server, progress, ct);
    }

    private async Task<CopyFindings> TryTemporalAsync(CopyFindings findings, IReadOnlyList<TemporalCopyTally> temporal, ServerProcess server, Action<string> progress, CancellationToken ct)
    {
        progress("Starting Temporal on it, without a way out.");
        var (wrong, right) = (new List<string>(), findings.Right.ToList());
        string? untried = null;
        // Whoever is asked again after a guard that died meanwhile must not take what Temporal has changed for what was restored.
        Write(ProbedFile, findings with { Unread = "Its tables are sound, and the Temporal that was tried on it was interrupted: the next verification restores it anew." });
        try
        {
            foreach (var tally in temporal)
            {
                var (lost, found) = TemporalTrialVerdict.Of(await new TemporalTrialRun(parts, Own, folder, () => server.Id).TryAsync(tally, ct));
                wrong.AddRange(lost);
                right.AddRange(found);
            }
        }
        catch (Exception failure) when (failure is GuardException or AdapterException)
        {
            untried = $"Its tables are sound, and the trial of a Temporal on it came to no result: {failure.Message}";
        }

        var all = findings with { Wrong = wrong, Right = right, Unread = untried };
        Write(ProbedFile, all);
        return all;
    }

    /// <summary>Removes whatever was restored here, whoever's it is.</summary>
    /// <returns>What was there.</returns>
    public async Task<IReadOnlyList<string>> RemoveAsync(CancellationToken ct)
    {
        if (!Directory.Exists(folder) && !Directory.Exists(data))
            return [];
        var what = Order() is { } held ? $"the copy of {held.Label}" : "what was left of a copy";
        using (var server = Server())
            await server.StopAsync(TimeSpan.Zero, ct);
        foreach (var left in new[] { data, folder }.Where(Directory.Exists))
            Directory.Delete(left, recursive: true);
        return Directory.Exists(folder) || Directory.Exists(data) || new DataDirectory(Own.Data).Processes().Count > 0
            ? throw new GuardException($"{folder} was removed and is there again: look who works in it.")
            : [what];
    }

    /// <summary>Does something in the copy's server, which is started when it does not run.</summary>
    public async Task<T> InAsync<T>(Func<ServerSql, Task<T>> act, CancellationToken ct)
    {
        using var server = Server();
        await server.StartAsync(new(), GuardDuties.StartPatience, ct);
        await using var sql = new ServerSql(Own, () => server.Id);
        return await act(sql);
    }

    /// <summary>Stops the copy's server for good, and takes out of its settings what made a copy of it. Its data can then take a server's place.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        using var server = Server();
        await server.StopAsync(GuardDuties.StartPatience, ct);
        var settings = new DataDirectory(data).In("postgresql.auto.conf");
        if (!File.Exists(settings))
            return;
        var kept = File.ReadLines(settings).TakeWhile(line => line != IsolationMark).Where(line => !OfTheRestore().IsMatch(line));
        parts.Settings.WriteFile(settings, string.Join('\n', kept) + "\n");
    }

    /// <summary>What pgBackRest writes. A standby that is cloned of it would stop at the target too.</summary>
    [GeneratedRegex(@"^\s*(#.*pgBackRest.*|(restore_command|recovery_end_command|recovery_target\w*|archive_mode)\s*=.*)$")]
    private static partial Regex OfTheRestore();

    private ServerProcess Server() => new(Own, parts.User, new(Own, parts.User), parts.Clock, parts.Log, () => { });

    private void Begin(BackupOrder order)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
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
            return File.ReadLines(Path.Combine(folder, "server.log")).LastOrDefault(line => line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal)) ?? "it ended without a word.";
        }
        catch (IOException failure)
        {
            return failure.Message;
        }
    }

    private async Task CheckPagesAsync(List<string> wrong, List<string> right, CancellationToken ct)
    {
        var pass = Path.Combine(folder, "guard.pass");
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

    private async Task CompareTablesAsync(ServerSql copy, ServerProcess server, BackupOrder order, List<string> wrong, List<string> right, CancellationToken ct)
    {
        if (await TableCounts.KeptAsync(copy, ct) is not { } then)
        {
            right.Add("The rows of tables are not compared: nobody counted them before the set was made.");
            return;
        }

        var (lost, found) = TableComparison.Of(
            then, await TableCounts.CountAsync(parts.Configuration, () => parts.Server.Id, all: false, ct), await TableCounts.CountAsync(Own, () => server.Id, all: true, ct), order.Rows ?? RowTolerance.Default);
        wrong.AddRange(lost);
        right.AddRange(found);
    }

    private async Task<TimeSpan?> CompareMarkersAsync(ServerSql copy, CopyOrder held, TimeSpan rpo, List<string> wrong, List<string> right, CancellationToken ct)
    {
        var until = held.OrderedAt - rpo;
        if (held.Target - CommitTakes < until)
            until = held.Target!.Value - CommitTakes;
        if (held.LeftAt < until)
            until = held.LeftAt.Value;
        if (held.Target is { } target)
        {
            if (await copy.RunAsync(BackupMarkers.After, SqlPatience, ct, target.UtcDateTime) is > 0L and var late)
                wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{late} markers from after {target:u} are in it: it was restored too far."));
            else
                right.Add($"No marker from after {target:u} is in it.");
        }

        object[] window = [(held.OrderedAt - Compared).UtcDateTime, until.UtcDateTime];
        var (here, there) = (await parts.SlowSql.RunAsync(BackupMarkers.Between, SqlPatience, ct, window), await copy.RunAsync(BackupMarkers.Between, SqlPatience, ct, window));
        var (own, copied) = ((long[])(here ?? Array.Empty<long>()), (long[])(there ?? Array.Empty<long>()));
        if (own.Except(copied).ToList() is { Count: > 0 } missing)
            wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{missing.Count} of {own.Length} markers from before {until:u} are missing in it, the first is {missing.Min()}: what was committed then was lost."));
        else if (own.Length > 0)
            right.Add(string.Create(CultureInfo.InvariantCulture, $"All {own.Length} markers from before {until:u} are there."));
        else
            right.Add("There are no markers that are old enough to be compared yet.");
        return held is { Target: null, LeftAt: null } && await copy.RunAsync(BackupMarkers.Newest, SqlPatience, ct) is DateTime newest
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

    /// <param name="LeftAt">The set lies on a branch of the log that was left: what the server wrote later than this is not in it; null: it does not.</param>
    private sealed record CopyOrder(string Operation, string Label, DateTimeOffset? Target, DateTimeOffset OrderedAt, DateTimeOffset? LeftAt = null);
}
