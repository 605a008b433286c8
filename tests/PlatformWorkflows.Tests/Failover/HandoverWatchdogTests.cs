using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>Somebody watches a handover of namespaces who is not ended with whoever drives it.</summary>
public class HandoverWatchdogTests(RunbookServer server) : IClassFixture<RunbookServer>
{
    [Fact]
    public async Task It_watches_before_anything_is_closed_and_ends_when_the_handover_has()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var moving = run.World.Hold("namespaces");
        await SwitchOverAsync(run);
        await moving.ReachedAsync();
        var watchdog = await WatchdogAsync(run);
        await Wait.UntilAsync(() => Task.FromResult(run.World.Watches.Count), count => count == 1, count => $"{count}");
        moving.Open();

        var report = await run.ReportAsync();
        Assert.Equal("orders was closed for 1.5 s at most.", (await watchdog.GetResultAsync<WatchedHandover>().WaitAsync(Wait.Patience)).Detail);
        Assert.Equal([new MovedNamespace("orders", "west", 2, 1.5)], report.Namespaces!);
        // First for as long as something may begin, then until all is open.
        Assert.Equal([TimeSpan.FromMinutes(5), TimeSpan.Zero], run.World.Watches);
    }

    [Fact]
    public async Task It_outlives_a_run_that_is_terminated_and_sees_every_namespace_open_when_it_is_cancelled()
    {
        await using var run = await FailoverRun.StartAsync(server);
        var moving = run.World.Hold("namespaces");
        await SwitchOverAsync(run);
        await moving.ReachedAsync();
        var watchdog = await WatchdogAsync(run);

        await run.Handle.TerminateAsync("The test ends it.");
        Assert.Equal(RunbookPhase.Observing, (await watchdog.QueryAsync<RunbookStatus>("status", [])).Phase);
        Assert.Equal(WorkflowExecutionStatus.Running, (await watchdog.DescribeAsync()).Status);
        await watchdog.CancelAsync();

        Assert.Equal("orders was closed for 1.5 s at most.", (await watchdog.GetResultAsync<WatchedHandover>().WaitAsync(Wait.Patience)).Detail);
        Assert.Equal(TimeSpan.Zero, run.World.Watches.Last());
        moving.Open();
    }

    private static async Task SwitchOverAsync(FailoverRun run)
    {
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(Platform.Failover.FailoverReason.Healthy);
        await run.TellAsync("failOver", new FailOverInput("kernel update", "ada", WithStack: true));
    }

    private async Task<WorkflowHandle> WatchdogAsync(FailoverRun run) =>
        server.Client.GetWorkflowHandle(HandoverWatchdog.WorkflowId(run.Environment, (await run.StatusAsync()).OperationId));
}
