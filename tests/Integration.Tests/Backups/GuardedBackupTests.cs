using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PlatformOps.Adapters;
using PlatformOps.Adapters.Backups;
using PlatformOps.Guard;
using PlatformOps.Guard.Backups;
using PlatformOps.Guard.Postgres;
using PlatformOps.Integration.Tests.Failover;
using PlatformOps.Platform.Backups;
using PlatformOps.Starter.Failover;

namespace PlatformOps.Integration.Tests.Backups;

/// <summary>Real sets of a real server under load, restored beside its standby.</summary>
public sealed class GuardedBackupTests
{
    private static readonly TimeSpan Rpo = TimeSpan.FromMinutes(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_set_made_under_load_is_restored_with_everything_that_is_older_than_the_RPO_and_to_a_moment()
    {
        await using var pair = await BackedUpPair.StartAsync();
        await using var load = Ledger.Start(pair.Pair, writers: 2);
        await load.MoreAsync(50);
        await TemporalTables.CreateAsync((database, statement) => pair.OwnSqlAsync(statement, database));
        var making = pair.Store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct);
        await EndsAsync(pair.Pair.Files, "op-1");
        var full = await making;
        Assert.EndsWith("F", full.Label, StringComparison.Ordinal);
        Assert.Empty(full.Missing);
        // The same operation again finds it.
        Assert.Equal(full.Label, (await pair.Store.MakeAsync("op-1", BackupMethod.Full, _ => { }, Ct)).Label);
        var increment = await pair.Store.MakeAsync("op-2", BackupMethod.Incremental, _ => { }, Ct);
        Assert.Equal([full.Label], increment.DependsOn);

        await pair.SqlAsync("INSERT INTO ledger VALUES (-1)");
        var moment = new DateTimeOffset((DateTime)(await pair.SqlAsync("SELECT clock_timestamp()"))!, TimeSpan.Zero);
        await pair.SqlAsync("INSERT INTO ledger VALUES (-2)");
        await load.StopAsync();
        await pair.ArchivedAsync();

        var sight = await pair.Store.LookAsync(Ct);
        Assert.Equal([full.Label, increment.Label], sight.Sets.Select(set => set.Label));
        Assert.Equal([full.Manifest.Digest, increment.Manifest.Digest], sight.Sets.Select(set => set.ManifestDigest));
        Assert.Empty(sight.Gaps);
        Assert.Empty(sight.Broken);

        var newest = await pair.Store.RestoreAsync("verify-1", increment.Label, null, _ => { }, Ct);
        Assert.Equal(newest, await pair.Store.RestoreAsync("verify-1", increment.Label, null, _ => { }, Ct));
        Assert.Equal(await pair.SqlAsync("SELECT count(*) FROM ledger"), await pair.CopySqlAsync("SELECT count(*) FROM ledger"));
        var found = await pair.Store.ProbeAsync("verify-1", Rpo, _ => { }, Ct);
        Assert.Empty(found.Wrong);
        Assert.Equal(found.Right, (await pair.Store.ProbeAsync("verify-1", Rpo, _ => { }, Ct)).Right);
        Assert.True(found.Rpo < Rpo, $"{found.Rpo}");
        Assert.Contains(found.Right, right => right.EndsWith("tables have the columns and about the rows that they have to have.", StringComparison.Ordinal));
        await SilentAsync(pair);
        await pair.CopySqlAsync("DELETE FROM ledger");
        Assert.Contains(".public.ledger has 0 rows in it; when a set was made it had", Assert.Single((await pair.Store.ProbeAsync("verify-1", Rpo, _ => { }, Ct)).Wrong), StringComparison.Ordinal);
        await ReadTemporalAsync(pair, found);
        Assert.Equal(["the copy of " + increment.Label + " on us-west-2"], await pair.Store.CleanUpAsync("verify-1", Ct));
        Assert.Empty(await pair.Store.CleanUpAsync("verify-1", Ct));

        await pair.Store.RestoreAsync("restore-1", full.Label, moment, _ => { }, Ct);
        Assert.Equal(1L, await pair.CopySqlAsync("SELECT count(*) FROM ledger WHERE id = -1"));
        Assert.Equal(0L, await pair.CopySqlAsync("SELECT count(*) FROM ledger WHERE id = -2"));
        await pair.Store.CleanUpAsync("restore-1", Ct);

        await AnotherServerAsync(pair);
        await pair.Store.RemoveAsync(increment.Label, Ct);
        await pair.Store.RemoveAsync(increment.Label, Ct);
        Assert.Equal([full.Label], (await pair.Store.LookAsync(Ct)).Sets.Select(set => set.Label));
    }

