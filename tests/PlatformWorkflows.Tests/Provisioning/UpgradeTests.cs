using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Exceptions;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary><c>UpgradeComponent</c>: region by region, and back when one does not do well.</summary>
public class UpgradeTests(RunbookServer server)
{
    private const string Canary = "history@us-west-2", Rest = "history@us-east-1";

    /// <summary>The secondary region first, then the primary one.</summary>
    internal static ProvisioningPlan Upgrade { get; } = Plans.Of(Step("us-west-2"), Step("us-east-1", Canary));

    internal static ProvisioningPlan Refused { get; } = Plans.Of(Step("us-west-2") with
    {
        Objects = [Plans.Object("history", PlannedAction.Conflict, "1.31.2 cannot become 1.33.0: go to the newest 1.32 first, one minor version at a time.")],
    });

    internal static FakeWorld World(int approvals = 0) => new(Upgrade) { GuardRails = new(approvals, 4, MayDestroy: false, TimeSpan.FromHours(4)) };

    [Fact]
    public async Task Upgrades_the_secondary_region_first_and_the_next_one_when_it_is_healthy()
    {
        var world = World(approvals: 1);
        var canary = world.Hold($"health {Canary}");
        await using var run = await StartAsync(world, new() { Version = "1.32.0", Parameters = new Dictionary<string, string> { ["replicas"] = "3" } });
        await run.ApproveAsync();
        await canary.ReachedAsync();
        Assert.Equal(["plan", $"capture {Canary}", $"apply {Canary}", $"applied {Canary}", $"health {Canary}"], world.Events);
        Assert.Equal([$"Apply again what was applied of {Canary} before: 1 objects"], (await run.StatusAsync()).Compensations);
        canary.Open();

        var report = await run.ReportAsync();

        Assert.Equal((UpgradeOutcome.Upgraded, "history runs what is specified and is healthy in 2 regions."), (report.Outcome, report.Summary));
        Assert.Equal([$"capture {Rest}", $"apply {Rest}", $"applied {Rest}", $"health {Rest}", $"healthy {Rest}"], world.Events.Skip(6));
        Assert.Equal((PlanPurpose.Upgrade, "1.32.0", "3"), (world.PlannedFor!.Purpose, world.PlannedFor.Expected!.Version, world.PlannedFor.Expected.Parameters!["replicas"]));
        Assert.Equal(["history"], world.PlannedFor.Components!);
    }

    [Fact]
    public async Task Returns_the_canary_and_never_touches_the_rest_when_the_gate_fails()
    {
        var world = World().Fail($"health {Canary}", "0/3 replicas ready.", FailureTypes.Unhealthy);
        await using var run = await StartAsync(world);

        var report = await run.ReportAsync();

        Assert.Equal(UpgradeOutcome.Returned, report.Outcome);
        Assert.Equal($"{Canary} did not do well: 0/3 replicas ready. What was applied before is applied again in every region that was begun, and it is healthy there.", report.Summary);
        Assert.Equal(["plan", $"capture {Canary}", $"apply {Canary}", $"applied {Canary}", $"health {Canary}", $"restore {Canary}", $"health {Canary}", $"healthy {Canary}"], world.Events);
        Assert.Equal("Returned 1 objects to what they were. 1 of 1 gates passed.", report.Steps[0].Detail);
        Assert.Equal([StepState.RolledBack, StepState.Blocked], report.Steps.Select(step => step.State));
    }

