using PlatformOps.Platform.Bootstrap;

namespace PlatformOps.Chaos.Tests.Bootstrap;

/// <summary>The bootstrap cluster is moved by a process that is killed at every call that changes something; another one goes on, after an hour in which a schedule came due.</summary>
public sealed class PivotCrashTests(PivotServers servers) : IClassFixture<PivotServers>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_anywhere_it_ends_with_one_active_cluster_nothing_paused_and_no_schedule_lost_or_doubled(bool afterEffect)
    {
        var killed = new SortedSet<string>(StringComparer.Ordinal);
        for (var call = 0; ; call++)
        {
            await using var world = await PivotWorld.StartAsync(servers);
            if (await world.RunAsync(PivotDirection.Forward, call, afterEffect) is { } unharmed)
            {
                Assert.IsType<PivotDecision.Done>(unharmed.Decision);
                await world.AssertAtAsync(PivotSide.Target, fired: 0, "it was not killed");
                break;
            }

            killed.Add(servers.Killer.Killed);
            var when = $"killed {(afterEffect ? "after" : "before")} call {call}, {servers.Killer.Killed}";
            await world.AssertSafeAsync(when);
            world.Pass(Hour);
            await world.AssertSafeAsync(when);

            Assert.IsType<PivotDecision.Done>((await world.RunAsync(PivotDirection.Forward))!.Decision);

            await world.AssertAtAsync(PivotSide.Target, fired: 1, when);
        }

        Assert.Equal(
            ["AddSearchAttributes", "CreateSchedule", "DeleteSchedule", "PatchSchedule", "RegisterNamespace", "StartWorkflowExecution", "TerminateWorkflowExecution", "UpdateSchedule", "UpdateWorkflowExecution"],
            killed);
    }

    [Fact]
    public async Task Aborted_anywhere_before_it_hands_over_the_source_is_active_again()
    {
        for (var call = 0; ; call++)
        {
            await using var world = await PivotWorld.StartAsync(servers);
            Assert.Null(await world.RunAsync(PivotDirection.Forward, call, afterEffect: true));
            var when = $"killed after call {call}, {servers.Killer.Killed}, and taken back";
            world.Pass(Hour);
            var back = (await world.RunAsync(PivotDirection.Back))!.Decision;
            if (back is PivotDecision.Refuse refused)
            {
                Assert.Contains("no way back", refused.Reason, StringComparison.Ordinal);
                Assert.True(call > 8, when);
                break;
            }

            Assert.IsType<PivotDecision.Done>(back);
            await world.AssertAtAsync(PivotSide.Source, fired: 1, when);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_abort_that_is_killed_anywhere_is_ended_by_the_next_and_then_it_can_be_moved_after_all(bool afterEffect)
    {
        for (var call = 0; ; call++)
        {
            await using var world = await PivotWorld.StartAsync(servers);
            // Just before the source hands over, which is the first time that its record is changed.
            Assert.Null(await world.RunAsync(PivotDirection.Forward, operation: "UpdateSchedule"));
            if (await world.RunAsync(PivotDirection.Back, call, afterEffect) is { } unharmed)
            {
                Assert.IsType<PivotDecision.Done>(unharmed.Decision);
                break;
            }

            var when = $"abort killed {(afterEffect ? "after" : "before")} call {call}, {servers.Killer.Killed}";
            await world.AssertSafeAsync(when);
            world.Pass(Hour);
            Assert.IsType<PivotDecision.Done>((await world.RunAsync(PivotDirection.Back))!.Decision);
            await world.AssertAtAsync(PivotSide.Source, fired: 1, when);
            Assert.IsType<PivotDecision.Done>((await world.RunAsync(PivotDirection.Forward))!.Decision);
            await world.AssertAtAsync(PivotSide.Target, fired: 1, when);
        }
    }
}
