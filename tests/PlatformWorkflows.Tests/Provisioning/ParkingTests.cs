using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>A component that fails: what goes on, what does not, and how an operator continues the run.</summary>
public class ParkingTests(RunbookServer server)
{
    private const string Reason = "Pod temporal-backend/postgresql-0: CrashLoopBackOff, exit code 1.";

    [Fact]
    public async Task Parks_with_the_reason_when_a_component_fails_after_the_rest_has_finished()
    {
        var world = new FakeWorld(Chain).Fail("health postgresql@us-east-1", Reason, FailureTypes.Unhealthy);
        var redis = world.Hold("health redis@us-east-1");
        await using var run = await server.ProvisionAsync(world);

        await redis.ReachedAsync();
        var acting = await run.UntilAsync("postgresql", StepState.Failed);
        Assert.Equal(RunbookPhase.Acting, acting.Phase);
        redis.Open();
        var parked = await run.UntilAsync(RunbookPhase.Parked);

        Assert.Equal([StepState.Failed, StepState.Blocked, StepState.Done], parked.Steps.Select(step => step.State));
        Assert.Equal(Reason, parked.Steps[0].Detail);
        Assert.Equal("Not started: postgresql@us-east-1 is not healthy.", parked.Steps[1].Detail);
        Assert.Equal($"Parked: postgresql@us-east-1: {Reason}", parked.Summary);
        Assert.Equal(("retryStep, skipStep or abort", "operator"), (parked.WaitingFor!.For, parked.WaitingFor.Who));
        Assert.Equal(TimeSpan.FromHours(24), Rounded(parked.WaitingFor.Until - parked.StartedAt));
        Assert.DoesNotContain("apply frontend@us-east-1", world.Events);
    }

    [Fact]
    public async Task Answers_every_query_while_it_is_parked()
    {
        var world = new FakeWorld(Chain).Fail("apply postgresql@us-east-1", Reason, FailureTypes.Rejected);
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        for (var i = 0; i < 50; i++)
            Assert.Equal(parked.Summary, (await run.StatusAsync()).Summary);
    }

    [Fact]
    public async Task Goes_on_where_it_failed_when_the_step_is_retried()
    {
        var world = new FakeWorld(Chain)
            .Fail("health postgresql@us-east-1", Reason, FailureTypes.Unhealthy)
            .Fail("apply postgresql@us-east-1", "The API server refuses.", FailureTypes.Rejected);
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal("The API server refuses.", parked.Steps[0].Detail);
        await run.RetryAsync("postgresql");
        parked = await run.UntilAsync(status => status.Phase == RunbookPhase.Parked && status.Steps[0].Detail == Reason);
        Assert.Equal(StepState.Blocked, parked.Steps[1].State);
        await run.RetryAsync("postgresql");
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.All(report.Steps, step => Assert.Equal(StepState.Done, step.State));
        Assert.Equal(3, world.MutatingCalls.Count(call => call == "apply postgresql@us-east-1"));
        Assert.Single(world.MutatingCalls, "apply redis@us-east-1");
    }

    [Fact]
    public async Task Retries_a_failed_step_while_others_are_still_at_work()
    {
        var world = new FakeWorld(Chain).Fail("apply postgresql@us-east-1", Reason, FailureTypes.Rejected);
        var redis = world.Hold("health redis@us-east-1");
        await using var run = await server.ProvisionAsync(world);

        await run.UntilAsync("postgresql", StepState.Failed);
        await run.RetryAsync("postgresql");
        await run.UntilAsync("frontend", StepState.Done);
        redis.Open();

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Goes_on_without_a_step_that_an_operator_skips_and_says_so_in_the_report()
    {
        var world = new FakeWorld(Chain).Fail("health postgresql@us-east-1", Reason, FailureTypes.Unhealthy);
        await using var run = await server.ProvisionAsync(world);

        await run.UntilAsync(RunbookPhase.Parked);
        await run.SkipAsync("postgresql", "the database is looked after by hand");
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Incomplete, report.Outcome);
        Assert.Equal("3 objects were created, changed or removed, but some steps were skipped: postgresql@us-east-1.", report.Summary);
        Assert.Equal((StepState.Skipped, "Skipped: the database is looked after by hand"), (report.Steps[0].State, report.Steps[0].Detail));
        Assert.Equal(StepState.Done, report.Steps[1].State);
    }

    [Fact]
    public async Task Ends_as_failed_and_lists_what_it_created_when_nobody_continues_it_in_time()
    {
        var world = new FakeWorld(Chain).Fail("health postgresql@us-east-1", Reason, FailureTypes.Unhealthy);
        await using var run = await server.ProvisionAsync(world, new() { ParkedAtMost = "1s", OperationId = "op-parked" });

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Failed, report.Outcome);
        Assert.Equal($"Nobody continued the parked run within 1s. postgresql@us-east-1: {Reason} The next run adopts what is there.", report.Summary);
        Assert.Equal(
            ["us-east-1 Deployment temporal-backend/postgresql: created by this run (op-parked) and still there", "us-east-1 Deployment temporal-backend/redis: created by this run (op-parked) and still there"],
            report.LeftBehind);
        Assert.DoesNotContain(world.MutatingCalls, call => call.StartsWith("remove", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Touches_nothing_of_a_component_that_has_an_object_of_somebody_else()
    {
        var plan = Of(
            Component("postgresql").With(
                Plans.Object("postgresql", PlannedAction.Conflict, "It exists and belongs to helm."), Plans.Object("postgresql-config")),
            Component("redis"));
        var world = new FakeWorld(plan);
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.StartsWith("us-east-1 Deployment temporal-backend/postgresql: It exists and belongs to helm. Nothing of this step was applied;", parked.Steps[0].Detail, StringComparison.Ordinal);
        Assert.Equal(["apply redis@us-east-1"], world.MutatingCalls);
        await run.SkipAsync("postgresql");

        var report = await run.ReportAsync();
        Assert.Equal([ObjectResult.Conflict, ObjectResult.NotReached, ObjectResult.Created], report.Objects.Select(item => item.Result));
    }

    [Fact]
    public async Task Removes_nothing_where_the_guard_rails_do_not_allow_it()
    {
        var plan = Of(Component("redis").With(Plans.Object("old-cache", PlannedAction.Prune, "It is ours and no longer declared.")));
        var world = new FakeWorld(plan) { GuardRails = new(0, 1, MayDestroy: false, TimeSpan.FromHours(1)) };
        await using var run = await server.ProvisionAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);

        Assert.Contains("old-cache would be removed, which the guard rails of", parked.Steps[0].Detail, StringComparison.Ordinal);
        Assert.Contains("(mayDestroy: false)", parked.Steps[0].Detail, StringComparison.Ordinal);
        Assert.Empty(world.MutatingCalls);
    }

    private static TimeSpan Rounded(TimeSpan duration) => TimeSpan.FromMinutes(Math.Round(duration.TotalMinutes));
}
