using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary><c>DecommissionEnvironment</c>: order, approval, what is kept, abort and trouble.</summary>
public class DecommissionTests(RunbookServer server)
{
    private const string Kept = "Kept: it is a data store, and data stores were not asked for (includeDataStores).";

    /// <summary>A front end that stands on a data store, which is kept, and on a cache.</summary>
    internal static ProvisioningPlan Removal { get; } = Of(
        Component("frontend").With(Plans.Object("frontend", PlannedAction.Prune, "It is ours.")),
        Component("redis", "frontend").With(Plans.Object("redis", PlannedAction.Prune, "It is ours.")),
        Component("postgresql", "frontend").With(Plans.Object("postgresql", PlannedAction.None, Kept)));

    internal static FakeWorld World(ProvisioningPlan? plan = null) =>
        new FakeWorld(plan ?? Removal) { GuardRails = new(0, 2, MayDestroy: false, TimeSpan.FromHours(4)) }.Populate();

    [Fact]
    public async Task Asks_first_removes_what_stands_on_others_first_and_proves_by_listing_that_only_what_is_kept_is_left()
    {
        await using var run = await StartAsync(World());
        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal("3 steps: 2 objects to remove, 1 to keep. It waits for approval.", waiting.Summary);
        Assert.Equal("Nothing has been removed.", waiting.IfStoppedNow);
        Assert.Equal(["plan"], run.World.Events);

        await run.ApproveAsync();
        var report = await run.ReportAsync();

        Assert.Equal((DecommissionOutcome.Removed, "2 objects were removed, 1 were kept as planned; a listing finds nothing else of ours."), (report.Outcome, report.Summary));
        Assert.Equal([$"{Address("postgresql")}: {Kept}"], report.Kept);
        Assert.Empty(report.LeftBehind);
        Assert.Equal(
            ["plan", "remove frontend@us-east-1", "removed frontend@us-east-1", "remove redis@us-east-1", "removed redis@us-east-1", "ledger"], run.World.Events);
        Assert.Equal([Address("postgresql")], run.World.Objects.Select(item => item.Key));
        Assert.Equal((PlanPurpose.Decommission, false), (run.World.PlannedFor!.Purpose, run.World.PlannedFor.IncludeDataStores));
    }

    [Fact]
    public async Task What_was_to_be_kept_and_went_with_something_else_is_named_and_the_run_is_incomplete()
    {
        // What shows a namespace of Temporal may be removed; it is in the database nonetheless.
        var orders = new ResourceAddress("us-east-1", ResourceAddress.TemporalApiVersion, "TemporalNamespace", null, "orders");
        var world = World(Of([.. Removal.Components, Component("namespaces").With(Plans.Object("orders", PlannedAction.None, Kept) with { Address = orders })]));
        await using var run = await StartAsync(world);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        world.Lose(Address("postgresql"));
        world.Lose(orders);
        await run.ApproveAsync();

        var report = await run.ReportAsync();

        Assert.Equal(
            (DecommissionOutcome.Incomplete, "2 objects were removed, 1 were kept as planned, 1 that were to be kept are gone (lost): see what removed them."), (report.Outcome, report.Summary));
        Assert.Equal([$"{Address("postgresql")}"], report.Lost);
        Assert.Equal([$"{orders}: {Kept}"], report.Kept);
        Assert.Empty(report.LeftBehind);
    }

    [Fact]
    public async Task Needs_as_many_people_as_the_guard_rails_say_but_at_least_one()
    {
        var world = new FakeWorld(Removal) { GuardRails = new(2, 2, MayDestroy: true, TimeSpan.FromHours(4)) }.Populate();
        await using var run = await StartAsync(world, new() { IncludeDataStores = true });
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        await run.TellAsync("approve", new ApproveInput(Hash, "ada"));
        Assert.Contains("ada has already approved", await run.RefusalAsync("approve", new ApproveInput(Hash, "ada")), StringComparison.Ordinal);
        Assert.Equal(["plan"], world.Events);
        await run.TellAsync("approve", new ApproveInput(Hash, "grace"));

        Assert.Equal(DecommissionOutcome.Removed, (await run.ReportAsync()).Outcome);
        Assert.True(world.PlannedFor!.IncludeDataStores);
    }

