using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>A run that is carried to another bootstrap cluster stands still until that has ended, one way or the other.</summary>
public class FailoverMovingTests(RunbookServer server) : IClassFixture<RunbookServer>
{
    [Fact]
    public async Task While_it_stands_still_nothing_is_done_and_afterwards_it_acts_again()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await WatchingAsync(run);
        await run.TellAsync("maintenance", new MaintenanceInput("2h", "new disks", "ada"));
        var first = (await run.Handle.DescribeAsync()).RunId;
        await run.TellAsync("suspend", new SuspendInput("pivot-2-abc"));
        await run.TellAsync("suspend", new SuspendInput("pivot-2-abc"));
        Assert.Contains("pivot-2-abc let it stand still already", await run.RefusalAsync("suspend", new SuspendInput("pivot-3-def")), StringComparison.Ordinal);
        foreach (var (control, input) in new (string, object)[]
                 {
                     ("failOver", new FailOverInput("kernel update")), ("failBack", new FailBackInput("back")), ("maintenance", new MaintenanceInput()), ("acknowledge", new AcknowledgeInput("x", "ada")),
                 })
            Assert.Contains("let it stand still", await run.RefusalAsync(control, input), StringComparison.Ordinal);

        await run.LoseAsync();
        await run.AlertAsync("alert-1/start");
        await run.ReplaceWorkerAsync();
        var still = await run.StatusAsync();
        await run.TellAsync("resume", new SuspendInput("ada"));
        await Wait.UntilAsync(() => run.Handle.DescribeAsync(), found => found.RunId != first, found => found.RunId);
        await run.LoseAsync();
        await run.UntilDecidedAsync(FailoverReason.Maintenance);

        Assert.Equal((RunbookPhase.Suspended, "new disks"), (still.Phase, (await run.ViewAsync()).Maintenance!.Reason));
        Assert.Empty(run.World.Events);
        await run.TellAsync("maintenance", new MaintenanceInput());
        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
        Assert.Contains("it does not stand still", await run.RefusalAsync("resume", new SuspendInput("ada")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_has_seen_no_epoch_yet_stands_still_too()
    {
        await using var run = await FailoverRun.StartAsync(server, new FakeDatabase { Witness = new(0, East, "first", new(40, TimeSpan.FromSeconds(1), false), null) });
        await run.SeeAsync("serves", "serves", stalled: false, epoch: 0);
        await run.UntilDecidedAsync(FailoverReason.Healthy);

        await run.TellAsync("suspend", new SuspendInput("pivot-2-abc"));

        Assert.Equal(RunbookPhase.Suspended, (await run.StatusAsync()).Phase);
    }

    [Fact]
    public async Task What_it_knows_is_what_the_run_elsewhere_begins_with()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await WatchingAsync(run);
        await run.LoseAsync();
        var report = await run.ReportAsync();
        await run.SeeAsync("serves", "serves", stalled: false, primary: West, epoch: 8, sequence: 41);
        await run.TellAsync("maintenance", new MaintenanceInput("2h", "new disks", "ada"));
        await run.TellAsync("suspend", new SuspendInput("pivot-2-abc"));
        var carried = await run.Handle.QueryAsync<RegionFailoverRequest>("carried", []);

        await using var elsewhere = await FailoverRun.StartAsync(server, new() { Witness = run.World.Witness }, environment: $"{run.Environment}-elsewhere", carried: carried);
        var view = await Wait.UntilAsync(elsewhere.ViewAsync, view => view.Primary is not null, view => view.Decision);

        Assert.Equal((West, 8L, "new disks", report.OperationId, report.OperationId), (view.Primary, view.Epoch, view.Maintenance!.Reason, view.Last!.OperationId, view.Recovery!.OperationId));
    }

    [Fact]
    public async Task It_is_refused_in_the_middle_of_something()
    {
        await using var run = await FailoverRun.StartAsync(server);
        await WatchingAsync(run);
        Assert.Contains("Field 'by' is missing", await run.RefusalAsync("suspend", new SuspendInput()), StringComparison.Ordinal);
        var rebuilding = run.World.Hold("rebuild");
        await run.LoseAsync();
        await rebuilding.ReachedAsync();

        Assert.Contains("is running", await run.RefusalAsync("suspend", new SuspendInput("pivot-2-abc")), StringComparison.Ordinal);
        rebuilding.Open();
        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
    }

    [Fact]
    public async Task It_is_refused_while_people_are_asked()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Approvals = 1 });
        await WatchingAsync(run);
        await run.TellAsync("failOver", new FailOverInput("kernel update", "ada"));
        await run.UntilAsync(RunbookPhase.AwaitingApproval);

        Assert.Contains("waits for approval", await run.RefusalAsync("suspend", new SuspendInput("pivot-2-abc")), StringComparison.Ordinal);
    }

    private static async Task WatchingAsync(FailoverRun run)
    {
        await run.SeeAsync("serves", "serves", stalled: false);
        await run.UntilDecidedAsync(FailoverReason.Healthy);
    }
}
