using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using PlatformOps.Adapters;
using PlatformOps.BootstrapServer;
using PlatformOps.Guard;
using PlatformOps.Guard.Backups;
using PlatformOps.Integration.Tests.Alerts;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Integration.Tests.Replay;
using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A Temporal server is started on a restored copy, where nothing of it gets out: a bootstrap server whose file has what the tables have stands in for one that reads them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class TemporalTrialTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_is_started_on_a_copy_answers_its_executions_and_reaches_nothing()
    {
        await CanAsync();
        // The servers' user runs it, and that of the tests owns it.
        var folder = Directory.CreateTempSubdirectory("trial-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        var runs = await KeepAsync(Path.Combine(folder, "temporal.db"));
        Program(folder, "platformops", Starter());
        await using var pair = await BackedUpPair.StartAsync(_ => new() { Server = Program(folder, "server", Server(folder)), Replay = Program(folder, "replay", Replay(folder)), StartSeconds = 60 });
        Task Sql(string database, string statement) => pair.OwnSqlAsync(statement, database);
        await TemporalTables.CreateEmptyAsync(Sql);
        await TemporalTables.AddAsync(Sql, "order-1", runs[0], open: true, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled);
        await TemporalTables.AddAsync(Sql, "order-2", runs[1], open: false, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowExecutionTerminated);
        await TemporalTables.AddAsync(Sql, "provision/development", runs[2], open: true, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled);
        var set = await pair.Store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct);

        await pair.Store.RestoreAsync("verify-1", set.Label, null, _ => { }, Ct);
        var found = await pair.Store.ProbeAsync("verify-1", TimeSpan.FromMinutes(2), _ => { }, Ct);
        Assert.True(found is { Wrong: [], Unread: null }, string.Join('\n', [.. found.Wrong, found.Unread, .. found.Right]));
        Assert.Contains(found.Right, right => right.StartsWith("Temporal ", StringComparison.Ordinal) && right.Contains("were tried), and described 3 executions with ", StringComparison.Ordinal));
        Assert.Contains("It lists 2 open executions.", found.Right);
        // The program that replays tried to get out, and was kept in; platformops does not try.
        Assert.Contains("It was kept from reaching something outside 1 times.", found.Right);
        Assert.Contains("Their histories were given to the workers' code: 1 of our executions replayed, 2 of other workflows were not looked at (Order 2)", found.Right);
        // Asked again, it is what was found: the copy is not what was restored any more.
        Assert.Equal(found.Right, (await pair.Store.ProbeAsync("verify-1", TimeSpan.FromMinutes(2), _ => { }, Ct)).Right);
        // It was ended: somebody else may have its file.
        await using (await BootstrapServerHost.StartAsync(new() { DatabaseFile = Path.Combine(folder, "temporal.db") }, Ct))
            await pair.Store.CleanUpAsync("verify-1", Ct);

        // Killed in the middle of it: what Temporal has changed by then is not taken for what was restored, by whoever asks next.
        await File.WriteAllTextAsync(Path.Combine(folder, "hold"), "", Ct);
        File.Delete(Path.Combine(folder, "refused"));
        await pair.Store.RestoreAsync("verify-killed", set.Label, null, _ => { }, Ct);
        var killed = pair.Store.ProbeAsync("verify-killed", TimeSpan.FromMinutes(2), _ => { }, Ct);
        await Wait.UntilAsync(() => File.Exists(Path.Combine(folder, "refused")), () => $"Nothing replays. {killed.Status}");
        pair.Pair.KillGuard(GuardedPair.Second);
        await Assert.ThrowsAsync<AdapterException>(() => killed);
        await pair.Pair.StartGuardAsync(GuardedPair.Second);
        await pair.Pair.UntilAsync(GuardedPair.Second, node => node.Role == NodeRole.Standby);
        found = await pair.Store.ProbeAsync("verify-killed", TimeSpan.FromMinutes(2), _ => { }, Ct);
        Assert.Equal("Its tables are sound, and the Temporal that was tried on it was interrupted: the next verification restores it anew.", found.Unread);
        // What outlived the guard has ended with the copy.
        await pair.Store.CleanUpAsync("verify-killed", Ct);
        await using (await BootstrapServerHost.StartAsync(new() { DatabaseFile = Path.Combine(folder, "temporal.db") }, Ct))
            File.Delete(Path.Combine(folder, "hold"));

        // Keys that are missing say nothing of the set.
        await File.WriteAllTextAsync(Path.Combine(folder, "blind"), "", Ct);
        await pair.Store.RestoreAsync("verify-blind", set.Label, null, _ => { }, Ct);
        found = await pair.Store.ProbeAsync("verify-blind", TimeSpan.FromMinutes(2), _ => { }, Ct);
        Assert.Empty(found.Wrong);
        Assert.Contains("could not find out whether histories replay: Not everything was replayed: The payload codec cannot be used.", found.Unread, StringComparison.Ordinal);
        await pair.Store.CleanUpAsync("verify-blind", Ct);

        await File.WriteAllTextAsync(Path.Combine(folder, "broken"), "", Ct);
        await pair.Store.RestoreAsync("verify-2", set.Label, null, _ => { }, Ct);
        found = await pair.Store.ProbeAsync("verify-2", TimeSpan.FromMinutes(2), _ => { }, Ct);
        Assert.Empty(found.Wrong);
        Assert.Equal("Its tables are sound, and the trial of a Temporal on it came to no result: The Temporal server on the copy ended with 3 while it started: its schema is too old", found.Unread);
        await pair.Store.CleanUpAsync("verify-2", Ct);
        File.Delete(Path.Combine(folder, "broken"));
        File.Delete(Path.Combine(folder, "blind"));

        // A later set has a run that decided what no shipped workflow decides: it would stand still for ever where it comes back.
        await TemporalTables.AddAsync(Sql, "provision/otherwise", runs[3], open: false, EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowExecutionTerminated);
        set = await pair.Store.MakeAsync("op-2", BackupMethod.Full, _ => { }, Ct);
        await pair.Store.RestoreAsync("verify-otherwise", set.Label, null, _ => { }, Ct);
        found = await pair.Store.ProbeAsync("verify-otherwise", TimeSpan.FromMinutes(2), _ => { }, Ct);
        var wrong = Assert.Single(found.Wrong);
        Assert.StartsWith($"Histories of {TemporalTables.Database} do not replay with the workers' code: 1 of our executions does not replay, ProvisionEnvironment provision/otherwise (run {runs[3]}) of orders: [TMPRL1100] ", wrong, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", string.Join('\n', [wrong, .. found.Right]), StringComparison.Ordinal);
        Assert.Null(found.Unread);
        await pair.Store.CleanUpAsync("verify-otherwise", Ct);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Nothing_gets_out_of_a_quarantine_and_nothing_into_it()
    {
        await CanAsync();
        using var quarantine = await NetworkQuarantine.OpenAsync();
        var (tried, open) = await quarantine.TryOutAsync(Ct);
        Assert.Empty(open);
        // Its own loopback it reaches, and nobody listens there.
        Assert.Equal(tried - 1, await quarantine.BlockedAsync());
        using var inside = await quarantine.InAsync(() =>
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return listener;
        });
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var outside = new TcpClient();
            await outside.ConnectAsync((IPEndPoint)inside.LocalEndpoint, Ct);
        });
        using var client = await quarantine.InAsync(() =>
        {
            var made = new TcpClient();
            made.Connect((IPEndPoint)inside.LocalEndpoint);
            return made;
        });
        Assert.True(client.Connected);
    }

    private static async Task CanAsync()
    {
        try
        {
            using var quarantine = await NetworkQuarantine.OpenAsync();
        }
        catch (GuardException failure)
        {
            Assert.Skip($"{failure.Message} Run the tests as root, in a container with --cap-add SYS_ADMIN.");
        }
    }

    /// <returns>The runs of an execution that is open, of one that has ended, of a runbook of ours, and of one that was decided otherwise and has ended.</returns>
    private static async Task<IReadOnlyList<string>> KeepAsync(string file)
    {
        await using var server = await BootstrapServerHost.StartAsync(new() { DatabaseFile = file, Namespaces = ["orders"], SearchAttributes = BootstrapServers.SearchAttributes }, Ct);
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Namespace = "orders", DataConverter = PlatformOpsDataConverter.Instance });
        var open = await client.StartWorkflowAsync("Order", [], new("order-1", "orders"));
        var closed = await client.StartWorkflowAsync("Order", [], new("order-2", "orders"));
        await closed.TerminateAsync();
        var otherwise = await OwnExecutions.BeginAsync(client, "provision/otherwise", otherwise: true);
        await client.GetWorkflowHandle("provision/otherwise", otherwise).TerminateAsync();
        return [open.ResultRunId!, closed.ResultRunId!, await OwnExecutions.BeginAsync(client, "provision/development"), otherwise];
    }

    private static string Server(string folder) => $"""
        [ -n "$COPY_PASSWORD" ] && [ "$COPY_DATABASE $COPY_VISIBILITY" = "{TemporalTables.Database} {TemporalTables.Visibility}" ] && [ -S "$COPY_SOCKET/.s.PGSQL.5432" ] || exit 4
        [ -e {folder}/broken ] && echo its schema is too old && exit 3
        exec dotnet {typeof(BootstrapServerHost).Assembly.Location} server start-dev --port 7233 --db-filename {folder}/temporal.db
        """;

    private static string Replay(string folder) => $"""
        bash -c '</dev/tcp/192.0.2.1/443' 2>{folder}/refused
        grep -q 'Network is unreachable' {folder}/refused || exit 5
        while [ -e {folder}/hold ]; do sleep 0.1; done
        [ -e {folder}/blind ] && export PLATFORMOPS_CODEC_KEYS=/nowhere
        PATH={folder}:$PATH exec {Tools.Root}/examples/guard/replay
        """;

    private static string Starter() => $"""exec dotnet exec {Cli.Program} "$@" """;

    private static string Program(string folder, string name, string script)
    {
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        foreach (var kept in Directory.EnumerateFiles(folder, "temporal.db*"))
            File.SetUnixFileMode(kept, (UnixFileMode)0b110_110_110);
        return file;
    }
}