    [Fact]
    public async Task Refuses_when_everything_that_is_left_has_to_be_kept()
    {
        await using var run = await StartAsync(World(Of(Component("postgresql").With(Plans.Object("postgresql", PlannedAction.None, Kept)))));

        var report = await run.ReportAsync();

        Assert.Equal((DecommissionOutcome.Refused, "Everything that is left is kept; nothing was done."), (report.Outcome, report.Summary));
        Assert.Equal(["plan"], run.World.Events);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Removes_nothing_that_was_not_approved(bool planOnly)
    {
        await using var run = await StartAsync(World(), new() { Mode = planOnly ? RunbookMode.Plan : RunbookMode.Apply });
        if (!planOnly)
        {
            await run.UntilAsync(RunbookPhase.AwaitingApproval);
            await run.TellAsync("reject", new RejectInput("still needed", "ada"));
        }

        Assert.Equal(planOnly ? DecommissionOutcome.Planned : DecommissionOutcome.Rejected, (await run.ReportAsync()).Outcome);
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Does_not_begin_while_another_run_changes_the_environment()
    {
        await using var run = await StartAsync(new FakeWorld(Removal) { OtherRuns = ["provision/development"] });
        await run.ApproveAsync();

        var failed = await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(run.ReportAsync);

        Assert.Contains("provision/development changes development-", failed.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Ends_when_the_last_step_has_nothing_to_remove()
    {
        await using var run = await StartAsync(World(Of(
            Component("frontend").With(Plans.Object("frontend", PlannedAction.Prune, "It is ours.")),
            Component("postgresql", "frontend").With(Plans.Object("postgresql", PlannedAction.None, Kept)))));
        await run.ApproveAsync();

        Assert.Equal(DecommissionOutcome.Removed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Lists_what_is_still_there_although_it_was_removed()
    {
        var world = new FakeWorld(Removal) { Undying = new HashSet<string> { "redis" }, GuardRails = new(0, 2, false, TimeSpan.FromHours(4)) }.Populate();
        await using var run = await StartAsync(world);
        await run.ApproveAsync();

        var report = await run.ReportAsync();

        Assert.Equal((DecommissionOutcome.Incomplete, "2 objects were removed, 1 were kept as planned, and something else is left."), (report.Outcome, report.Summary));
        Assert.Equal([$"{Address("redis")}: component of reference/development, still there"], report.LeftBehind);
    }

    [Fact]
    public async Task Parks_when_something_cannot_be_removed_and_what_it_stands_on_waits()
    {
        var world = World().Fail("remove frontend@us-east-1", "It waits for example.com/hold.", FailureTypes.NotRemoved);
        await using var run = await StartAsync(world);
        await run.ApproveAsync();
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("Parked: frontend@us-east-1: It waits for example.com/hold.", parked.Summary);
        Assert.DoesNotContain("remove redis@us-east-1", world.Events);

        await run.TellAsync("retryStep", new StepInput("frontend@us-east-1"));

        Assert.Equal(DecommissionOutcome.Removed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Stops_where_it_is_when_it_is_aborted_and_the_next_run_goes_on()
    {
        var world = World();
        var removing = world.Hold("remove redis@us-east-1");
        await using (var run = await StartAsync(world))
        {
            await run.ApproveAsync();
            await removing.ReachedAsync();
            await run.TellAsync("abort", new AbortInput("needed after all"));

            var report = await run.ReportAsync();
            Assert.Equal(DecommissionOutcome.Failed, report.Outcome);
            Assert.StartsWith("Aborted: needed after all. ", report.Summary, StringComparison.Ordinal);
        }

        removing.Open();
        await using var again = await StartAsync(world);
        await again.ApproveAsync();

        Assert.Equal(DecommissionOutcome.Removed, (await again.ReportAsync()).Outcome);
        Assert.Equal([Address("postgresql")], world.Objects.Select(item => item.Key));
    }

    internal static Task<RunningRunbook<DecommissionReport>> StartAsync(RunbookServer server, FakeWorld world, DecommissionEnvironmentInput? input = null, string? environment = null)
    {
        var given = (input ?? new()) with { Environment = environment ?? $"development-{Guid.NewGuid():N}" };
        return RunningRunbook<DecommissionReport>.StartAsync(server, world, nameof(DecommissionEnvironment), DecommissionEnvironment.WorkflowId(given.Environment), given);
    }

    private Task<RunningRunbook<DecommissionReport>> StartAsync(FakeWorld world, DecommissionEnvironmentInput? input = null) => StartAsync(server, world, input);
}
