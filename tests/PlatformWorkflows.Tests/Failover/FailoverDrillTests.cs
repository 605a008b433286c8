using PlatformOps.Platform.Specification;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>A drill on a copy that it makes itself: nobody is asked, nobody is waited for, and the copy is removed whatever happens.</summary>
public class FailoverDrillTests(RunbookServer server)
{
    private static readonly FailoverPolicy ByApproval = new(FailoverMode.Approval, FailoverMode.Approval, TimeSpan.FromHours(1), TimeSpan.FromMinutes(5));

    private static readonly DrillCopy Copy = new(West, 1_000_000, "It was cloned.");

    [Fact]
    public async Task A_lost_node_is_practised_to_its_end_without_asking_anybody()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Copy = Copy, Approvals = 2, Policy = ByApproval }, FailoverRunMode.Drill);
        await run.SeeAsync("serves", "serves", stalled: false);
        await Wait.UntilAsync(() => Task.FromResult(run.World.Events), events => events.Contains("lose"), events => string.Join(' ', events));
        await run.LoseAsync(regionGone: true);
        var report = await run.Handle.GetResultAsync<FailoverReport>().WaitAsync(Wait.Patience);

        // The machine comes back, and the database is rebuilt, beside what people would be asked about.
        Assert.Equal(["lose", "claim", "fence", "promote", "verify", "repoint"], run.World.Events.Where(did => did != "return").Take(6));
        Assert.Equal(["account", "canary", "namespaces", "readiness", "rebuild", "remove", "scale"], run.World.Events.Where(did => did != "return").Skip(6).Order());
        Assert.Equal("remove", run.World.Events[^1]);
        Assert.Contains("return", run.World.Events);
        Assert.All(run.World.Orders, order => Assert.True(order.Drill));
        Assert.Equal((FailoverOutcome.Completed, true, DrillScenario.NodeLost), (report.Outcome, report.Drill!.Passed, report.Drill.Scenario));
        Assert.Equal((1000, 0, 3600d), (report.Drill.Account!.Acknowledged, report.Drill.Account.Lost, report.Drill.RtoSeconds));
        Assert.Empty(report.Drill.Removed!.Left);
    }

    [Fact]
    public async Task A_handover_does_not_wait_for_approvals_that_nobody_gives()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Copy = Copy, Approvals = 2 }, FailoverRunMode.Drill, scenario: DrillScenario.Switchover);
        await run.SeeAsync("serves", "serves", stalled: false);
        var report = await run.Handle.GetResultAsync<FailoverReport>().WaitAsync(Wait.Patience);

        Assert.Equal(["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness", "account", "remove"], run.World.Events);
        Assert.True(report.Drill!.Passed, report.Summary);
    }

    [Theory]
    [InlineData("verify", "Permission denied.")]
    [InlineData("account", "Permission denied.")]
    [InlineData("left", "Of the copy is left: process 12 (postgres).")]
    [InlineData("lost", "3 acknowledged rows are lost")]
    [InlineData("gap", "Nobody could write for 4000.0 s; the objective is 1h.")]
    public async Task What_does_not_go_as_it_should_is_said_and_the_copy_is_removed_all_the_same(string what, string said)
    {
        var world = new FakeDatabase
        {
            Copy = Copy,
            LeftOfCopy = what == "left" ? ["process 12 (postgres)"] : [],
            Account = new(1000, what == "lost" ? 3 : 0, 0, 1, what == "gap" ? 4000 : 1),
        };
        if (what is "verify" or "account")
            world.Fail(what, said, FailureTypes.Forbidden);
        await using var run = await FailoverRun.StartAsync(server, world, FailoverRunMode.Drill, scenario: DrillScenario.Switchover);
        await run.SeeAsync("serves", "serves", stalled: false);
        var report = await run.Handle.GetResultAsync<FailoverReport>().WaitAsync(Wait.Patience);

        Assert.False(report.Drill!.Passed);
        Assert.Contains(said, report.Summary, StringComparison.Ordinal);
        Assert.Equal("remove", run.World.Events[^1]);
    }
}
