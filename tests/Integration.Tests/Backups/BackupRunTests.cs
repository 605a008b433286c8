using System.Net;
using PlatformOps.Activities.Backups;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Failover;
using PlatformOps.BootstrapServer;
using PlatformOps.Integration.Tests.CommandLine;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Platform.Backups;
using PlatformOps.Starter.Connection;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Testing;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>The runbooks on real servers: with a worker that is killed in the middle, and with damage of every kind.</summary>
public sealed class BackupRunTests
{
    private static readonly StoreReference Store = new("production", "postgresql");

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static string Root => Alerts.Tools.Root;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_backup_goes_on_when_its_worker_is_killed_and_what_was_made_is_proved()
    {
        await using var pair = await BackedUpPair.StartAsync();
        await using var server = await BootstrapServerHost.StartAsync(new() { SearchAttributes = BootstrapServers.SearchAttributes });
        var client = await TemporalClient.ConnectAsync(TemporalTarget.Of(server.Address, "the test").Options);
        using var cli = new Cli();
        cli["TEMPORAL_ADDRESS"] = server.Address;
        var connections = Path.Combine(pair.Pair.Files.Folder, "connections.json");
        Connections(pair).Save(connections);
        string[] worker = ["worker", "--connections", connections, "--specification", Path.Combine(Root, "examples/reference"), "--catalog", Path.Combine(Root, "k8s/components")];
        WorkflowHandle<BackUpDatabase, BackUpReport> run;
        using (var killed = cli.Start(worker))
        {
            run = await client.StartWorkflowAsync(
                (BackUpDatabase runbook) => runbook.RunAsync(new BackUpInput { Environment = "production", Store = "postgresql", OperationId = "op-1" }), new(BackUpStore.WorkflowId("production", "postgresql"), "platformops"));
            await Wait.UntilAsync(async () => (await pair.Objects.ListAsync($"{BackedUpPair.Repository}backup/main/", Ct)).Any(entry => entry.Key.Contains("/bundle/", StringComparison.Ordinal)), () => killed.Written, Patience);
            await killed.KillAsync();
        }

        using var next = cli.Start(worker);
        var made = await run.GetResultAsync().WaitAsync(Patience, Ct);
        Assert.Equal((BackupOutcome.Complete, BackupMethod.Full), (made.Outcome, made.Set.Method));
        Assert.Empty(made.Findings);
        Assert.Single((await pair.Store.LookAsync(Ct)).Sets);

        await pair.ArchivedAsync();
        var verified = await cli.RunAsync("backup", "verify", "production", "postgresql", "--output", "json");
        Assert.True(verified.ExitCode == 0, verified.Error + verified.Output);
        var report = verified.Json.GetProperty("report");
        Assert.Equal(("proved", "op-1"), (report.GetProperty("outcome").GetString(), report.GetProperty("set").GetString()));
        Assert.All(report.GetProperty("objectives").EnumerateArray(), objective => Assert.True(objective.GetProperty("kept").GetBoolean(), $"{objective}"));
        Assert.True((await pair.Catalog.FindAsync("op-1", Ct))!.Proved);

        var listed = await cli.RunAsync("backup", "list", "production", "postgresql");
        Assert.Contains("verified  op-1  full of", listed.Output, StringComparison.Ordinal);
        var retention = await cli.RunAsync("backup", "retention", "production", "postgresql", "--plan");
        Assert.Contains("keep   op-1: It is the last one that was proved.", retention.Output, StringComparison.Ordinal);

        // Neither the pass phrase nor a password is in what is kept of runs.
        await foreach (var kept in client.ListWorkflowsAsync(""))
            Assert.DoesNotContain(BackedUpPair.PassPhrase, (await client.GetWorkflowHandle(kept.Id, kept.RunId).FetchHistoryAsync()).ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_of_every_kind_is_found_in_one_cycle_and_named()
    {
        await using var pair = await BackedUpPair.StartAsync();
        using var activities = new BackupActivities(new(Path.Combine(Root, "examples/reference"), Path.Combine(Root, "k8s/components")), Connections(pair));
        var full = await MakeAsync("op-1", BackupMethod.Full);
        await pair.SqlAsync("INSERT INTO ledger VALUES (1)");
        await pair.ArchivedAsync();
        await pair.SqlAsync("INSERT INTO ledger VALUES (2)");
        await pair.ArchivedAsync();
        await pair.SqlAsync("INSERT INTO ledger VALUES (3)");
        await pair.ArchivedAsync();
        Assert.Empty((await InActivityAsync(() => activities.CheckRepositoryAsync(Store))).Findings);

        // What keeps pgBackRest from working, until it is mended.
        var rows = 3;
        var @lock = Path.Combine(pair.Pair.Files[GuardedPair.First].State, "pgbackrest.lock", "main-backup.lock");
        await NamedAsync("expired", "The credential for the bucket backups has expired.", () => pair.Refusals.Refuse(HttpStatusCode.BadRequest, "ExpiredToken"), pair.Refusals.PassOn, async () =>
        {
            // The guard says so by itself, as soon as a piece of the log cannot be archived.
            await Wait.UntilAsync(() => Task.FromResult(pair.Pair.Log(GuardedPair.First).Contains("has expired", StringComparison.Ordinal)), () => pair.Pair.Log(GuardedPair.First));
            // No set is gone or damaged because nobody could look.
            Assert.Equal(FailureTypes.Unavailable, (await Assert.ThrowsAsync<ApplicationFailureException>(() => InActivityAsync(() => activities.CheckRepositoryAsync(Store)))).ErrorType);
            Assert.Equal(FailureTypes.Unavailable, (await Assert.ThrowsAsync<ApplicationFailureException>(() => InActivityAsync(() => activities.RestoreIntoQuarantineAsync(new(Store, "expired", "op-1"))))).ErrorType);
            Assert.Equal(AdapterFailureKind.Unavailable, (await Assert.ThrowsAsync<AdapterException>(() => pair.Store.RemoveAsync(full.Label!, Ct))).Kind);
        });
        await InActivityAsync(() => activities.CleanUpAsync(new(Store, "expired", "op-1")));
        await NamedAsync("skewed", "The clock of us-east-1 and that of the bucket backups are too far apart", () => pair.Refusals.Refuse(HttpStatusCode.Forbidden, "RequestTimeTooSkewed"), pair.Refusals.PassOn);
        await NamedAsync("full", "A disk of us-east-1 is full.", () => File.CreateSymbolicLink(@lock, "/dev/full"), () => File.Delete(@lock));
        await NamedAsync("unreachable", "The bucket backups cannot be reached from us-east-1", () => pair.Front.Shut = true, () => pair.Front.Shut = false);
        await pair.ArchivedAsync();
        Assert.Empty((await InActivityAsync(() => activities.CheckRepositoryAsync(Store))).Findings);
        Assert.True((await pair.Catalog.FindAsync("op-1", Ct))!.Good);

        // A segment of the log.
        var segments = (await pair.Objects.ListAsync($"{BackedUpPair.Repository}archive/main/15-1/", Ct)).Where(entry => WalSegment.Parse(entry.Key) is not null).OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList();
        var lost = segments[^2];
        var kept = await pair.Objects.GetAsync(lost.Key, Ct);
        await pair.Objects.DeleteAsync(lost.Key, Ct);
        var gap = Assert.Single((await InActivityAsync(() => activities.CheckRepositoryAsync(Store))).Gaps);
        Assert.Equal((1UL, WalSegment.Parse(lost.Key)!.Value.FileName()), (gap.Count, gap.First));
        Assert.InRange(gap.Before!.Value, segments[^1].Changed.AddSeconds(-1), segments[^1].Changed.AddSeconds(1));
        Assert.InRange(gap.After!.Value, segments[^3].Changed.AddSeconds(-1), segments[^3].Changed.AddSeconds(1));
        Assert.True((await pair.Catalog.FindAsync("op-1", Ct))!.Good);
        await pair.Objects.PutAsync(lost.Key, kept!.Content, Ct);

        // An orphan on either side.
        await pair.Catalog.EnterAsync((await pair.Catalog.FindAsync("op-1", Ct))! with { Id = "op-orphan", Label = "20200101-000000F" }, Ct);
        await pair.Store.MakeAsync("by-hand", BackupMethod.Incremental, _ => { }, Ct);
        var disagreements = (await InActivityAsync(() => activities.CheckRepositoryAsync(Store))).Disagreements;
        Assert.Equal([ReconciliationKind.NotInRepository, ReconciliationKind.NotInCatalog], disagreements.Select(finding => finding.Kind));
        Assert.Equal(2, (await pair.Store.LookAsync(Ct)).Sets.Count);

        // One bit of a file.
        var bundle = (await pair.Objects.ListAsync($"{BackedUpPair.Repository}backup/main/{full.Label}/bundle/", Ct)).MaxBy(entry => entry.Bytes)!;
        var bytes = (await pair.Objects.GetAsync(bundle.Key, Ct))!.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await pair.Objects.PutAsync(bundle.Key, bytes, Ct);
        await InActivityAsync(() => activities.ChooseSetAsync(new(Store, "verify-1", "op-1")));
        var damaged = await Assert.ThrowsAsync<ApplicationFailureException>(() => InActivityAsync(() => activities.RestoreIntoQuarantineAsync(new(Store, "verify-1", "op-1"))));
        Assert.Equal(FailureTypes.Damaged, damaged.ErrorType);
        Assert.Contains("pgBackRest restore ended with", damaged.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await InActivityAsync(() => activities.CleanUpAsync(new(Store, "verify-1", "op-1")))).Removed);
        Assert.Empty((await InActivityAsync(() => activities.CleanUpAsync(new(Store, "verify-1", "op-1")))).Removed);

        // A manifest.
        await pair.Objects.DeleteAsync($"{BackedUpPair.Repository}backup/main/{full.Label}/backup.manifest", Ct);
        var without = await InActivityAsync(() => activities.CheckRepositoryAsync(Store));
        Assert.Contains("op-1: Its manifest is missing or cannot be read: it counts as damaged. Make a new full backup.", without.Findings);
        Assert.False((await pair.Catalog.FindAsync("op-1", Ct))!.Good);

        // Found by the next backup, and the log waits.
        async Task NamedAsync(string operation, string what, Action begin, Action end, Func<Task>? meanwhile = null)
        {
            begin();
            await pair.SqlAsync($"INSERT INTO ledger VALUES ({++rows})");
            if (meanwhile is not null)
                await meanwhile();
            var failed = await Assert.ThrowsAsync<ApplicationFailureException>(() => InActivityAsync(() => activities.MakeBackupAsync(new(Store, operation, BackupMethod.Incremental))));
            Assert.Equal(FailureTypes.Unavailable, failed.ErrorType);
            Assert.Contains(what, failed.Message, StringComparison.Ordinal);
            Assert.Contains("Nothing is lost meanwhile", failed.Message, StringComparison.Ordinal);
            end();
        }

        async Task<BackupSet> MakeAsync(string operation, BackupMethod method)
        {
            await InActivityAsync(() => activities.BeginBackupAsync(new(Store, operation, StoreKind.Postgresql, method)));
            var made = await InActivityAsync(() => activities.MakeBackupAsync(new(Store, operation, method)));
            await InActivityAsync(() => activities.RecordBackupAsync(new(Store, operation, made, null)));
            return (await InActivityAsync(() => activities.RecordBackupAsync(new(Store, operation, made, null)))).Set;
        }
    }

    private static Task<T> InActivityAsync<T>(Func<Task<T>> work) => new ActivityEnvironment().RunAsync(work);

    private static PlatformConnections Connections(BackedUpPair pair)
    {
        var access = pair.Pair.Files.Access;
        return new()
        {
            Failover = new Dictionary<string, FailoverAccess>
            {
                ["production"] = new()
                {
                    Nodes = pair.Pair.Files.Nodes.ToDictionary(node => node, node => new FailoverNodeAccess($"{access.Nodes[node]}", pair.Pair.Files[node].Clients.Listen)),
                    GuardTls = new(access.Authority, access.Certificate, access.Key),
                    Witness = new("witness", "production", new("eu-central-1")),
                },
            },
            Backups = pair.Backups,
        };
    }
}
