using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Provisioning;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Client.Schedules;
using static PlatformOps.PlatformWorkflows.Tests.Provisioning.Plans;

namespace PlatformOps.PlatformWorkflows.Tests.Provisioning;

/// <summary>Waits of days and years, as long as they are in production.</summary>
public class LongWaitTests(SkippingRunbookServer server) : IClassFixture<SkippingRunbookServer>
{
    [Fact]
    public async Task Waits_a_whole_year_for_an_approval_when_the_guard_rails_allow_it()
    {
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await server.ProvisionAsync(new FakeWorld(Chain) { GuardRails = new(1, 2, MayDestroy: false, TimeSpan.FromDays(365)) });

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Rejected, report.Outcome);
        Assert.Equal(["plan"], run.World.Events);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalDays, 365, 365.1);
    }

    [Fact]
    public async Task Gives_people_a_whole_day_to_continue_a_parked_run()
    {
        var before = await server.Environment.GetCurrentTimeAsync();
        await using var run = await server.ProvisionAsync(new FakeWorld(Chain).Fail("health postgresql@us-east-1", "CrashLoopBackOff", FailureTypes.Unhealthy));

        var report = await run.ReportAsync();

        Assert.Equal(ProvisioningOutcome.Failed, report.Outcome);
        Assert.StartsWith("Nobody continued the parked run within", report.Summary, StringComparison.Ordinal);
        Assert.InRange((await server.Environment.GetCurrentTimeAsync() - before).TotalHours, 24, 25);
    }

    [Fact]
    public async Task Plans_every_thirty_days_for_a_year_when_a_schedule_says_so()
    {
        var world = new FakeWorld(Chain);
        using var worker = server.CreateWorker(world);
        var input = new ProvisionEnvironmentInput { Environment = "scheduled", Mode = RunbookMode.Plan };
        await worker.ExecuteAsync(async () =>
        {
            var schedule = await server.Client.CreateScheduleAsync("monthly", new(
                ScheduleActionStartWorkflow.Create((ProvisionEnvironment workflow) => workflow.RunAsync(input), new(id: "monthly", taskQueue: worker.Options.TaskQueue!)),
                new() { Intervals = [new(TimeSpan.FromDays(30))] }));

            await server.Environment.DelayAsync(TimeSpan.FromDays(360));

            var runs = await Wait.UntilAsync(
                () => server.Client.CountWorkflowsAsync("TemporalScheduledById = 'monthly' AND ExecutionStatus = 'Completed'"), count => count.Count >= 12, count => $"{count.Count} runs");
            Assert.Equal(12, runs.Count);
            Assert.Equal(Enumerable.Repeat("plan", 12), world.Events);
            await schedule.DeleteAsync();
        });
    }
}
