using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
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

    /// <summary>Observers report until the history is as long as it may become.</summary>
    private static async Task ContinuedAsync(FailoverRun run, string? first, string primary = East, long epoch = 7)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await run.Handle.DescribeAsync()).RunId == first)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Wait.Patience, $"It does not continue as new after {(await run.Handle.DescribeAsync()).HistoryLength} events: {(await run.StatusAsync()).Summary}");
            await run.SeeAsync("serves", "serves", stalled: false, primary: primary, epoch: epoch, sequence: 41);
        }
    }
}

/// <summary>A server that wants runs to continue as new early.</summary>
public sealed class ShortHistoryServer : RunbookServer
{
    protected override Task<WorkflowEnvironment> StartAsync() => WorkflowEnvironment.StartLocalAsync(new()
    {
        DataConverter = PlatformOpsDataConverter.Instance,
        Identity = Identity,
        SearchAttributes = RunbookSearchAttributes.All,
        DevServerOptions = new() { ExistingPath = Executable, ExtraArgs = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=200"] },
    });
}
