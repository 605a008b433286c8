using PlatformOps.Platform.Provisioning;
using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

public class ApprovalTests(RunbookServer server)
{
    private static readonly string OtherHash = new('d', 64);

    [Fact]
    public async Task Applies_nothing_before_the_plan_that_was_read_is_approved()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 1));

        var waiting = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        Assert.Equal(($"approve with planHash {Hash}", "approver"), (waiting.WaitingFor!.For, waiting.WaitingFor.Who));
        Assert.Equal("3 steps: 3 objects to create, 0 to change, 0 to remove, 0 as wanted, 0 in conflict. It waits for approval.", waiting.Summary);
        Assert.Equal(["plan"], run.World.Events);
        await run.ApproveAsync(Hash);
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal(Hash, report.Plan!.Hash);
    }

    [Fact]
    public async Task Refuses_an_approval_of_another_plan_and_says_which_one_waits()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 1));
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        var other = await ProvisioningRun.RefusalAsync(() => run.ApproveAsync(OtherHash));
        Assert.Equal(FailureTypes.InvalidInput, other.ErrorType);
        Assert.Equal($"Field 'planHash' is {OtherHash}, but this run waits for approval of {Hash}. Read that plan (query status), then approve its hash.", other.Message);
        var missing = await ProvisioningRun.RefusalAsync(() => run.ApproveAsync(null));
        Assert.Equal($"Field 'planHash' is missing: the hash of the plan that you read; this run's is {Hash}.", missing.Message);
        Assert.Equal(RunbookPhase.AwaitingApproval, (await run.StatusAsync()).Phase);
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Wants_two_different_people_where_the_guard_rails_say_so()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 2));
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        var nameless = await ProvisioningRun.RefusalAsync(() => run.ApproveAsync(Hash));
        Assert.Equal("Field 'approvedBy' is missing: who approves: 2 different people have to.", nameless.Message);
        var first = await run.Handle.ExecuteUpdateAsync(workflow => workflow.ApproveAsync(new ApproveInput(Hash, "ada", null)));
        Assert.Equal("Approved; 1 more needed.", first.Message);
        var again = await ProvisioningRun.RefusalAsync(() => run.ApproveAsync(Hash, "ada"));
        Assert.Equal("Field 'approvedBy': ada has already approved. Somebody else has to as well.", again.Message);
        Assert.Equal(["plan"], run.World.Events);
        var second = await run.Handle.ExecuteUpdateAsync(workflow => workflow.ApproveAsync(new ApproveInput(Hash, "grace", null)));
        Assert.Equal("Approved; the plan is being applied.", second.Message);

        Assert.Equal(ProvisioningOutcome.Healthy, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task Ends_without_having_changed_anything_when_the_plan_is_rejected()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 1));
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        var unexplained = await ProvisioningRun.RefusalAsync(() => run.RejectAsync(null));
        Assert.Equal("Field 'reason' is missing: why, for the report.", unexplained.Message);
        await run.RejectAsync("not during the sale", "grace");
        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Rejected, report.Outcome);
        Assert.Equal("Rejected by grace: not during the sale. Nothing was changed.", report.Summary);
        Assert.Equal(["plan"], run.World.Events);
        Assert.All(report.Objects, item => Assert.Equal(ObjectResult.NotReached, item.Result));
    }

    [Fact]
    public async Task Ends_without_having_changed_anything_when_nobody_approves_in_time()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 1, TimeSpan.FromSeconds(1)));

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Rejected, report.Outcome);
        Assert.Equal("Nobody approved the plan within 1s. Nothing was changed.", report.Summary);
        Assert.Equal(["plan"], run.World.Events);
    }

    [Fact]
    public async Task Needs_no_approval_and_changes_nothing_when_there_is_nothing_to_change()
    {
        var asWanted = Of(Component("redis").With(Plans.Object("redis", PlannedAction.None, "As wanted.")));
        await using var run = await server.ProvisionAsync(Guarded(approvals: 2, plan: asWanted));

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Healthy, report.Outcome);
        Assert.Equal("Nothing had to be changed; all 1 steps are healthy.", report.Summary);
        Assert.Equal((ObjectResult.Unchanged, null), (report.Objects.Single().Result, report.Objects.Single().OperationId));
        Assert.Empty(run.World.Objects);
        Assert.Null(report.Plan);
    }

    [Fact]
    public async Task Only_plans_when_only_a_plan_is_asked_for()
    {
        await using var run = await server.ProvisionAsync(Guarded(approvals: 2), new() { Mode = RunbookMode.Plan });

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Planned, report.Outcome);
        Assert.Equal("3 steps: 3 objects to create, 0 to change, 0 to remove, 0 as wanted, 0 in conflict.", report.Summary);
        Assert.Equal(Chain.Components.Select(component => component.Step), report.Plan!.Components.Select(component => component.Step));
        Assert.Equal(["plan"], run.World.Events);
        Assert.All(report.Steps, step => Assert.Equal(StepState.Pending, step.State));
    }

    private static FakeWorld Guarded(int approvals, TimeSpan? timeout = null, ProvisioningPlan? plan = null) => new(plan ?? Chain)
    {
        GuardRails = new GuardRails(approvals, MaxParallel: 2, MayDestroy: false, timeout ?? TimeSpan.FromHours(4)),
    };
}