    /// <summary>Whoever waits for an order hears of its end, and not that it goes on.</summary>
    private static async Task EndsAsync(LocalPair files, string operation)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(files.Access.Certificate, files.Access.Key);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        handler.ClientCertificates.Add(certificate);
        using var guard = new HttpClient(handler) { BaseAddress = files.Access.Nodes[GuardedPair.First] };
        HttpResponseMessage said;
        do
        {
            said = await guard.GetAsync(new Uri($"/v1/backups?operation={operation}&kind=make&patienceMs=30000", UriKind.Relative), Ct);
        }
        while (said.StatusCode == HttpStatusCode.NotFound);
        Assert.Equal("done", JsonDocument.Parse(await said.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("state").GetString());
    }

    /// <summary>Somebody points a new server at the repository: it is named together with the one whose sets lie there, and nothing of those changes.</summary>
    private static async Task AnotherServerAsync(BackedUpPair pair)
    {
        var folder = Path.Combine(pair.Pair.Files.Folder, "another");
        var other = pair.Pair.Files[GuardedPair.First] with { Node = "eu-west-1", Data = Path.Combine(folder, "data"), State = Path.Combine(folder, "state") };
        var user = new ServerUser(other.ServerUser);
        var tools = new ServerTools(other, user, TimeProvider.System);
        foreach (var own in new[] { other.State, other.Data })
        {
            Directory.CreateDirectory(own);
            user.Own(own);
        }

        await tools.RunAsync("initdb", ["--pgdata", other.Data, "--auth", "trust", "--no-sync"], Ct);
        var (theirs, ours) = (await SystemAsync(pair.Pair.Files[GuardedPair.First].Data), await SystemAsync(other.Data));
        Assert.NotEqual(theirs, ours);
        var before = await pair.Objects.ListAsync(BackedUpPair.Repository, Ct);

        var tool = new PgBackRest(other, user, tools);
        foreach (var work in new Func<Task>[] { () => tool.MakeAsync("op-1", BackupMethod.Full, _ => { }, TimeProvider.System, Ct), () => tool.EnsureStanzaAsync(Ct), () => tool.CheckAsync(Ct) })
        {
            var refused = await Assert.ThrowsAsync<GuardException>(work);
            Assert.True(refused.Damaged);
            Assert.StartsWith(
                $"The repository s3://backups/pair (stanza main) is that of another server: it holds the backups of the one with the system identifier {theirs}, and that of eu-west-1 has {ours}. Nothing is written into it. When eu-west-1 is a server of its own, give backup.repository.path of both nodes a place that is empty",
                refused.Message, StringComparison.Ordinal);
        }

        // Its log is refused by pgBackRest itself, as the server would have it archived.
        var log = Directory.GetFiles(Path.Combine(other.Data, "pg_wal"), "0*").Single();
        var (code, output, errors) = await tools.TryAsync("/bin/sh", ["-c", PgBackRest.ArchiveCommand(other).Replace("%p", log, StringComparison.Ordinal)], Ct);
        Assert.True(code != 0 && output.Contains("ArchiveMismatchError", StringComparison.Ordinal), $"{code} {output} {errors}");
        Assert.Empty(before.Except(await pair.Objects.ListAsync(BackedUpPair.Repository, Ct)));

        async Task<string> SystemAsync(string data) => ControlData.Of(await tools.RunAsync("pg_controldata", [data], Ct), "Database system identifier")!;
    }

