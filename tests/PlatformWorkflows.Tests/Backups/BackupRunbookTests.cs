using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order of backups, verifications and retention, and what becomes of them when something goes wrong.</summary>
public sealed class BackupRunbookTests(RunbookServer server)
{
    private static readonly BackupProof Proof = new(true, FakeBackups.Start, "verify-1", []);

    [Fact]
    public async Task A_backup_is_entered_before_it_is_made_and_written_down_after_it()
    {
        var backups = new FakeBackups { Findings = ["1 segments of the log are missing."] };
        await using var run = await Runs.BackUpAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal(["begin", "make", "record", "check"], backups.Events);
        Assert.Equal((BackupOutcome.Complete, "op-recorded", "20260301-000000F"), (report.Outcome, report.Set.Id, report.Set.Label));
        Assert.Equal("postgresql is backed up: 20260301-000000F, 4300000 bytes in 3m. 1 things are wrong in the repository: 1 segments of the log are missing.", report.Summary);
        var status = await run.StatusAsync();
        Assert.Equal((RunbookPhase.Completed, "Nothing is half-done."), (status.Phase, status.IfStoppedNow));
        Assert.Equal([StepState.Done, StepState.Done, StepState.Done, StepState.Failed], status.Steps.Select(step => step.State));
    }

    [Theory]
    [InlineData(nameof(BackUpClusterState), StoreKind.KubernetesState)]
    [InlineData(nameof(BackUpVault), StoreKind.Vault)]
    [InlineData(nameof(BackUpSearch), StoreKind.Elasticsearch)]
    public async Task Every_kind_of_store_has_its_runbook_which_takes_no_other(string type, StoreKind kind)
    {
        var backups = FakeBackups.Of(kind);
        await using var run = await Runs.BackUpAsync(server, backups, type, null);
        Assert.Equal(BackupOutcome.Complete, (await run.ReportAsync()).Outcome);
        await using var other = await Runs.BackUpAsync(server, FakeBackups.Of(StoreKind.Postgresql), type, null);
        Assert.Contains("which is of kind Postgresql", await other.FailureAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("begin", true)]
    [InlineData("make", false)]
    [InlineData("make", true)]
    [InlineData("record", true)]
    public async Task A_step_that_may_have_happened_is_asked_for_again_and_makes_nothing_twice(string call, bool afterEffect)
    {
        var backups = new FakeBackups().Fail(call, afterEffect);
        await using var run = await Runs.BackUpAsync(server, backups);
        Assert.Equal(BackupOutcome.Complete, (await run.ReportAsync()).Outcome);
        Assert.Single(backups.Sets);
    }

    [Theory]
    [InlineData(1, null, true)]
    [InlineData(9, null, true)]
    [InlineData(10, null, false)]
    [InlineData(1, FailureTypes.Unauthorized, false)]
    public async Task An_etcd_that_does_not_answer_is_asked_again_for_a_while_and_then_the_set_is_made_without(int failures, string? type, bool snapshot)
    {
        var backups = FakeBackups.Of(StoreKind.KubernetesState, etcd: true);
        for (var failure = 0; failure < failures; failure++)
            backups.Fail("etcd", type: type);
        if (!snapshot)
            backups.Missing = ["It has no snapshot of etcd: https://10.0.1.10:2379 does not answer."];
        await using var run = await Runs.BackUpAsync(server, backups, nameof(BackUpClusterState), null);
        var report = await run.ReportAsync();
        Assert.Equal(snapshot ? ["begin", "etcd", "make", "record", "check"] : ["begin", "make", "record", "check"], backups.Events);
        Assert.Equal(snapshot ? BackupOutcome.Complete : BackupOutcome.Partial, report.Outcome);
        Assert.Equal(snapshot, report.Set.Reason is null);
    }

    [Fact]
    public async Task A_backup_that_is_not_whole_is_no_failure_to_hide_and_never_the_last_good_one()
    {
        var backups = new FakeBackups { Missing = ["Database shop could not be read."] }.With("before", 1);
        await using var run = await Runs.BackUpAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal(BackupOutcome.Partial, report.Outcome);
        Assert.Equal("The backup of postgresql is not whole, and does not count: Database shop could not be read. The last good one is that of before.", report.Summary);
        Assert.Equal(RunbookPhase.Failed, (await run.StatusAsync()).Phase);
        Assert.Equal("before", backups.Sets.Values.Single(set => set.Good).Id);
    }

    [Fact]
    public async Task A_backup_that_failed_is_closed_in_the_catalog_with_its_reason()
    {
        var backups = new FakeBackups().Fail("make", type: FailureTypes.Rejected);
        await using var run = await Runs.BackUpAsync(server, backups);
        Assert.Equal("A file of it is not what was written.", await run.FailureAsync());
        Assert.Equal((BackupOutcome.Failed, "A file of it is not what was written."), (backups.Sets["op-recorded"].Outcome, backups.Sets["op-recorded"].Reason));
    }

    [Fact]
    public async Task A_cancelled_backup_is_closed_in_the_catalog_too()
    {
        var backups = new FakeBackups { Slow = true };
        await using var run = await Runs.BackUpAsync(server, backups);
        await run.UntilAsync(RunbookPhase.Acting);
        await run.Handle.CancelAsync();
        await run.EndedAsync();
        Assert.Equal((BackupOutcome.Failed, "It was cancelled."), (backups.Sets["op-recorded"].Outcome, backups.Sets["op-recorded"].Reason));
    }

    [Fact]
    public async Task Two_backups_of_one_store_never_run_at_once()
    {
        var backups = new FakeBackups { Slow = true };
        await using var run = await Runs.BackUpAsync(server, backups);
        await run.UntilAsync(RunbookPhase.Acting);
        await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(
            () => server.Client.StartWorkflowAsync(nameof(BackUpDatabase), [new BackUpInput()], new(run.Handle.Id, "any")));
        backups.Slow = false;
        Assert.Equal(BackupOutcome.Complete, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_verification_restores_probes_cleans_up_and_writes_down_what_it_measured()
    {
        var backups = new FakeBackups().With("old", 3, Proof).With("new", 1);
        await using var run = await Runs.VerifyAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal(["choose", "restore", "probe", "cleanUp", "proof"], backups.Events);
        Assert.Equal((VerifyOutcome.Proved, "new", "new was restored and is whole. RPO 31.5 s of 60 s. RTO 12.0 s of 900 s."), (report.Outcome, report.Set, report.Summary));
        Assert.Equal(["new"], report.Removed);
        Assert.Empty(report.Unproven);
        Assert.Empty(backups.Quarantines);
        Assert.Equal((true, TimeSpan.FromSeconds(31.5), TimeSpan.FromSeconds(12)), backups.Sets["new"].Proof is { } proof ? (proof.Proved, proof.MeasuredRpo!.Value, proof.MeasuredRto!.Value) : default);
        var attributes = (await run.Handle.DescribeAsync()).TypedSearchAttributes;
        Assert.Equal(("proved", "31.5s", "12s"), (attributes.Get(RunbookSearchAttributes.Outcome), attributes.Get(RunbookSearchAttributes.MeasuredRpo), attributes.Get(RunbookSearchAttributes.MeasuredRto)));
    }

    [Fact]
    public async Task A_set_that_cannot_be_restored_is_damaged_from_then_on()
    {
        var backups = new FakeBackups().With("new", 1).Fail("restore", type: FailureTypes.Damaged);
        await using var run = await Runs.VerifyAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal((VerifyOutcome.Damaged, "new cannot be restored whole: A file of it is not what was written. Do not rely on it; make a full backup now."), (report.Outcome, report.Summary));
        Assert.False(backups.Sets["new"].Good);
        Assert.Empty(backups.Quarantines);
    }

    [Fact]
    public async Task A_set_in_which_something_is_missing_is_damaged_and_one_that_is_late_is_whole()
    {
        var backups = new FakeBackups { Wrong = ["2 of 12 markers that are older than 1m are missing."] }.With("new", 1);
        await using (var run = await Runs.VerifyAsync(server, backups))
            Assert.Equal(VerifyOutcome.Damaged, (await run.ReportAsync()).Outcome);
        backups = new FakeBackups { Rpo = TimeSpan.FromSeconds(90) }.With("new", 1);
        await using (var run = await Runs.VerifyAsync(server, backups))
        {
            var report = await run.ReportAsync();
            Assert.Equal((VerifyOutcome.ObjectiveMissed, "new was restored and is whole. RPO 90.0 s of 60 s: not kept. RTO 12.0 s of 900 s."), (report.Outcome, report.Summary));
            Assert.True(backups.Sets["new"].Proved);
        }
    }

    [Fact]
    public async Task A_set_that_was_restored_and_that_nobody_has_read_is_not_called_proved()
    {
        var backups = new FakeBackups { Unread = "Its server cannot be reached." }.With("new", 1);
        await using var run = await Runs.VerifyAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal((VerifyOutcome.Restored, "new was restored, and is as proved as before: not all was looked at that has to be. Its server cannot be reached. RPO 31.5 s of 60 s. RTO 12.0 s of 900 s."), (report.Outcome, report.Summary));
        Assert.Equal(["new"], report.Unproven.Append("new").Distinct());
        Assert.Null(backups.Sets["new"].Proof);
        Assert.Equal("Its server cannot be reached.", backups.Sets["new"].Restored!.Unread);
        Assert.Empty(backups.Quarantines);
    }

    [Fact]
    public async Task What_could_not_be_found_out_is_no_proof_of_anything_and_leaves_nothing()
    {
        var backups = new FakeBackups().With("new", 1).Fail("restore", type: FailureTypes.Forbidden);
        await using var run = await Runs.VerifyAsync(server, backups);
        await run.FailureAsync();
        Assert.Null(backups.Sets["new"].Proof);
        Assert.Empty(backups.Quarantines);
    }

    [Fact]
    public async Task Nothing_is_restored_when_every_set_was_proved_lately()
    {
        var backups = new FakeBackups().With("new", 1, Proof);
        await using var run = await Runs.VerifyAsync(server, backups);
        var report = await run.ReportAsync();
        Assert.Equal((VerifyOutcome.NothingDue, "Every set was proved in the last 168h."), (report.Outcome, report.Summary));
        Assert.Equal(["choose"], backups.Events);
    }

    [Fact]
    public async Task Retention_marks_first_and_removes_when_the_grace_has_ended()
    {
        var backups = new FakeBackups().With("a", 60).With("b", 50).With("begin", 31).With("c", 3, Proof).With("d", 1);
        await using (var run = await Runs.RetainAsync(server, backups))
            Assert.Equal("Of 5 sets 0 go, 2 are marked, 0 wait, 0 are unmarked.", (await run.ReportAsync()).Summary);
        backups.Now = backups.Now.AddDays(1);
        await using (var run = await Runs.RetainAsync(server, backups, RunbookMode.Plan))
            Assert.Equal("Of 5 sets 2 go, 0 are marked, 0 wait, 0 are unmarked.", (await run.ReportAsync()).Summary);
        Assert.Equal(5, backups.Sets.Count);
        await using (var run = await Runs.RetainAsync(server, backups))
            Assert.Equal(5, (await run.ReportAsync()).Verdicts.Count);
        Assert.Equal(["begin", "c", "d"], backups.Sets.Keys.Order());
    }

    [Fact]
    public async Task A_person_holds_a_set_for_a_while_and_lets_it_go()
    {
        var backups = new FakeBackups().With("new", 1);
        await using (var run = await Runs.HoldAsync(server, backups, release: false))
            Assert.Equal((HoldOutcome.Held, "the audit"), ((await run.ReportAsync()).Outcome, backups.Sets["new"].Hold!.Why));
        Assert.NotNull(backups.Sets["new"].Hold!.Until);
        await using var released = await Runs.HoldAsync(server, backups, release: true);
        Assert.Equal((HoldOutcome.Released, null), ((await released.ReportAsync()).Outcome, backups.Sets["new"].Hold));
    }

    [Fact]
    public async Task Every_set_is_listed_with_how_it_stands()
    {
        await using var run = await Runs.ReadAsync(server, new FakeBackups().With("old", 30).With("new", 1, Proof));
        var report = await run.ReportAsync();
        Assert.Equal([("old", BackupStanding.Unproven), ("new", BackupStanding.Verified)], report.Sets.Select(set => (set.Set, set.Standing)));
        Assert.Equal("2 sets of postgresql: 1 verified, 1 unproven, 0 damaged.", report.Summary);
    }

    [Theory]
    [InlineData("""{"environment": "x"}""", "Field 'store' is missing: the store's name in the catalog.")]
    [InlineData("""{"store": "postgresql"}""", "Field 'environment' is missing. Give the environment's name in the specification.")]
    [InlineData("""{"environment": "x", "store": "postgresql", "method": "small"}""", "Field 'method' has a value of the wrong kind: one of full, differential, incremental is expected.")]
    [InlineData("""{"environment": "x", "store": "postgresql", "within": "99d"}""", "Field 'within' is '99d'. A number with its unit is expected (90s, 15m, 24h, 30d), from 1s to 7d.")]
    [InlineData("""{"environment": "x", "stor": "postgresql"}""", "Unknown field 'stor'. Possible fields: environment, store, region, method, operationId, within.")]
    public async Task What_is_wrong_in_the_input_is_said_before_anything_is_done(string input, string expected)
    {
        var backups = new FakeBackups();
        await using var run = await RunningRunbook<BackUpReport>.StartAsync(
            server, new(Plans.Chain), nameof(BackUpDatabase), $"backup/{Guid.NewGuid():N}", System.Text.Json.JsonDocument.Parse(input).RootElement, backups);
        Assert.Equal(expected, await run.FailureAsync());
        Assert.Empty(backups.Events);
    }
}

/// <summary>Runs of each runbook about backups, of an environment of their own.</summary>
internal static class Runs
{
    public static Task<RunningRunbook<BackUpReport>> BackUpAsync(RunbookServer server, FakeBackups backups, string? environment = null) => BackUpAsync(server, backups, nameof(BackUpDatabase), environment);

    public static Task<RunningRunbook<BackUpReport>> BackUpAsync(RunbookServer server, FakeBackups backups, string type, string? environment) => StartAsync<BackUpReport>(
        server, backups, type, environment, name => (BackUpStore.WorkflowId(name, "postgresql"), new BackUpInput { Environment = name, Store = "postgresql", OperationId = "op-recorded" }));

    public static Task<RunningRunbook<VerifyBackupReport>> VerifyAsync(RunbookServer server, FakeBackups backups, string? environment = null) => StartAsync<VerifyBackupReport>(
        server, backups, nameof(VerifyBackup), environment, name => (VerifyBackup.WorkflowId(name, "postgresql"), new VerifyBackupInput { Environment = name, Store = "postgresql", OperationId = "op-recorded" }));

    public static Task<RunningRunbook<ApplyRetentionReport>> RetainAsync(RunbookServer server, FakeBackups backups, RunbookMode mode = RunbookMode.Apply, string? environment = null) => StartAsync<ApplyRetentionReport>(
        server, backups, nameof(ApplyRetention), environment, name => (ApplyRetention.WorkflowId(name, "postgresql"), new ApplyRetentionInput { Environment = name, Store = "postgresql", OperationId = "op-recorded", Mode = mode }));

    public static Task<RunningRunbook<ReadBackupsReport>> ReadAsync(RunbookServer server, FakeBackups backups, string? environment = null) => StartAsync<ReadBackupsReport>(
        server, backups, nameof(ReadBackups), environment, name => ($"plan/backup/{name}/{Guid.NewGuid():N}", new ReadBackupsInput { Environment = name, Store = "postgresql" }));

    public static Task<RunningRunbook<HoldBackupReport>> HoldAsync(RunbookServer server, FakeBackups backups, bool release, string? environment = null) => StartAsync<HoldBackupReport>(
        server, backups, nameof(HoldBackup), environment,
        name => ($"plan/backup/{name}/{Guid.NewGuid():N}", new HoldBackupInput { Environment = name, Store = "postgresql", Set = "new", By = "ana", Reason = "the audit", For = "30d", Release = release }));

    public static Task<RunningRunbook<RestoreReport>> RestoreAsync(RunbookServer server, FakeBackups backups, RunbookMode mode = RunbookMode.Apply, string? parkedAtMost = null) => StartAsync<RestoreReport>(
        server, backups, nameof(RestoreDatabase), null,
        name => (RestoreDatabase.WorkflowId(name, "postgresql"), new RestoreDatabaseInput { Environment = name, Store = "postgresql", OperationId = "op-recorded", To = "2026-02-28T23:55:00Z", RequestedBy = "ana", Mode = mode, ParkedAtMost = parkedAtMost }));

    public static Task<RunningRunbook<StateRestoreReport>> RestoreStateAsync(RunbookServer server, FakeBackups backups, RunbookMode mode = RunbookMode.Apply, string? environment = null) => StartAsync<StateRestoreReport>(
        server, backups, nameof(RestoreClusterState), environment,
        name => (RestoreClusterState.WorkflowId(name, "postgresql"), new RestoreClusterStateInput { Environment = name, Store = "postgresql", OperationId = "op-recorded", Namespaces = ["shop"], Overwrite = true, RequestedBy = "ana", Mode = mode }));

    public static Task<RunningRunbook<VaultRestoreReport>> RestoreVaultAsync(RunbookServer server, FakeBackups backups, RunbookMode mode = RunbookMode.Apply, string? environment = null) => StartAsync<VaultRestoreReport>(
        server, backups, nameof(RestoreVault), environment,
        name => (RestoreVault.WorkflowId(name, "postgresql"), new RestoreVaultInput { Environment = name, Store = "postgresql", OperationId = "op-recorded", RequestedBy = "ana", Mode = mode }));

    public static Task<RunningRunbook<EnvironmentRestoreReport>> RestoreEnvironmentAsync(RunbookServer server, FakeBackups backups, RunbookMode mode = RunbookMode.Apply, string? environment = null) => StartAsync<EnvironmentRestoreReport>(
        server, backups, nameof(RestoreEnvironment), environment,
        name => (RestoreEnvironment.WorkflowId(name), new RestoreEnvironmentInput { Environment = name, OperationId = "op-recorded", RequestedBy = "ana", Mode = mode }));

    public static Task<RunningRunbook<SearchRestoreReport>> RestoreSearchAsync(RunbookServer server, FakeBackups backups, string? environment = null) => StartAsync<SearchRestoreReport>(
        server, backups, nameof(RestoreSearch), environment,
        name => (RestoreSearch.WorkflowId(name, "postgresql"), new RestoreSearchInput { Environment = name, Store = "postgresql", OperationId = "op-recorded", Overwrite = true, RequestedBy = "ana" }));

    private static Task<RunningRunbook<T>> StartAsync<T>(RunbookServer server, FakeBackups backups, string type, string? environment, Func<string, (string Id, object Input)> how)
    {
        var (id, input) = how(environment ?? $"e-{Guid.NewGuid():N}");
        return RunningRunbook<T>.StartAsync(server, new(Plans.Chain), type, id, input, backups);
    }
}
