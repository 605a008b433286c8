using PlatformOps.Platform.Failover;
using PlatformOps.Workflows.Failover;

namespace PlatformOps.Integration.Tests.Failover;

/// <summary>The whole run over each database that somebody else operates: a primary that is lost, and the way back. Writers at both nodes see that never two of them take writes, and every epoch that is over is refused.</summary>
public sealed class OperatedFailoverTests(ITestOutputHelper output)
{
    private const string First = GuardedPair.First, Second = GuardedPair.Second;

    [Fact]
    public Task CloudNativePG_fails_over_and_hands_back_with_tokens() => EachWayAsync(new CloudNativeWorld(), plannedMayLose: false);

    [Fact]
    public Task RDS_fails_over_to_its_replica_and_back_to_one_that_its_owner_makes_anew() => EachWayAsync(new RdsWorld(), plannedMayLose: true);

    [Fact]
    public Task Aurora_fails_over_and_switches_back() => EachWayAsync(new AuroraWorld(), plannedMayLose: false);

    private async Task EachWayAsync(OperatedWorld made, bool plannedMayLose)
    {
        await using var world = made;
        await world.StartAsync();

        var lost = await world.LoseAsync(First);
        Tell(lost);
        Assert.Equal((FailoverKind.Failover, First, Second, 2), (lost.Kind, lost.From, lost.To, lost.Epoch));
        // Nobody says how far the other region was: that it is not known is what the report says, and people had to approve it.
        Assert.True(lost.Estimated is { Nothing: false, Bytes: null });
        Assert.Equal(["detect", "claim", "fence", "promote", "verify", "repoint", "rebuild", "readiness"], lost.Phases.Select(phase => phase.Name));
        Assert.InRange(lost.WritableAfterSeconds!.Value, 0.1, 300);
        await world.RefusesOldEpochsAsync(lost);

        var back = await world.AskAsync(Second, new FailBackInput("the test wants it", "ada"));
        Tell(back);
        Assert.Equal((FailoverKind.Failback, Second, First, 3), (back.Kind, back.From, back.To, back.Epoch));
        Assert.Equal(!plannedMayLose, back.Estimated.Nothing);
        Assert.Equal(["prepare", "fence", "claim", "promote", "verify", "repoint", "rebuild", "readiness"], back.Phases.Select(phase => phase.Name));
        await world.RefusesOldEpochsAsync(back);
    }

    private void Tell(FailoverReport report) => output.WriteLine(
        $"{report.Summary} Writable after {report.WritableAfterSeconds:0.0} s: {string.Join(", ", report.Phases.Select(phase => $"{phase.Name} {phase.Seconds:0.0} s"))}. {string.Join(" ", report.Steps.Select(step => step.Detail))}");
}
