using PlatformOps.Platform.Backups;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Backups;
using PlatformOps.Workflows.Runbooks;

namespace PlatformOps.PlatformWorkflows.Tests.Backups;

/// <summary>The order in which a cold site comes back, what one approval is for, and what still asks for its own.</summary>
public sealed class RestoreEnvironmentTests(RunbookServer server)
{
    [Fact]
    public async Task Each_store_is_restored_by_its_runbook_in_order_with_one_approval()
    {
        var backups = Cold();
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups);
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal(["plan", "vault", "postgresql", "search", "argo-cd"], waiting.Steps.Select(step => step.Name));
        Assert.Equal(["list", "plan", "plan", "plan"], backups.Events);
        Assert.Contains("Somebody else has to approve.", await run.RefusalAsync("approve", new ApproveInput(waiting.PlanHash, "ana")), StringComparison.Ordinal);
        await run.ApproveAsync();
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Restored, "ada"), (report.Outcome, Assert.Single(report.ApprovedBy)));
        Assert.Equal(["vault", "postgresql", "search", "argo-cd"], report.Took.Keys);
        Assert.True(report.RestoreTook >= report.Took["search"]);
        var events = backups.Events.ToList();
        Assert.True(events.IndexOf("vaultVerify") < events.IndexOf("Reserve") && events.IndexOf("Rebuild") < events.IndexOf("Beside") && events.Contains("Compare"), string.Join(" ", events));
        // All were asked for by the one who asked for all, and approved by the one who approved all.
        var vault = await server.Client.GetWorkflowHandle(RestoreVault.WorkflowId(report.Environment, "vault")).GetResultAsync<VaultRestoreReport>();
        Assert.Equal(("op-recorded-vault", "ada"), (vault.OperationId, Assert.Single(vault.ApprovedBy)));
        var search = await server.Client.GetWorkflowHandle(RestoreSearch.WorkflowId(report.Environment, "search")).GetResultAsync<SearchRestoreReport>();
        Assert.Equal(("op-recorded-search", "ada", backups.SearchRestore.Hash), (search.OperationId, Assert.Single(search.ApprovedBy), search.PlanHash));
    }

    [Theory]
    [InlineData(true, "Vault is sealed.")]
    [InlineData(false, "A file of it is not what was written.")]
    public async Task A_store_that_cannot_be_planned_yet_asks_for_its_own_approval_when_it_is_its_turn(bool refused, string why)
    {
        var backups = Cold();
        backups.Stores.Remove("search");
        var later = backups.VaultRestore;
        if (refused)
            backups.VaultRestore = null;
        else
            backups.Fail("plan", type: FailureTypes.Unauthorized);
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups);
        Assert.Contains($"It cannot be planned yet ({why}), and asks for its own approval when it is its turn.", (await run.UntilAsync(RunbookPhase.AwaitingApproval)).Summary, StringComparison.Ordinal);
        backups.VaultRestore = later;
        await run.ApproveAsync();
        var vault = server.Client.GetWorkflowHandle(RestoreVault.WorkflowId((await run.StatusAsync()).Environment, "vault"));
        await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step is { Name: "vault", State: StepState.Running }), status => status.Summary);
        var waiting = await Wait.UntilAsync(
            async () => await StatusAsync(vault), status => status?.Phase == RunbookPhase.AwaitingApproval, status => status?.Summary ?? "It is not there yet.");
        await vault.ExecuteUpdateAsync<ControlResult>("approve", [new ApproveInput(waiting!.PlanHash, "eve")]);
        Assert.Equal(RestoreOutcome.Restored, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task What_was_restored_beside_a_database_has_to_take_its_place_before_anything_starts_on_it()
    {
        var backups = Cold().Beside();
        backups.Stores.Remove("search");
        backups.Stores.Remove("vault");
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups);
        await run.ApproveAsync();
        Assert.Contains("Have shop-restored-1 take the place of the database", (await run.UntilAsync(RunbookPhase.Parked)).Summary, StringComparison.Ordinal);
        await run.TellAsync("skipStep", new StepInput("postgresql", "it has taken its place"));
        Assert.Equal(["argo-cd"], (await run.ReportAsync()).Took.Keys.Where(step => step != "postgresql"));

        // One that has taken it is waited for by nobody.
        backups = Cold().Exchanged();
        // There is nothing there whose set would be made.
        backups.Restore = backups.Restore! with { Overwrites = false };
        backups.Stores.Remove("search");
        backups.Stores.Remove("vault");
        await using var exchanged = await Runs.RestoreEnvironmentAsync(server, backups);
        await exchanged.ApproveAsync();
        Assert.Equal(RestoreOutcome.Restored, (await exchanged.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_plan_that_is_another_by_then_was_not_approved()
    {
        var backups = Cold();
        backups.Stores.Remove("search");
        backups.Stores.Remove("postgresql");
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        backups.VaultRestore = backups.VaultRestore! with { Set = "newer" };
        await run.ApproveAsync();
        var vault = server.Client.GetWorkflowHandle(RestoreVault.WorkflowId((await run.StatusAsync()).Environment, "vault"));
        await Wait.UntilAsync(async () => await StatusAsync(vault), status => status?.Phase == RunbookPhase.AwaitingApproval, status => status?.Summary ?? "It is not there yet.");
        await vault.ExecuteUpdateAsync<ControlResult>("reject", [new RejectInput("another set", "eve")]);
        Assert.Contains("It ended rejected", (await run.UntilAsync(RunbookPhase.Parked)).Summary, StringComparison.Ordinal);
        await run.TellAsync("skipStep", new StepInput("vault", "it has what it needs"));
        var report = await run.ReportAsync();
        Assert.Equal((RestoreOutcome.Partial, "it has what it needs"), (report.Outcome, report.Skipped["vault"]));
        Assert.DoesNotContain("vaultRestore", backups.Events);
    }

    [Fact]
    public async Task Temporal_is_kept_still_before_its_own_workers_come_and_somebody_who_works_on_it_stops_that()
    {
        var backups = Cold();
        backups.Stores.Clear();
        backups.Components = ["app", "temporal-frontend", "temporal-worker"];
        backups.Restless.Enqueue("worker-1 asked orders for work.");
        await using var run = await Runs.RestoreEnvironmentAsync(server, backups);
        Assert.Equal(["plan", "temporal", "temporal-fence", "temporal-worker"], (await run.UntilAsync(RunbookPhase.AwaitingApproval)).Steps.Select(step => step.Name));
        await run.ApproveAsync();
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Contains("worker-1 asked orders for work.", parked.Summary, StringComparison.Ordinal);
        await run.TellAsync("retryStep", new StepInput("temporal-fence"));
        var report = await run.ReportAsync();
        Assert.Equal(2, backups.Events.Count(call => call == "fenceTemporal"));
        Assert.Contains(report.Steps, step => step is { Name: "temporal-fence", State: StepState.Done } && step.Detail == "shop: 2 schedules, all paused by op-recorded.");
    }

    [Theory]
    [InlineData(nameof(RestoreDatabase))]
    [InlineData(nameof(RestoreSearch))]
    [InlineData(nameof(RestoreVault))]
    public async Task Nobody_but_its_parent_says_that_a_plan_is_approved(string runbook)
    {
        var backups = Cold();
        await using var run = await RunningRunbook<VaultRestoreReport>.StartAsync(
            server, new(Provisioning.Plans.Chain), runbook, $"restore/{Guid.NewGuid():N}", new { environment = "e", store = "search", approved = new ApprovedPlan(backups.SearchRestore.Hash, ["ben"]) }, backups);
        Assert.Equal("Field 'approved' is for runs that RestoreEnvironment starts. Leave it out: the plan is approved with the update approve.", await run.FailureAsync());
        Assert.Empty(backups.Events);
    }

    /// <summary>A site of which nothing would be overwritten but its Vault.</summary>
    internal static FakeBackups Cold()
    {
        var backups = FakeBackups.Of(StoreKind.Vault);
        backups.Restore = backups.Restore! with { Overwrites = false };
        backups.SearchRestore = FakeBackups.SearchPlan(was: null);
        return backups;
    }

    private static async Task<RunbookStatus?> StatusAsync(Temporalio.Client.WorkflowHandle handle)
    {
        try
        {
            return await handle.QueryAsync<RunbookStatus>("status", []);
        }
        catch (Temporalio.Exceptions.RpcException missing) when (missing.Code == Temporalio.Exceptions.RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }
}
