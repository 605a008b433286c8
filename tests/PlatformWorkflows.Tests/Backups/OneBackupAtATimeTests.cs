using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>Runs of one store that were started in different ways do not make sets at once.</summary>
public sealed class OneBackupAtATimeTests(SkippingRunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Theory]
    [InlineData(nameof(BackUpClusterState), StoreKind.KubernetesState)]
    [InlineData(nameof(BackUpDatabase), StoreKind.Postgresql)]
    [InlineData(nameof(BackUpSearch), StoreKind.Elasticsearch)]
    [InlineData(nameof(BackUpVault), StoreKind.Vault)]
    public async Task By_hand_by_schedule_and_under_any_id_one_waits_for_the_other(string type, StoreKind kind)
    {
        var backups = FakeBackups.Of(kind);
        backups.Slow = true;
        var environment = $"e-{Guid.NewGuid():N}";
        var id = BackUpStore.WorkflowId(environment, "postgresql");
        await using var schedule = await StartAsync(backups, type, environment, $"{id}-2026-03-01T00:00:00Z", "scheduled");
        await Wait.UntilAsync(() => Task.FromResult(backups.StandsStill), still => still, _ => "No set is being made.");
        // By hand the id is the store's: the server says that it is taken, and the command line follows the run that has it.
        var taken = await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowAlreadyStartedException>(() => server.Client.StartWorkflowAsync(type, [new BackUpInput()], new(id, "any")));
        Assert.Equal("scheduled", (await server.Client.GetWorkflowHandle(taken.WorkflowId).QueryAsync<RunbookStatus>("status", [])).OperationId);
        await using var other = await StartAsync(backups, type, environment, $"mine-{environment}", "mine");
        Assert.Equal($"{id} to end", (await Wait.UntilAsync(other.StatusAsync, status => status.WaitingFor is not null, status => status.Summary)).WaitingFor!.For);
        Assert.Equal($"Its run is {id}.", Assert.Single((await schedule.StatusAsync()).Steps).Detail);
        Assert.DoesNotContain("mine", backups.Sets.Keys);
        backups.Slow = false;
        var first = await schedule.ReportAsync();
        var second = await other.ReportAsync();
        Assert.Equal((BackupOutcome.Complete, "scheduled", BackupOutcome.Complete, "mine"), (first.Outcome, first.Set.Id, second.Outcome, second.Set.Id));
        Assert.Equal((1, RunbookPhase.Completed), (backups.MostAtOnce, (await other.StatusAsync()).Phase));
    }

    [Fact]
    public async Task Also_when_the_server_is_killed_while_one_makes_its_set_and_one_waits()
    {
        await using var killed = new KilledRunbookServer();
        await killed.InitializeAsync();
        var backups = new FakeBackups { Slow = true };
        var id = BackUpStore.WorkflowId("killed", "postgresql");
        await using var first = await StartAsync(backups, nameof(BackUpDatabase), "killed", $"{id}-2026-03-01T00:00:00Z", "first", on: killed);
        await Wait.UntilAsync(() => Task.FromResult(backups.StandsStill), still => still, _ => "No set is being made.");
        await using var second = await StartAsync(backups, nameof(BackUpDatabase), "killed", "second", "second", on: killed);
        await Wait.UntilAsync(second.StatusAsync, status => status.WaitingFor is not null, status => status.Summary);
        await killed.KillAsync();
        // Neither who waited nor who comes now takes the turn of the one that goes on.
        await using var third = await StartAsync(backups, nameof(BackUpDatabase), "killed", "third", "third", on: killed);
        foreach (var waiting in new[] { second, third })
            Assert.Equal($"{id} to end", (await Wait.UntilAsync(waiting.StatusAsync, status => status.WaitingFor is not null, status => status.Summary)).WaitingFor!.For);
        Assert.Equal(["first"], backups.Sets.Keys);
        backups.Slow = false;
        Assert.Equal((BackupOutcome.Complete, "first"), ((await first.ReportAsync()).Outcome, (await first.ReportAsync()).Set.Id));
        // They look again half a minute later: that they take turns then the other tests say, in a time that jumps.
        Assert.Equal(1, backups.MostAtOnce);
    }

    [Fact]
    public async Task Who_has_waited_for_all_of_its_time_is_refused_with_the_one_that_goes_on()
    {
        var backups = new FakeBackups { Slow = true };
        var environment = $"e-{Guid.NewGuid():N}";
        var id = BackUpStore.WorkflowId(environment, "postgresql");
        await using var slow = await StartAsync(backups, nameof(BackUpDatabase), environment, id, "slow");
        await Wait.UntilAsync(() => Task.FromResult(backups.StandsStill), still => still, _ => "No set is being made.");
        await using var other = await StartAsync(backups, nameof(BackUpDatabase), environment, $"mine-{environment}", "mine", within: "1s");
        Assert.StartsWith($"No set of postgresql was made: {id} went on for all of the 1s that this run has. Look what it does (platformops status {environment} --run {id});", await other.FailureAsync(), StringComparison.Ordinal);
        backups.Slow = false;
        Assert.Equal("slow", (await slow.ReportAsync()).Set.Id);
        Assert.Equal(["slow"], backups.Sets.Keys);
    }

    [Fact]
    public async Task A_schedule_that_is_cancelled_cancels_the_run_that_makes_its_set()
    {
        var backups = new FakeBackups { Slow = true };
        var environment = $"e-{Guid.NewGuid():N}";
        await using var schedule = await StartAsync(backups, nameof(BackUpDatabase), environment, $"mine-{environment}", "mine");
        await Wait.UntilAsync(() => Task.FromResult(backups.StandsStill), still => still, _ => "No set is being made.");
        await schedule.Handle.CancelAsync();
        await schedule.EndedAsync();
        Assert.Equal((BackupOutcome.Failed, "It was cancelled."), (backups.Sets["mine"].Outcome, backups.Sets["mine"].Reason));
        Assert.Equal(RunbookPhase.Aborted, (await schedule.StatusAsync()).Phase);
    }

    [Theory]
    [InlineData(StoreKind.Postgresql, "Place")]
    [InlineData(StoreKind.Elasticsearch, "Replace")]
    [InlineData(StoreKind.Vault, "vaultFence")]
    public async Task No_set_is_made_of_what_is_half_restored(StoreKind kind, string parks)
    {
        var backups = FakeBackups.Of(kind).Fail(parks, type: FailureTypes.Unauthorized);
        var environment = $"e-{Guid.NewGuid():N}";
        var id = BackUpStore.WorkflowId(environment, "postgresql");
        await (kind switch
        {
            StoreKind.Postgresql => WhileAsync<RestoreReport>(new RestoreDatabaseInput(), nameof(RestoreDatabase), "place"),
            StoreKind.Elasticsearch => WhileAsync<SearchRestoreReport>(new RestoreSearchInput { Overwrite = true }, nameof(RestoreSearch), "replace"),
            _ => WhileAsync<VaultRestoreReport>(new RestoreVaultInput(), nameof(RestoreVault), "fence"),
        });

        async Task WhileAsync<TReport>(StoreRestoreInput input, string type, string step)
        {
            await using var restore = await RunningRunbook<TReport>.StartAsync(
                server, new(Plans.Chain), type, $"restore/{environment}/postgresql", input with { Environment = environment, Store = "postgresql", OperationId = "restored" }, backups);
            await restore.TellAsync("approve", new ApproveInput((await restore.UntilAsync(RunbookPhase.AwaitingApproval)).PlanHash, "ben", Overwrite: true));
            await restore.UntilAsync(RunbookPhase.Parked);
            Assert.StartsWith(
                $"restore/{environment}/postgresql changes postgresql: no set of it is made until that ends.", (await server.Client.GetWorkflowHandle(id).QueryAsync<RunbookStatus>("status", [])).Summary, StringComparison.Ordinal);
            await using var schedule = await StartAsync(backups, BackUpStore.RunbookOf(kind)!, environment, $"{id}-2026-03-01T00:00:00Z", "scheduled");
            Assert.Equal($"{id} to end", (await Wait.UntilAsync(schedule.StatusAsync, status => status.WaitingFor is not null, status => status.Summary)).WaitingFor!.For);
            await restore.TellAsync("retryStep", new StepInput(step));
            await restore.ReportAsync();
            Assert.Equal("scheduled", (await schedule.ReportAsync()).Set.Id);
            Assert.Equal(["begin", "make", "record", "check"], backups.Events.TakeLast(4));
        }
    }

    private Task<RunningRunbook<BackUpReport>> StartAsync(FakeBackups backups, string type, string environment, string id, string operation, string? within = null, RunbookServer? on = null) => RunningRunbook<BackUpReport>.StartAsync(
        on ?? server, new(Plans.Chain), type, id, new BackUpInput { Environment = environment, Store = "postgresql", OperationId = operation, Within = within }, backups);
}