    [Fact]
    public async Task Returns_every_region_newest_first_when_a_later_one_fails()
    {
        var world = World().Fail($"health {Rest}", "0/3 replicas ready.", FailureTypes.Unhealthy);
        await using var run = await StartAsync(world);

        Assert.Equal(UpgradeOutcome.Returned, (await run.ReportAsync()).Outcome);
        Assert.Equal([$"restore {Rest}", $"restore {Canary}"], world.Events.Where(did => did.StartsWith("restore", StringComparison.Ordinal)));
        Assert.Equal([$"healthy {Canary}", $"healthy {Rest}"], world.Events.TakeLast(4).Where(did => did.StartsWith("healthy", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Reverse());
    }

    [Fact]
    public async Task Says_when_a_region_is_not_healthy_with_what_it_was_returned_to()
    {
        var world = World().Fail($"health {Canary}", "0/3 replicas ready.", FailureTypes.Unhealthy).Fail($"health {Canary}", "1/3 replicas ready.", FailureTypes.Unhealthy);
        await using var run = await StartAsync(world);

        var report = await run.ReportAsync();

        Assert.Equal(
            (UpgradeOutcome.Unhealthy,
                $"{Canary} did not do well: 0/3 replicas ready. What was applied before is applied again in every region that was begun, but it is not healthy with it: {Canary}: 1/3 replicas ready."),
            (report.Outcome, report.Summary));
        Assert.Equal((StepState.RolledBack, "Returned 1 objects to what they were. Not healthy with it: 1/3 replicas ready."), (report.Steps[0].State, report.Steps[0].Detail));
    }

    [Fact]
    public async Task Watches_the_canary_for_as_long_as_it_is_told_to()
    {
        var world = World();
        var applying = world.Hold($"apply {Rest}");
        await using var run = await StartAsync(world, new() { ObserveFor = "1s" });

        await applying.ReachedAsync();

        Assert.Equal([$"healthy {Canary}", $"health {Canary}", $"healthy {Canary}", $"capture {Rest}", $"apply {Rest}"], world.Events.TakeLast(5));
        applying.Open();
        Assert.Equal(UpgradeOutcome.Upgraded, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Is_refused_before_anything_is_touched_when_a_rule_is_broken()
    {
        await using var run = await StartAsync(new(Refused));

        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(run.ReportAsync);

        var failure = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal(FailureTypes.Conflict, failure.ErrorType);
        Assert.EndsWith("go to the newest 1.32 first, one minor version at a time. Nothing was changed.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Returns_when_it_is_aborted_and_parks_when_the_return_does_not_work()
    {
        var world = World().Fail($"restore {Canary}", "It does not carry our labels any more.", FailureTypes.Conflict);
        var canary = world.Hold($"health {Canary}");
        await using var run = await StartAsync(world);
        await canary.ReachedAsync();
        await run.TellAsync("abort", new AbortInput("wrong day"));

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal($"Parked while returning: {Canary}: It does not carry our labels any more.", parked.Summary);
        canary.Open();
        await run.TellAsync("retryStep", new StepInput(Canary));
        var report = await run.ReportAsync();

        Assert.Equal((UpgradeOutcome.Returned, 0), (report.Outcome, report.LeftBehind.Count));
        Assert.Equal(2, world.Events.Count(did => did == $"restore {Canary}"));
        Assert.Equal(2, world.Events.Count(did => did == $"health {Canary}"));
    }

    internal static Task<RunningRunbook<UpgradeReport>> StartAsync(RunbookServer server, FakeWorld world, UpgradeComponentInput? input = null, string? environment = null)
    {
        var given = (input ?? new()) with { Environment = environment ?? $"development-{Guid.NewGuid():N}", Component = "history" };
        return RunningRunbook<UpgradeReport>.StartAsync(server, world, nameof(UpgradeComponent), UpgradeComponent.WorkflowId(given.Environment, given.Component), given);
    }

    private static PlannedComponent Step(string region, params string[] after) => Plans.Component("history") with
    {
        Region = region,
        DependsOn = after,
        Objects = [Plans.Object("history", PlannedAction.Change, "1 field differs.") with { Address = Plans.Address("history") with { Region = region } }],
    };

    private Task<RunningRunbook<UpgradeReport>> StartAsync(FakeWorld world, UpgradeComponentInput? input = null) => StartAsync(server, world, input);
}
