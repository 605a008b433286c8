using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.PlatformWorkflows.Tests.Provisioning;
using PlatformOps.Workflows;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Testing;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>A run that continues as new knows what it knew, wherever it was.</summary>
public class FailoverContinuationTests(ShortHistoryServer server) : IClassFixture<ShortHistoryServer>
{
    [Fact]
    public async Task What_was_told_is_known_to_the_run_that_continues()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await run.AlertAsync("alert-1/start");
        await run.TellAsync("maintenance", new MaintenanceInput("2h", "new disks", "ada"));
        var first = (await run.Handle.DescribeAsync()).RunId;

        await ContinuedAsync(run, first);
        var view = await run.ViewAsync();
        await run.SeeAsync("gone", "gone", stalled: true, sequence: 41);
        await run.UntilDecidedAsync(FailoverReason.Maintenance);

        Assert.Equal(("new disks", "PostgresDown", East, 7L), (view.Maintenance!.Reason, Assert.Single(view.Alerts), view.Primary, view.Epoch));
        Assert.Empty(run.World.Events);
    }

    [Fact]
    public async Task A_rebuild_that_takes_long_goes_on_in_the_next_run_and_the_report_is_whole()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold("rebuild");
        await run.LoseAsync();
        await held.ReachedAsync();
        var before = await run.StatusAsync();
        var first = (await run.Handle.DescribeAsync()).RunId;

        await ContinuedAsync(run, first, primary: West, epoch: 8);
        var status = await Wait.UntilAsync(run.StatusAsync, status => status.Steps.Any(step => step is { Name: "rebuild", State: StepState.Running }), status => status.Summary);
        Assert.Contains("there is no way back", await run.RefusalAsync("abort", new AbortInput("changed our minds")), StringComparison.Ordinal);
        held.Open();
        var report = await run.ReportAsync();

        Assert.Equal((before.OperationId, 8), (status.OperationId, status.Epoch));
        Assert.Equal((FailoverOutcome.Completed, before.OperationId, 3), (report.Outcome, report.OperationId, report.Divergence!.Rows));
        Assert.Equal(["detect", "claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"], report.Phases.Select(phase => phase.Name));
        Assert.Equal(["claim", "fence", "promote", "verify", "repoint"], run.World.Events.Take(5));
        Assert.Equal(1, run.World.Events.Count(did => did == "promote"));
        Assert.NotNull(report.WritableAfterSeconds);
    }

    [Fact]
    public async Task Who_has_approved_what_is_known_to_the_run_that_continues()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 2 });
        await run.LoseAsync(synchronous: false);
        var asked = await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "ben"));
        var first = (await run.Handle.DescribeAsync()).RunId;

        await ContinuedAsync(run, first, () => run.LoseAsync(synchronous: false));
        // What is seen while observers begin anew takes nothing away, and begins nothing.
        await run.SeeAsync("serves", "serves", stalled: false, synchronous: false, sequence: 40);
        Assert.Equal(asked.PlanHash, (await run.StatusAsync()).PlanHash);
        await run.TellAsync("approve", new ApproveInput(asked.PlanHash, "eva"));
        Assert.Empty(run.World.Events);
        await run.LoseAsync(synchronous: false);
        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task What_was_rejected_is_not_asked_again_by_the_run_that_continues()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1 });
        await run.LoseAsync(synchronous: false);
        await run.UntilAsync(RunbookPhase.AwaitingApproval);
        await run.TellAsync("reject", new RejectInput("it comes back", "ben"));
        var first = (await run.Handle.DescribeAsync()).RunId;

        await ContinuedAsync(run, first, () => run.LoseAsync(synchronous: false));
        await run.LoseAsync(synchronous: false);
        Assert.Null((await run.StatusAsync()).PlanHash);
    }

    [Fact]
    public async Task Nothing_continues_between_the_first_step_and_the_point_of_no_return()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var held = run.World.Hold("claim");
        await run.LoseAsync();
        await held.ReachedAsync();
        var first = (await run.Handle.DescribeAsync()).RunId;
        while ((await run.Handle.DescribeAsync()).HistoryLength < 300)
            await run.LoseAsync();
        Assert.Equal(first, (await run.Handle.DescribeAsync()).RunId);
        held.Open();
        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_change_of_places_that_is_asked_for_while_observers_end_is_carried_out_by_the_run_that_was_asked()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var ending = await EndingAsync(run);
        var asked = (await run.Handle.DescribeAsync()).RunId;
        var held = run.World.Hold("claim");
        await run.TellAsync("failOver", new FailOverInput("new disks", "ada"));
        await held.ReachedAsync();
        ending.Open();
        await Wait.UntilAsync(() => run.Handle.FetchHistoryAsync(), history => Observing(history) == 4, history => $"{Observing(history)} observers were begun.");
        held.Open();

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
        Assert.Equal(asked, (await run.Handle.DescribeAsync()).RunId);
        Assert.Equal(["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"], run.World.Events);
        static int Observing(Temporalio.Common.WorkflowHistory history) => history.Events.Count(passed => passed.ActivityTaskScheduledEventAttributes?.ActivityType.Name == "ObserveRegion");
    }

    [Fact]
    public async Task A_run_that_is_told_to_stand_still_while_observers_end_stands_still()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var ending = await EndingAsync(run);
        await run.TellAsync("suspend", new SuspendInput("ada"));
        ending.Open();
        await run.SeeAsync("gone", "gone", stalled: true);
        Assert.Equal(RunbookPhase.Suspended, (await run.StatusAsync()).Phase);
        Assert.Empty(run.World.Events);
        await run.TellAsync("resume", new SuspendInput("ada"));
        await run.SeeAsync("gone", "gone", stalled: true);
        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task A_run_that_is_cancelled_while_observers_end_ends()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var ending = await EndingAsync(run);
        await run.Handle.CancelAsync();
        ending.Open();
        await run.Handle.GetResultAsync<FailoverReport?>().WaitAsync(Wait.Patience);
    }

    /// <summary>Until the observers of a run that is long enough are told to end, which they take their time for.</summary>
    private static async Task<Gate> EndingAsync(FailoverRun run)
    {
        var ending = run.World.Hold("observersEnd");
        var told = ending.ReachedAsync();
        while (!told.IsCompleted)
            await run.SeeAsync("serves", "serves", stalled: false);
        return ending;
    }

    /// <summary>Observers report until the history is as long as it may become.</summary>
    private static Task ContinuedAsync(FailoverRun run, string? first, string primary = East, long epoch = 7) =>
        ContinuedAsync(run, first, () => run.SeeAsync("serves", "serves", stalled: false, primary: primary, epoch: epoch, sequence: 41));

    private static async Task ContinuedAsync(FailoverRun run, string? first, Func<Task> see)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await run.Handle.DescribeAsync()).RunId == first)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Wait.Patience, $"It does not continue as new after {(await run.Handle.DescribeAsync()).HistoryLength} events: {(await run.StatusAsync()).Summary}");
            await see();
        }
    }
}

/// <summary>A server that wants runs to continue as new early.</summary>
public class ShortHistoryServer : RunbookServer
{
    /// <summary>From how many events on.</summary>
    protected virtual int Events => 200;

    /// <summary>What else the server is told.</summary>
    protected virtual IReadOnlyList<string> More => [];

    protected override Task<WorkflowEnvironment> StartAsync() => WorkflowEnvironment.StartLocalAsync(new()
    {
        DataConverter = PlatformOpsDataConverter.Instance,
        Identity = Identity,
        SearchAttributes = RunbookSearchAttributes.All,
        DevServerOptions = new() { ExistingPath = Executable, ExtraArgs = ["--dynamic-config-value", $"limit.historyCount.suggestContinueAsNew={Events}", .. More] },
    });
}

/// <summary>One that wants it so early that a history is short enough to be kept.</summary>
public sealed class ShortestHistoryServer : ShortHistoryServer
{
    protected override int Events => 60;
}
