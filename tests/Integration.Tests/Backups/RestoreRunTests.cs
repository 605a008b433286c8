using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Adapters.Failover;
using PlatformOps.Adapters.Vault;
using PlatformOps.BootstrapServer;
using PlatformOps.Guard.Backups;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Integration.Tests.Vault;
using PlatformOps.Platform.Failover;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>A restore into a running pair on real servers: everything up to the moment, nothing after it, and nothing of the past that is over.</summary>
public sealed class RestoreRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_deleted_comes_back_and_no_login_or_epoch_of_then_comes_back_with_it()
    {
        await using var vault = await StandIn.StartAsync();
        await new VaultSystem(vault.Root).MountAsync("secret", "kv", Ct, options: new Dictionary<string, string> { ["version"] = "2" });
        await using var pair = await BackedUpPair.StartAsync();
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        var client = await TemporalClient.ConnectAsync(TemporalTarget.Of(server.Address, "the test").Options);
        using var cli = new Cli();
        cli["TEMPORAL_ADDRESS"] = server.Address;
        var connections = Path.Combine(pair.Pair.Files.Folder, "connections.json");
        Connections(pair, vault).Save(connections);
        using var worker = cli.Start(
            "worker", "--connections", connections, "--specification", Path.Combine(Alerts.Tools.Root, "examples/reference"), "--catalog", Path.Combine(Alerts.Tools.Root, "k8s/components"));

        // Who watches the database would have its standby take over while it is replaced.
        var watch = await client.StartWorkflowAsync(
            nameof(RegionFailover), [new RegionFailoverRequest { Environment = "production" }], new(RegionFailover.WorkflowId("production"), TaskQueues.Failover) { TaskTimeout = RegionFailover.TaskTimeout });
        Task<FailoverView> WatchedAsync() => watch.QueryAsync<FailoverView>("failover", []);
        await Wait.UntilAsync(async () => (await WatchedAsync()).Code == FailoverReason.Healthy, () => worker.Written, Patience);

        await pair.OwnSqlAsync("CREATE ROLE temporal LOGIN PASSWORD 'the-password-of-then'; CREATE ROLE leaver LOGIN PASSWORD 'hers'; CREATE ROLE keeper LOGIN PASSWORD 'his'");
        var backup = await cli.RunAsync("backup", "run", "production", "postgresql", "--output", "json");
        Assert.True(backup.ExitCode == 0, backup.Error + backup.Output + worker.Written);
        await pair.SqlAsync("INSERT INTO ledger VALUES (-1)");
        var moment = new DateTimeOffset((DateTime)(await pair.SqlAsync("SELECT clock_timestamp()"))!, TimeSpan.Zero);
        await pair.SqlAsync("INSERT INTO ledger VALUES (-2)");

        // Since then a login was revoked, a password changed, and somebody deleted everything.
        await pair.OwnSqlAsync("ALTER ROLE leaver NOLOGIN; ALTER ROLE keeper PASSWORD 'his-new-one'; ALTER ROLE temporal PASSWORD 'the-password-of-today'");
        await new VaultKeyValues(vault.Root).WriteAsync("platform/postgresql", new Dictionary<string, SecretText> { ["username"] = new("temporal"), ["password"] = new("the-password-of-today") }, null, Ct);
        var today = $"{await pair.OwnSqlAsync("SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'")}";
        await pair.SqlAsync("DELETE FROM ledger");
        await pair.ArchivedAsync();

        // Somebody else keeps it still, for less time than a restore may take.
        Assert.Equal(0, (await cli.RunAsync("maintenance", "production", "--for", "5m", "--reason", "new disks", "--by", "ada")).ExitCode);
        var asked = await cli.RunAsync("restore", "database", "production", "postgresql", "--to", moment.ToString("O"), "--operation", "after-the-mistake", "--requested-by", "ana", "--output", "json");
        Assert.True(asked.ExitCode == 7, asked.Error + asked.Output);
        var run = client.GetWorkflowHandle(RestoreDatabase.WorkflowId("production", "postgresql"));
        var status = await run.QueryAsync<RunbookStatus>("status", []);
        await run.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(status.PlanHash, "ben")]);
        RunbookStatus? stands = null;
        await Wait.UntilAsync(async () => (stands = await run.QueryAsync<RunbookStatus>("status", [])).Phase == RunbookPhase.Parked, () => $"{stands?.Summary}\n{pair.Pair.Log(GuardedPair.First)}", Patience);
        Assert.Contains("ada has opened a maintenance (new disks)", stands!.Summary, StringComparison.Ordinal);
        Assert.Equal(0L, await pair.SqlAsync("SELECT count(*) FROM ledger"));
        Assert.Equal(0, (await cli.RunAsync("maintenance", "production", "--close")).ExitCode);
        await run.ExecuteUpdateAsync<ControlResult>("retryStep", [new StepInput("fence")]);
        var ended = run.GetResultAsync<RestoreReport>();
        await Wait.UntilAsync(
            async () => ended.IsCompleted || (await run.QueryAsync<RunbookStatus>("status", [])).Phase == RunbookPhase.Parked, () => pair.Pair.Log(GuardedPair.First), Patience);
        Assert.True(ended.IsCompleted, ended.IsCompleted ? "" : $"{(await run.QueryAsync<RunbookStatus>("status", [])).Summary}\n{pair.Pair.Log(GuardedPair.First)}\n{pair.Pair.Log(GuardedPair.Second)}");
        var report = await ended;

        Assert.Equal((RestoreOutcome.Restored, 2L, "after-the-mistake"), (report.Outcome, report.Epoch, report.OperationId));
        Assert.Equal((1L, 0L), (await pair.SqlAsync("SELECT count(*) FROM ledger WHERE id = -1"), await pair.SqlAsync("SELECT count(*) FROM ledger WHERE id = -2")));
        Assert.Equal(2L, await pair.SqlAsync("SELECT max(epoch) FROM platformops.epoch"));
        Assert.Equal(false, await pair.OwnSqlAsync("SELECT rolcanlogin FROM pg_authid WHERE rolname = 'leaver'"));
        Assert.Equal(today, await pair.OwnSqlAsync("SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'"));
        Assert.True(Adapters.Postgres.ScramVerifier.Fits($"{await pair.OwnSqlAsync("SELECT rolpassword FROM pg_authid WHERE rolname = 'temporal'")}", new("the-password-of-today")));
        Assert.Contains("leaver", report.Steps.Single(step => step.Name == "secure").Detail, StringComparison.Ordinal);
        Assert.Contains("epoch 1 is over", (await Assert.ThrowsAsync<AdapterException>(() => pair.Pair.Database.FenceAsync(GuardedPair.First, 1, TimeSpan.Zero, Ct))).Message, StringComparison.Ordinal);

        // Nothing failed over, and what follows is watched as before.
        FailoverView? view = null;
        await Wait.UntilAsync(async () => (view = await WatchedAsync()) is { Maintenance: null, Epoch: 2, Code: FailoverReason.Healthy }, () => $"{view}", Patience);
        Assert.Equal((null, null), (view!.Last, view.Recovery));

        // The other node follows the restored data, nothing is left over, and the log goes on without a gap.
        var standby = await pair.Pair.UntilAsync(GuardedPair.Second, node => node is { Role: NodeRole.Standby, Streaming: true });
        Assert.Equal((await pair.Pair.LookAsync(GuardedPair.First))!.Timeline, standby.Timeline);
        var data = pair.Pair.Files[GuardedPair.First].Data;
        Assert.Equal([data], Directory.GetDirectories(Path.GetDirectoryName(data)!, "data*"));
        Assert.DoesNotContain("recovery_target", await File.ReadAllTextAsync(Path.Combine(data, "postgresql.auto.conf"), Ct), StringComparison.Ordinal);
        await pair.SqlAsync("INSERT INTO ledger VALUES (-3)");
        await pair.ArchivedAsync();
        Assert.Empty((await pair.Store.LookAsync(Ct)).Gaps);
        Assert.True((await pair.Catalog.FindAsync(report.BackupBefore!, Ct))!.Good);
        Assert.Empty((await pair.Catalog.FindAsync(report.RestorePlan!.Set, Ct))!.Uses);

        // What was overwritten can be brought back along the timeline that was left.
        var undo = await pair.Store.RestoreAsync("undo", (await pair.Catalog.FindAsync(report.BackupBefore!, Ct))!.Label!, null, _ => { }, Ct);
        Assert.Equal(0L, await pair.CopySqlAsync("SELECT count(*) FROM ledger"));
        Assert.True(undo.UpTo > moment);
        await pair.Store.CleanUpAsync("undo", Ct);

        // No password and no verifier is in what is kept of runs.
        await foreach (var kept in client.ListWorkflowsAsync(""))
        {
            var history = (await client.GetWorkflowHandle(kept.Id, kept.RunId).FetchHistoryAsync()).ToJson();
            Assert.DoesNotContain("the-password-of-today", history, StringComparison.Ordinal);
            Assert.DoesNotContain("SCRAM-SHA-256$", history, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("data restored")]
    [InlineData("restored before")]
    [InlineData("data before")]
    public void An_exchange_that_was_cut_off_anywhere_goes_on_and_back(string there)
    {
        foreach (var forward in new[] { true, false })
        {
            var folder = Directory.CreateTempSubdirectory("exchange-").FullName;
            var data = Path.Combine(folder, "data");
            var places = new DataPlaces(data, "op-1");
            foreach (var name in there.Split(' '))
            {
                var path = name switch { "data" => data, "restored" => places.Restored, _ => places.Kept };
                Directory.CreateDirectory(path);
                File.WriteAllText(Path.Combine(path, name == "before" || (name == "data" && !there.Contains("before", StringComparison.Ordinal)) ? "old" : "new"), "");
            }

            if (forward)
                places.Place();
            else
                places.PutBack();
            Assert.Equal(forward, places.Placed);
            Assert.True(File.Exists(Path.Combine(data, forward ? "new" : "old")));
            Assert.True(File.Exists(Path.Combine(forward ? places.Kept : places.Restored, forward ? "old" : "new")));
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Only_who_may_log_in_today_may_log_in_to_restored_data()
    {
        RoleOfServer[] there = [Role("app", "a1"), Role("leaver", "l1"), Role("temporal", "t1"), Role("group", null, login: false), Role("platformops_guard", "g")];
        RoleOfServer[] today = [Role("app", "a2"), Role("temporal", "t2"), Role("group", null, login: false), Role("newcomer", "n1"), Role("leaver", "l2", login: false), Role("platformops_guard", "g")];
        var (statements, told) = RestoredLogins.Decide(there, today, [new("temporal", "temporal", "vault"), new("temporal_clone", "temporal", "clone")]);
        Assert.Equal("app temporal temporal_clone; leaver; newcomer; True", Words(told));
        Assert.Contains(statements, statement => statement is { Form: "ALTER ROLE %I LOGIN PASSWORD %L", Arguments: ["app", "a2"] });
        Assert.Contains(statements, statement => statement is { Form: "ALTER ROLE %I LOGIN PASSWORD %L", Arguments: ["temporal", "vault"] });
        Assert.Contains(statements, statement => statement is { Form: "GRANT %I TO %I", Arguments: ["temporal", "temporal_clone"] });
        Assert.DoesNotContain(statements, statement => statement.Arguments[0] == "platformops_guard");

        // Of a server that is gone nobody knows who may: only Vault's logins are open.
        var (_, blind) = RestoredLogins.Decide(there, null, [new("temporal", "temporal", "vault")]);
        Assert.Equal("temporal; app leaver; ; False", Words(blind));
    }

    private static string Words(SecuredLogins told) => $"{string.Join(' ', told.Set)}; {string.Join(' ', told.Closed)}; {string.Join(' ', told.Missing)}; {told.Compared}";

    private static RoleOfServer Role(string name, string? verifier, bool login = true) => new(name, login, verifier, "NOSUPERUSER");

    private static PlatformConnections Connections(BackedUpPair pair, StandIn vault)
    {
        var folder = pair.Pair.Files.Folder;
        var access = pair.Pair.Files.Access;
        File.WriteAllText(Path.Combine(folder, "app"), "app");
        File.WriteAllText(Path.Combine(folder, "vault"), vault.Server.RootToken);
        return new()
        {
            Regions = new Dictionary<string, RegionConnection> { ["us-east-1"] = new() { Vault = new(Address: $"{vault.Server.Address}", TokenFile: Path.Combine(folder, "vault")) } },
            Failover = new Dictionary<string, FailoverAccess>
            {
                ["production"] = new()
                {
                    Nodes = pair.Pair.Files.Nodes.ToDictionary(node => node, node => new FailoverNodeAccess($"{access.Nodes[node]}", pair.Pair.Files[node].Clients.Listen)),
                    GuardTls = new(access.Authority, access.Certificate, access.Key),
                    Login = new(User: "app", PasswordFile: Path.Combine(folder, "app"), Database: "postgres"),
                    ClientTls = false,
                    Synchronous = false,
                    Witness = new("witness", "production", new("eu-central-1", $"http://127.0.0.1:{pair.Pair.WitnessPort}", Path.Combine(folder, "credentials"))),
                },
            },
            Backups = pair.Backups,
        };
    }
}
