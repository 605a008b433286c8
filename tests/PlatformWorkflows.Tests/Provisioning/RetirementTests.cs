using PlatformOps.Platform.Provisioning;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary><c>ProvisionEnvironment</c> with components that the environment does not have any more.</summary>
public class RetirementTests(RunbookServer server)
{
    private const string Kept = "It is ours, and development does not have vault any more in us-east-1, but kept: a Secret is never removed by a plan.";

    /// <summary>One that goes when its former user has moved, and one of which a Secret stays.</summary>
    internal static ProvisioningPlan Retiring { get; } = Of(
        Component("frontend"),
        (Component("postgresql", "frontend") with { Retired = true }).With(Plans.Object("postgresql", PlannedAction.Prune, "It is ours, and development does not have postgresql any more in us-east-1.")),
        (Component("vault") with { Retired = true }).With(Plans.Object("vault", PlannedAction.None, Kept)));

    [Fact]
    public async Task They_go_after_their_former_users_are_healthy_and_what_is_kept_says_why()
    {
        var world = new FakeWorld(Retiring);
        await using var run = await server.ProvisionAsync(world);
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal(
            "2 objects were created, changed or removed; 1 objects of components that the environment does not have any more are kept, each with its reason in the plan; all 3 steps are healthy.",
            report.Summary);
        Assert.Equal(
            ["plan", "apply frontend@us-east-1", "applied frontend@us-east-1", "health frontend@us-east-1", "healthy frontend@us-east-1", "remove postgresql@us-east-1", "removed postgresql@us-east-1"],
            world.Events);
        Assert.Equal((StepState.Done, Kept), (report.Steps[2].State, report.Steps[2].Detail));
        Assert.Equal(ObjectResult.Pruned, Assert.Single(report.Objects, outcome => outcome.Address == Address("postgresql")).Result);
    }

    [Fact]
    public async Task Their_removal_needs_the_approval_that_the_guard_rails_want()
    {
        var world = new FakeWorld(Of(Retiring.Components[1] with { DependsOn = [] })) { GuardRails = new(1, 2, MayDestroy: true, TimeSpan.FromHours(4)) };
        await using var run = await server.ProvisionAsync(world);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal(["plan"], world.Events);

        await run.ApproveAsync(Hash, "ada");

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
        Assert.Equal("removed postgresql@us-east-1", world.Events[^1]);
    }

    [Fact]
    public async Task One_that_cannot_be_removed_parks_the_run_and_goes_when_the_step_is_retried()
    {
        var world = new FakeWorld(Of(Retiring.Components[1] with { DependsOn = [] })).Fail("remove postgresql@us-east-1", "It is still there.", FailureTypes.NotRemoved);
        await using var run = await server.ProvisionAsync(world);
        Assert.Contains("It is still there.", (await run.UntilAsync(RunbookPhase.Parked)).Summary, StringComparison.Ordinal);

        await run.RetryAsync("postgresql");

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
    }
}
