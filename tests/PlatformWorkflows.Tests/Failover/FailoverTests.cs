using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary><c>RegionFailover</c>: what it does when the primary is gone, in which order, and what it leaves alone.</summary>
public class FailoverTests(RunbookServer server)
{
    private static readonly string[] Order = ["claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"];

    [Fact]
    public async Task Two_of_three_sources_make_the_standby_primary_and_the_old_primary_follow()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        await run.LoseAsync();

        var report = await run.ReportAsync();

        Assert.Equal(Order, run.World.Events);
        Assert.Equal((FailoverOutcome.Completed, West, 8), (report.Outcome, report.To, report.Epoch));
        Assert.All(run.World.Orders.Skip(1), order => Assert.Equal(8, order.Epoch));
        Assert.Equal(["detect", "claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"], report.Phases.Select(phase => phase.Name));
        Assert.Equal((true, 3), (report.Estimated.Nothing, report.Divergence!.Rows));
        Assert.True(report.WritableAfterSeconds > 0);
        var status = await run.StatusAsync();
        Assert.Equal((RunbookPhase.Observing, 8), (status.Phase, status.Epoch));
        Assert.Equal($"acknowledge of {report.OperationId}", status.WaitingFor!.For);
    }

    [Fact]
    public async Task A_server_that_its_guard_has_fenced_is_not_fenced_again()
    {
        await using var run = await FailoverRun.StartAsync(server);
        run.World.Witness = run.World.Witness.Release();
        await run.SeeAsync("fenced", "fenced", stalled: false, sequence: 41);

        var report = await run.ReportAsync();

        Assert.Equal(Order.Where(step => step != "fence"), run.World.Events);
        Assert.Equal($"{East} had stopped and fenced itself.", report.Steps.Single(step => step.Name == "fence").Detail);
    }

    [Theory]
    [InlineData(null, "serves", false, FailoverReason.NoQuorum)]
    [InlineData("serves", "gone", false, FailoverReason.NoQuorum)]
    [InlineData("serves", "serves", true, FailoverReason.NoQuorum)]
    [InlineData("serves", "serves", false, FailoverReason.AlertAlone)]
    public async Task One_source_or_an_alert_alone_moves_nothing(string? east, string? west, bool stalled, FailoverReason code)
    {
        await using var run = await FailoverRun.StartAsync(server);
        if (code == FailoverReason.AlertAlone)
            await run.AlertAsync("fingerprint/2026-03-01T03:00:00Z");
        await run.SeeAsync(east, west, stalled);
        if (code == FailoverReason.NoQuorum && west == "gone")
            await run.AlertAsync("fingerprint/2026-03-01T03:00:00Z");

        await Wait.UntilAsync(run.ViewAsync, view => view.Votes.Count(vote => vote.Verdict != Verdict.Unknown) >= 2, view => view.Decision);

        Assert.Empty(run.World.Events);
        Assert.NotEqual(RunbookPhase.Acting, (await run.StatusAsync()).Phase);
    }

    [Fact]
    public async Task A_thousand_repeated_late_and_flapping_alerts_are_one_run_and_one_epoch()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        var storm = Enumerable.Range(0, 1_000).Select(number => (Number: number, Key: $"alert-{number % 7}/start", Status: number % 5 == 4 ? "resolved" : "firing")).ToList();

        await Parallel.ForEachAsync(storm.Take(500), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (alert, _) => await run.AlertAsync(alert.Key, alert.Status));
        await run.LoseAsync();
        await Parallel.ForEachAsync(storm.Skip(500), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (alert, _) => await run.AlertAsync(alert.Key, alert.Status));
        var report = await run.ReportAsync();
        await run.SeeAsync("gone", "gone", stalled: true, primary: West, epoch: 8, sequence: 41);
        await run.UntilDecidedAsync(FailoverReason.Unacknowledged);

        Assert.Equal(8, run.World.Witness.Epoch);
        Assert.Equal(1, run.World.Events.Count(step => step == "claim"));
        Assert.Contains("nobody has acknowledged", (await run.ViewAsync()).Decision, StringComparison.Ordinal);
        Assert.Contains("it is " + report.OperationId, await run.RefusalAsync("acknowledge", new AcknowledgeInput(null, "ada")), StringComparison.Ordinal);
        await run.TellAsync("acknowledge", new AcknowledgeInput(report.OperationId, "ada"));
        var second = await run.ReportAsync(2);
        Assert.Equal((East, 9), (second.To, run.World.Witness.Epoch));
        // The last word is of the first run: no second chain of runs was started.
        Assert.Equal(report.OperationId[^8..], second.OperationId[^8..]);
    }

    [Fact]
    public async Task Every_activity_may_die_after_its_effect()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Twice = true });
        await run.LoseAsync();

        var report = await run.ReportAsync();

        // A fence that gave no answer is not waited for: the lease is.
        Assert.Equal(["claim", "claim", "fence", "promote", "promote", "verify", "verify", "repoint", "repoint", "rebuild", "rebuild", "readiness"], run.World.Events);
        Assert.Equal((FailoverOutcome.Completed, 8, 8), (report.Outcome, report.Epoch, run.World.Witness.Epoch));
    }

    [Theory]
    [InlineData("claim")]
    [InlineData("promote")]
    [InlineData("rebuild")]
    public async Task Goes_on_with_another_worker(string step)
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold(step);
        await run.LoseAsync();
        await held.ReachedAsync();

        await run.ReplaceWorkerAsync();
        held.Open();

        Assert.Equal((FailoverOutcome.Completed, 8), ((await run.ReportAsync()).Outcome, run.World.Witness.Epoch));
    }

    [Fact]
    public async Task Whoever_moves_what_goes_with_the_database_is_waited_for_five_seconds_when_they_are_silent()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
        await run.TellAsync("failOver", new FailOverInput("the region is going", "ada", Forced: true, WithStack: true));
        await run.ReportAsync();

        var scheduled = (await run.Handle.FetchHistoryAsync()).Events.Select(passed => passed.ActivityTaskScheduledEventAttributes).OfType<Temporalio.Api.History.V1.ActivityTaskScheduledEventAttributes>();
        Assert.Equal(
            [("MoveNamespaces", 5), ("ScaleRegion", 5), ("RunCanary", 5)],
            scheduled.Where(task => task.ActivityType.Name is "MoveNamespaces" or "ScaleRegion" or "RunCanary").Select(task => (task.ActivityType.Name, (int)task.HeartbeatTimeout.Seconds)));
    }

    [Fact]
    public async Task A_claim_is_void_when_the_lease_was_renewed_meanwhile()
    {
        await using var run = await FailoverRun.StartAsync(server);
        run.World.Witness = run.World.Witness.Renew(TimeSpan.FromSeconds(1));
        await run.LoseAsync();

        var report = await run.ReportAsync();

        Assert.Equal((FailoverOutcome.NothingDone, "The lease has been renewed since. Nothing was changed."), (report.Outcome, report.Summary));
        Assert.Equal(7, run.World.Witness.Epoch);
        Assert.All(run.World.Events, step => Assert.Equal("claim", step));
    }

    [Fact]
    public async Task A_terminated_run_is_gone_on_with_by_the_next()
    {
        var world = new FakeDatabase();
        world.Witness = world.Witness.Claim(West, "failover-before", fenced: false);
        await using var run = await FailoverRun.StartAsync(server, world);

        var report = await run.ReportAsync();

        Assert.Equal(Order.Skip(1), run.World.Events);
        Assert.Equal((West, 8, 8), (report.To, report.Epoch, world.Witness.Epoch));
    }

    [Fact]
    public async Task A_server_that_stopped_is_started_again_where_its_standby_lacks_something()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("fenced", "fenced", stalled: false, synchronous: false);
        await Wait.UntilAsync(() => Task.FromResult(run.World.Events), events => events.Contains("unfence"), events => string.Join(' ', events));

        Assert.Equal("unfence", Assert.Single(run.World.Events));
        Assert.Equal(FailoverReason.RestartFirst, (await run.ViewAsync()).Code);
    }

    [Fact]
    public async Task A_server_that_stopped_is_started_again_also_when_an_observer_has_written_a_moment_before()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.SeeAsync("serves", null, stalled: false, synchronous: false);
        await run.SeeAsync(null, "fenced", stalled: false, synchronous: false, sequence: 41);
        await Wait.UntilAsync(() => Task.FromResult(run.World.Events), events => events.Count > 0, events => string.Join(' ', events));

        Assert.Equal("unfence", run.World.Events[0]);
    }

    [Fact]
    public async Task The_plan_says_what_would_be_done_and_does_nothing()
    {
        await using var run = await FailoverRun.StartAsync(server, mode: FailoverRunMode.Plan);
        await run.SeeAsync("serves", "serves", stalled: false);

        var report = await run.Handle.GetResultAsync<FailoverReport>().WaitAsync(Wait.Patience);

        Assert.Equal(["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"], report.Steps.Select(step => step.Name));
        Assert.Empty(run.World.Events);
    }
}
