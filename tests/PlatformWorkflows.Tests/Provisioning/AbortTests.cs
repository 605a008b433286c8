using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Stopping a run in each of its phases, by <c>abort</c> and by cancelling the workflow.</summary>
public class AbortTests(RunbookServer server)
{
    private const string NothingLeft = "Nothing that the run had created is left.";

    public enum By
    {
        Abort,
        Cancellation,
    }

    [Theory]
    [InlineData(By.Abort)]
    [InlineData(By.Cancellation)]
    public async Task Ends_without_having_changed_anything_when_it_is_stopped_while_it_observes(By how)
    {
        var world = new FakeWorld(Chain);
        var planning = world.Hold("plan");
        await using var run = await server.ProvisionAsync(world);
        await planning.ReachedAsync();

        await StopAsync(run, how);

        AssertRolledBack(await run.ReportAsync(), how);
        Assert.Equal(["plan"], world.Events);
        planning.Open();
    }

    [Theory]
    [InlineData(By.Abort)]
    [InlineData(By.Cancellation)]
    public async Task Ends_without_having_changed_anything_when_it_is_stopped_while_it_waits_for_approval(By how)
    {
        var world = new FakeWorld(Chain) { GuardRails = new(1, 4, false, TimeSpan.FromHours(1)) };
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        await StopAsync(run, how);

        AssertRolledBack(await run.ReportAsync(), how);
        Assert.Equal(["plan"], world.Events);
    }

    [Theory]
    [InlineData(By.Abort)]
    [InlineData(By.Cancellation)]
    public async Task Removes_what_it_created_in_reverse_order_when_it_is_stopped_while_it_acts(By how)
    {
        var world = new FakeWorld(Diamond);
        var frontend = world.Hold("health frontend@us-east-1");
        await using var run = await server.ProvisionAsync(world);
        await frontend.ReachedAsync();
        Assert.Equal(4, world.Objects.Count);

        await StopAsync(run, how);

        var report = await run.ReportAsync();
        AssertRolledBack(report, how);
        Assert.Equal(
            ["remove frontend@us-east-1", "remove matching@us-east-1", "remove history@us-east-1", "remove postgresql@us-east-1", "list"],
            world.Events.SkipWhile(did => did != "remove frontend@us-east-1"));
        Assert.Empty(world.Objects);
        Assert.All(report.Steps, step => Assert.Equal(StepState.RolledBack, step.State));
        Assert.All(report.Objects, item => Assert.Equal(ObjectResult.RolledBack, item.Result));
    }

    [Theory]
    [InlineData(By.Abort)]
    [InlineData(By.Cancellation)]
    public async Task Begins_to_remove_only_when_nothing_is_being_applied_any_more(By how)
    {
        var world = new FakeWorld(Chain);
        var applying = world.Hold("apply postgresql@us-east-1");
        await using var run = await server.ProvisionAsync(world);
        await applying.ReachedAsync();
        await run.UntilAsync("redis", StepState.Done);

        await StopAsync(run, how);

        var report = await run.ReportAsync();
        AssertRolledBack(report, how);
        Assert.Equal((StepState.Blocked, "Not started: the run was stopped."), (report.Steps[1].State, report.Steps[1].Detail));
        Assert.Equal(["remove redis@us-east-1", "remove postgresql@us-east-1", "list"], world.Events.SkipWhile(did => did != "remove redis@us-east-1"));
        Assert.DoesNotContain("applied postgresql@us-east-1", world.Events);
        Assert.DoesNotContain("apply frontend@us-east-1", world.Events);
        Assert.Empty(world.Objects);
    }

    [Theory]
    [InlineData(By.Abort)]
    [InlineData(By.Cancellation)]
    public async Task Removes_what_it_created_when_it_is_stopped_while_it_is_parked(By how)
    {
        var world = new FakeWorld(Chain).Fail("health postgresql@us-east-1", "It crashes.", FailureTypes.Unhealthy);
        await using var run = await server.ProvisionAsync(world);
        var parked = await run.UntilAsync(RunbookPhase.Parked);
        Assert.Equal(["Remove us-east-1 Deployment temporal-backend/redis", "Remove us-east-1 Deployment temporal-backend/postgresql"], parked.Compensations);

        await StopAsync(run, how);

        var report = await run.ReportAsync();
        AssertRolledBack(report, how);
        Assert.Empty(world.Objects);
        Assert.Equal(StepState.Blocked, report.Steps[1].State);
    }

    [Fact]
    public async Task Refuses_a_second_abort_and_one_without_a_reason()
    {
        var world = new FakeWorld(Chain);
        var removing = world.Hold("remove redis@us-east-1");
        world.Hold("health frontend@us-east-1");
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync("redis", StepState.Done);

        var unexplained = await ProvisioningRun.RefusalAsync(() => run.AbortAsync(" "));
        Assert.Equal("Field 'reason' is missing: why, for the report.", unexplained.Message);
        await run.AbortAsync();
        await removing.ReachedAsync();
        var second = await ProvisioningRun.RefusalAsync(() => run.AbortAsync("again"));
        Assert.Equal(FailureTypes.NotPossible, second.ErrorType);
        Assert.Equal("abort is not possible: the run is already being aborted (phase rollingBack). Wait for the rollback to end, or to park.", second.Message);
        removing.Open();

        Assert.Equal(ProvisioningOutcome.RolledBack, (await run.ReportAsync()).Outcome);
    }

    private static Task StopAsync(ProvisioningRun run, By how) => how == By.Abort ? run.AbortAsync() : run.Handle.CancelAsync();

    private static void AssertRolledBack(ProvisioningReport report, By how)
    {
        Assert.Equal(ProvisioningOutcome.RolledBack, report.Outcome);
        Assert.Equal($"{(how == By.Abort ? "Aborted: changed our minds." : "Aborted: the workflow was cancelled.")} {NothingLeft}", report.Summary);
        Assert.Empty(report.LeftBehind);
    }
}
