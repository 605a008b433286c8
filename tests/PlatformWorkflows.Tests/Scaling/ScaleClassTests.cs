using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using PlatformOps.Workflows.Scaling;

namespace PlatformOps.PlatformWorkflows.Tests.Scaling;

/// <summary>The class of a managed database that is asked for: when RDS is told, and when it is taken back.</summary>
public sealed class ScaleClassTests(SkippingRunbookServer skipping, RunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    private static readonly ScaleComponentInput Larger = new() { InstanceClass = "db.r6g.xlarge" };

    [Fact]
    public async Task Gives_it_the_class_and_says_from_which()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), Larger);
        var report = await run.ReportAsync();

        Assert.Equal(["db.r6g.large to db.r6g.xlarge"], run.World.Events);
        Assert.Equal((ScaleOutcome.Scaled, "db.r6g.large", "db.r6g.xlarge", "db.r6g.xlarge", (int?)null), (report.Outcome, report.FromClass, report.ToClass, report.NowClass, report.To));
        Assert.Equal("The database of web in us-east-1 is db.r6g.xlarge, and available.", report.Summary);
        Assert.Equal(("the sale", null), (run.World.Because, run.World.TemporaryClass));
        Assert.Equal(StepState.Done, (await run.StatusAsync()).Steps.Single().State);
    }

    [Fact]
    public async Task What_must_not_be_is_refused_with_the_reason_and_what_is_so_already_is_left()
    {
        await using var refused = await ScaleRun.StartAsync(skipping, new(), new() { InstanceClass = "db.m6g.large" });
        var report = await refused.ReportAsync();
        Assert.Equal(ScaleOutcome.Refused, report.Outcome);
        Assert.StartsWith("Refused: db.m6g.large is none of the classes", report.Summary, StringComparison.Ordinal);

        await using var same = await ScaleRun.StartAsync(skipping, new(), new() { InstanceClass = "db.r6g.large" });
        Assert.Equal(ScaleOutcome.AsWanted, (await same.ReportAsync()).Outcome);

        await using var plan = await ScaleRun.StartAsync(skipping, new(), Larger with { Mode = RunbookMode.Plan });
        Assert.Equal(ScaleOutcome.Planned, (await plan.ReportAsync()).Outcome);
        Assert.Empty(refused.World.Events.Concat(same.World.Events).Concat(plan.World.Events));
    }

    [Fact]
    public async Task Waits_for_the_approval_of_its_plan()
    {
        await using var run = await ScaleRun.StartAsync(server, new() { GuardRails = new(1, 1, false, TimeSpan.FromHours(1)) }, Larger);
        var waiting = await run.UntilAsync(status => status.Phase == RunbookPhase.AwaitingApproval);
        Assert.Contains("max_connections from 1802 to 3604", waiting.Summary, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ada"));

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task What_has_begun_while_people_took_their_time_parks_it_before_RDS_is_told()
    {
        await using var run = await ScaleRun.StartAsync(server, new() { GuardRails = new(1, 1, false, TimeSpan.FromHours(1)) }, Larger);
        var waiting = await run.UntilAsync(status => status.Phase == RunbookPhase.AwaitingApproval);
        run.World.Failover = "failover/production: it promotes us-west-2.";
        await run.TellAsync("approve", new ApproveInput(waiting.PlanHash, "ada"));
        Assert.Contains("A failover is under way", (await run.UntilAsync(status => status.Phase == RunbookPhase.Parked)).Summary, StringComparison.Ordinal);
        Assert.Empty(run.World.Events);
        run.World.Failover = null;
        await run.TellAsync("retryStep", new StepInput("web@us-east-1"));

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_got_lost_changes_nothing_twice(bool afterEffect)
    {
        await using var run = await ScaleRun.StartAsync(skipping, new FakeScaling().Fail(afterEffect), Larger);

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
        Assert.Equal(["db.r6g.large to db.r6g.xlarge"], run.World.Events);
    }

    [Fact]
    public async Task A_class_for_a_while_ends_by_itself()
    {
        await using var run = await ScaleRun.StartAsync(skipping, new(), Larger with { For = "2h" });
        var report = await run.ReportAsync();

        Assert.Equal(["db.r6g.large to db.r6g.xlarge", "db.r6g.xlarge to db.r6g.large"], run.World.Events);
        Assert.Equal((ScaleOutcome.Ended, "Its time is over: the sale. It is db.r6g.large again.", "db.r6g.large"), (report.Outcome, report.Summary, report.NowClass));
        Assert.Null(run.World.TemporaryClass);
    }

    [Fact]
    public async Task An_abort_while_RDS_makes_it_goes_back_to_the_class_of_before_when_that_has_ended()
    {
        await using var run = await ScaleRun.StartAsync(server, new() { Modifying = true }, Larger);
        await run.UntilAsync(_ => !run.World.Events.IsEmpty);
        Assert.Equal("RDS goes on making it db.r6g.xlarge.", (await run.StatusAsync()).IfStoppedNow);
        await run.TellAsync("abort", new AbortInput("not now"));
        run.World.Modifying = false;

        var report = await run.ReportAsync();
        Assert.Equal((ScaleOutcome.Returned, "Aborted: not now. It is db.r6g.large again."), (report.Outcome, report.Summary));
        Assert.Equal(["db.r6g.large to db.r6g.xlarge", "db.r6g.xlarge to db.r6g.large"], run.World.Events);
    }

    [Fact]
    public async Task What_somebody_else_has_set_meanwhile_is_left()
    {
        await using var run = await ScaleRun.StartAsync(server, new(), Larger with { For = "5m" });
        await run.UntilAsync(status => status.WaitingFor?.For.StartsWith("the end of its time", StringComparison.Ordinal) == true);
        run.World.InstanceClass = "db.r6g.2xlarge";
        await run.TellAsync("abort", new AbortInput("over early"));

        Assert.Equal(ScaleOutcome.Superseded, (await run.ReportAsync()).Outcome);
        Assert.Equal("db.r6g.2xlarge", run.World.InstanceClass);
    }

    [Fact]
    public async Task What_RDS_does_not_allow_parks_it_until_somebody_has()
    {
        await using var run = await ScaleRun.StartAsync(server, new FakeScaling().Fail(false, FailureTypes.Forbidden), Larger);
        await run.UntilAsync(status => status.Phase == RunbookPhase.Parked);
        await run.TellAsync("retryStep", new StepInput("web@us-east-1"));

        Assert.Equal(ScaleOutcome.Scaled, (await run.ReportAsync()).Outcome);
    }
}