    /// <summary>A copy beside a node whose guard does not answer is looked for nowhere else, and is there when the guard answers again.</summary>
    private static async Task SilentAsync(BackedUpPair pair)
    {
        using (var store = Without(GuardedPair.Second))
        {
            var failure = await Assert.ThrowsAsync<AdapterException>(() => store.ProbeAsync("verify-1", Rpo, _ => { }, Ct));
            Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
            Assert.Matches("^The copy of verify-1 is beside none of the servers whose guards answer: it is where one does not. The guard of us-west-2 .* It is asked again: start the guard;", failure.Message);
        }

        Assert.Empty((await pair.Store.ProbeAsync("verify-1", Rpo, _ => { }, Ct)).Wrong);
        // The standby's guard knows as little of what nobody asked it for as one that was just started of what it made before.
        using (var store = Without(GuardedPair.First))
        {
            var failure = await Assert.ThrowsAsync<AdapterException>(() => store.ProbeAsync("verify-2", Rpo, _ => { }, Ct));
            Assert.Equal(AdapterFailureKind.Unavailable, failure.Kind);
            Assert.Matches("^The copy of verify-2 is not beside us-west-2: it may be where a guard does not answer. The guard of us-east-1 .* It is asked again: start the guard;", failure.Message);
        }

        var missing = await Assert.ThrowsAsync<AdapterException>(() => pair.Store.ProbeAsync("verify-2", Rpo, _ => { }, Ct));
        Assert.Equal((AdapterFailureKind.Unavailable, "The guard of us-west-2: There is no copy of verify-2 on us-west-2: restore it first."), (missing.Kind, missing.Message));

        // Nobody listens there.
        GuardedBackups Without(string node) => new(pair.Pair.Files.Access with { Nodes = new Dictionary<string, Uri>(pair.Pair.Files.Access.Nodes) { [node] = new("https://127.0.0.1:1") } }, TimeProvider.System);
    }

    /// <summary>What would go on is known without a Temporal that goes on, and what it could not go on from is named.</summary>
    private static async Task ReadTemporalAsync(BackedUpPair pair, CopyFindings found)
    {
        Assert.Equal(new TemporalCopyCounts(TemporalTables.Database, Executions: 2, Open: 1, Sampled: 2, Events: 9, Compared: 2, Differing: 0), Assert.Single(found.Temporal));
        Assert.Contains(
            "Temporal in temporal: 2 executions, 1 of them open, as its tables have them. 2 executions were described and 9 events of their histories read.", found.Right);

        await pair.CopySqlAsync("UPDATE executions_visibility SET status = 2", TemporalTables.Visibility);
        await pair.CopySqlAsync("DELETE FROM history_node WHERE txn_id = 22", TemporalTables.Database);
        var wrong = await WrongAsync();
        Assert.Equal(2, wrong.Count);
        Assert.Matches("^order-2 .* of orders has 4 events and its history ends after 3", wrong[0]);
        Assert.Contains("1 are listed as closed and are open", wrong[1], StringComparison.Ordinal);
        // It had been written down that it has to be listed, and a batch in the middle is no message.
        await pair.CopySqlAsync("INSERT INTO visibility_tasks VALUES (1, 1, '', 'Proto3')", TemporalTables.Database);
        await pair.CopySqlAsync("UPDATE history_node SET data = '\\xff' WHERE txn_id = 11", TemporalTables.Database);
        wrong = await WrongAsync();
        Assert.Equal(2, wrong.Count);
        Assert.Matches("^The history of order-1 .* of orders has a gap", wrong[0]);

        async Task<IReadOnlyList<string>> WrongAsync() => [.. (await pair.Store.ProbeAsync("verify-1", Rpo, _ => { }, Ct)).Wrong.Where(wrong => !wrong.StartsWith("The table ", StringComparison.Ordinal))];
    }
}
