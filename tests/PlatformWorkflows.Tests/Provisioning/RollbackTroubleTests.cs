using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>A rollback that does not work: it is shown, never swallowed.</summary>
public class RollbackTroubleTests(RunbookServer server)
{
    private const string Stuck = "us-east-1 Deployment temporal-backend/redis is still there after 15m: finalizer example.com/hold.";

    [Fact]
    public async Task Parks_when_something_cannot_be_removed_and_goes_on_when_it_is_retried()
    {
        var world = Finished().Fail("remove redis@us-east-1", Stuck, FailureTypes.NotRemoved);
        await using var run = await AbortedAsync(world);

        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal($"Parked while rolling back: redis@us-east-1: {Stuck}", parked.Summary);
        Assert.Equal("Partly rolled back; what is left carries this operation's id, and the next run adopts it.", parked.IfStoppedNow);
        Assert.DoesNotContain("remove postgresql@us-east-1", world.Events);
        var abort = await ProvisioningRun.RefusalAsync(() => run.AbortAsync());
        Assert.Equal("abort is not possible: the run is already being aborted (phase parked). Possible: retryStep, skipStep.", abort.Message);
        var other = await ProvisioningRun.RefusalAsync(() => run.RetryAsync("postgresql"));
        Assert.Equal("retryStep is for steps that failed, and postgresql@us-east-1 is done. It is possible for: redis@us-east-1.", other.Message);
        await run.RetryAsync("redis");

        Assert.Equal(ProvisioningOutcome.RolledBack, (await run.ReportAsync()).Outcome);
        Assert.Empty(world.Objects);
    }

    [Fact]
    public async Task Leaves_behind_and_lists_what_an_operator_says_to_leave()
    {
        var world = Finished().Fail("remove redis@us-east-1", Stuck, FailureTypes.NotRemoved);
        await using var run = await AbortedAsync(world, "op-left");

        await run.UntilAsync(RunbookPhase.Parked);
        await run.SkipAsync("redis", "storage looks after it");
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Failed, report.Outcome);
        Assert.Equal("Aborted: changed our minds. Not everything that the run had created is gone. The next run adopts what is there.", report.Summary);
        Assert.Equal(["us-east-1 Deployment temporal-backend/redis: created by this run (op-left) and still there"], report.LeftBehind);
        Assert.Equal([Address("redis")], world.Objects.Select(item => item.Key));
    }

    [Fact]
    public async Task Believes_the_listing_rather_than_the_removal()
    {
        var world = new FakeWorld(Chain) { Undying = new HashSet<string> { "redis" } };
        world.Hold("health frontend@us-east-1");
        await using var run = await AbortedAsync(world, "op-undying");

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Failed, report.Outcome);
        Assert.Equal(["us-east-1 Deployment temporal-backend/redis: created by this run (op-undying) and still there"], report.LeftBehind);
    }

    [Fact]
    public async Task Says_that_it_does_not_know_what_is_left_when_the_listing_fails()
    {
        var world = Finished().Fail("list", "403 Forbidden: may not list deployments.", FailureTypes.Forbidden);
        await using var run = await AbortedAsync(world, "op-blind");

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Failed, report.Outcome);
        Assert.Equal(["What this run (op-blind) created could not be listed: 403 Forbidden: may not list deployments."], report.LeftBehind);
    }

    [Fact]
    public async Task Says_what_it_changed_and_does_not_restore()
    {
        var plan = Of(
            Component("postgresql").With(
                Plans.Object("postgresql", PlannedAction.Change, "1 field differs."), Plans.Object("old-config", PlannedAction.Prune, "It is ours and no longer declared.")),
            Component("frontend", "postgresql"));
        var world = new FakeWorld(plan);
        world.Hold("health frontend@us-east-1");
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync("postgresql", StepState.Done);

        await run.AbortAsync();

        Assert.Equal(
            [
                "us-east-1 Deployment temporal-backend/postgresql: changed by this run and not restored; it is as the specification wants it",
                "us-east-1 Deployment temporal-backend/old-config: pruned by this run and not restored; it is as the specification wants it",
            ],
            (await run.ReportAsync()).LeftBehind);
    }

    /// <summary>A world in which all but the last component's health is reached.</summary>
    private static FakeWorld Finished()
    {
        var world = new FakeWorld(Chain);
        world.Hold("health frontend@us-east-1");
        return world;
    }

    /// <summary>A run that is aborted when its database and its cache are healthy and its frontend is applied.</summary>
    private async Task<ProvisioningRun> AbortedAsync(FakeWorld world, string? operationId = null)
    {
        var run = await server.ProvisionAsync(world, new() { OperationId = operationId });
        await world.Hold("health frontend@us-east-1").ReachedAsync();
        await run.UntilAsync("redis", StepState.Done);
        await run.AbortAsync();
        return run;
    }
}
