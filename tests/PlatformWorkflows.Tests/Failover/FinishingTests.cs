using PlatformOps.Platform.Failover;
using PlatformOps.PlatformWorkflows.Tests.Hosting;
using PlatformOps.Workflows.Failover;
using PlatformOps.Workflows.Runbooks;
using static PlatformOps.PlatformWorkflows.Tests.Failover.FakeDatabase;

namespace PlatformOps.PlatformWorkflows.Tests.Failover;

/// <summary>The bootstrap cluster with the run's history is lost; another one, empty, begins with the same specification.</summary>
public class FinishingTests(RunbookServer server) : IClassFixture<RunbookServer>
{
    private static readonly WitnessRecord Claimed = new WitnessRecord(7, East, "first", new(40, TimeSpan.FromSeconds(1), false), null).Claim(West, "failover-1", fenced: false);

    /// <summary>Promoted, and nothing after it.</summary>
    internal static FakeDatabase Interrupted() => new()
    {
        Witness = Claimed.Renew(TimeSpan.FromSeconds(1)),
        Left =
        [
            new(FailoverStep.Repoint, NextActor.Run, "DNS leads to us-east-1.", "It is led."), new(FailoverStep.Repoint, NextActor.People, "Nobody can tell where Endpoints lead.", "Bring it back."),
            new(FailoverStep.Rebuild, NextActor.Run, "There is no standby.", "It follows."),
        ],
    };

    [Fact]
    public async Task What_comes_after_the_promotion_is_finished_in_the_epoch_that_there_is()
    {
        await using var run = await FailoverRun.StartAsync(server, Interrupted());

        var report = await run.ReportAsync();
        Assert.Equal(["verify", "repoint", "rebuild", "readiness"], run.World.Events);
        Assert.Equal((FailoverOutcome.Completed, West, 8L, 8L), (report.Outcome, report.To, report.Epoch, run.World.Witness.Epoch));
        Assert.Contains("what failover-1 began was not finished: DNS leads to us-east-1.", report.Reason, StringComparison.Ordinal);
        Assert.All(report.Steps, step => Assert.Equal(StepState.Done, step.State));
        Assert.All(run.World.Orders, order => Assert.Equal(8, order.Epoch));
    }

    [Fact]
    public async Task What_was_claimed_is_promoted_and_no_second_epoch_is_claimed()
    {
        await using var run = await FailoverRun.StartAsync(server, new() { Witness = Claimed });

        Assert.Equal(FailoverOutcome.Completed, (await run.ReportAsync()).Outcome);
        Assert.Equal(["fence", "promote", "verify", "repoint", "rebuild", "readiness"], run.World.Events);
        Assert.Equal((8L, West), (run.World.Witness.Epoch, run.World.Witness.Primary));
    }

    [Fact]
    public async Task What_people_have_to_decide_first_is_left_to_them()
    {
        NextStep[] left = [new(FailoverStep.Fence, NextActor.People, "Two are writable.", "Close one."), new(FailoverStep.Rebuild, NextActor.Run, "There is no standby.", "It follows.")];
        await using var run = await FailoverRun.StartAsync(server, new() { Witness = Claimed.Renew(TimeSpan.FromSeconds(1)), Left = left });
        await run.SeeAsync("serves", "serves", stalled: false, primary: West, epoch: 8, sequence: 41);
        await run.UntilDecidedAsync(FailoverReason.Healthy);

        Assert.Empty(run.World.Events);
        Assert.Null((await run.ViewAsync()).Last);
    }
}
