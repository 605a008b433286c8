using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>What a rollout of a worker version does next, and which versions are forgotten.</summary>
public sealed class RolloutTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RolloutPolicy Policy = new("2", [10, 50], TimeSpan.FromMinutes(10), AtLeast: 20, WorseBy: 5);
    private static readonly RunCounts Well = new(20, 0, 0);

    [Fact]
    public void Goes_from_part_to_part_and_then_to_all()
    {
        Assert.Equal(new(RolloutVerdict.Ramp, "2 gets 10% of the new runs.", 10), RolloutRules.Decide(Sight("1", null, 0), Policy, null));
        Assert.Equal((RolloutVerdict.Ramp, 50.0), Of(RolloutRules.Decide(Sight("1", "2", 10, minutes: 10), Policy, new(10, Start))));
        Assert.Equal((RolloutVerdict.MakeCurrent, 100.0), Of(RolloutRules.Decide(Sight("1", "2", 50, minutes: 20), Policy, new(50, Start))));
        Assert.Equal(new(RolloutVerdict.Finished, "2 has all new runs: 0 of 20 failed (0%)."), RolloutRules.Decide(Sight("2", null, 0, minutes: 10), Policy, new(100, Start)));
        Assert.Equal(RolloutVerdict.MakeCurrent, RolloutRules.Decide(Sight(null, null, 0), Policy with { Percentages = [] }, null).Verdict);
    }

    [Theory]
    [InlineData(9, 20, "2 has 10% of the new runs until 2026-03-01 12:10:00Z at least: 0 of 20 failed (0%).")]
    [InlineData(60, 19, "19 of the 20 runs on 2 that are wanted at 10% have ended.")]
    public void A_part_is_watched_for_its_time_and_until_enough_runs_have_ended(int minutes, int closed, string why) =>
        Assert.Equal(new(RolloutVerdict.Wait, why), RolloutRules.Decide(Sight("1", "2", 10, new(closed, 0, 0), minutes: minutes), Policy, new(10, Start)));

    [Theory]
    // The old version fails in 2 of 100: up to 7 percent are allowed.
    [InlineData(1, 1, null)]
    [InlineData(1, 2, "10%")]
    [InlineData(100, 7, null)]
    [InlineData(100, 8, "8%")]
    public void It_goes_back_as_soon_as_more_fail_than_the_rest_could_mend(int closed, int failed, string? share)
    {
        var decision = RolloutRules.Decide(Sight("1", "2", 10, new(Math.Max(closed, failed), failed, 0), minutes: 1), Policy, new(10, Start));
        Assert.Equal(share is null ? RolloutVerdict.Wait : RolloutVerdict.Return, decision.Verdict);
        if (share is not null)
            Assert.Matches("^Of runs on 2 . of \\d+ failed \\(\\d+%\\), on 1 2 of 100 failed \\(2%\\): more than 5% worse.$", decision.Why);
    }

    [Fact]
    public void It_goes_back_when_runs_are_stuck_or_its_workers_have_gone()
    {
        Assert.Equal(
            new(RolloutVerdict.Return, "3 runs on 2 are stuck: their workflow tasks fail again and again."), RolloutRules.Decide(Sight("1", "2", 10, new(20, 0, 3), minutes: 20), Policy, new(10, Start)));
        Assert.Equal(
            new(RolloutVerdict.Return, "No worker of 2 polls orders at the moment any more."),
            RolloutRules.Decide(Sight("1", "2", 10, minutes: 20) with { MissingQueues = ["orders at the moment"] }, Policy, new(10, Start)));
        Assert.Equal(RolloutVerdict.Return, RolloutRules.Decide(Sight("2", null, 0, new(20, 5, 0)), Policy, new(100, Start)).Verdict);
    }

    [Fact]
    public void Before_it_begins_it_waits_for_workers()
    {
        Assert.Equal(new(RolloutVerdict.Wait, "No worker of 2 has polled for web yet."), RolloutRules.Decide(Sight("1", null, 0) with { Versions = [] }, Policy, null));
        Assert.Equal(
            new(RolloutVerdict.Wait, "No worker of 2 polls orders (activity), which those of 1 poll."), RolloutRules.Decide(Sight("1", null, 0) with { MissingQueues = ["orders (activity)"] }, Policy, null));
    }

    [Theory]
    [InlineData("1", "3", 20, null, "3 is being rolled out: it has 20% of the new runs.")]
    [InlineData("1", "3", 20, 10.0, "Somebody else has changed where the new runs go: 1 is current, 3 has 20%.")]
    [InlineData("1", "2", 20, 10.0, "Somebody else has changed where the new runs go: 1 is current, 2 has 20%.")]
    [InlineData("3", null, 0, 100.0, "Somebody else has changed where the new runs go: 3 is current.")]
    public void What_somebody_else_has_set_is_left(string current, string? ramping, double percentage, double? set, string why)
    {
        var decision = RolloutRules.Decide(Sight(current, ramping, percentage, new(20, 20, 0), minutes: 30), Policy, set is { } part ? new(part, Start) : null);
        Assert.Equal(RolloutVerdict.Leave, decision.Verdict);
        Assert.StartsWith(why, decision.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rollout_that_a_dead_run_has_begun_is_taken_up() =>
        Assert.Equal((RolloutVerdict.Ramp, 10.0), Of(RolloutRules.Decide(Sight("1", "2", 30), Policy, null)));

    [Fact]
    public void Two_hundred_versions_one_after_the_other_leave_no_more_than_are_kept()
    {
        var versions = new List<ObservedVersion>();
        for (var build = 1; build <= 200; build++)
        {
            if (versions.Count > 0)
                versions[^1] = versions[^1] with { Standing = build % 7 == 0 ? VersionStanding.Draining : VersionStanding.Drained };
            // What was draining has drained ten versions later.
            for (var at = 0; at < versions.Count; at++)
            {
                if (versions[at].Standing == VersionStanding.Draining && versions[at].CreatedAt <= Start.AddHours(build - 10))
                    versions[at] = versions[at] with { Standing = VersionStanding.Drained };
            }

            versions.Add(new($"{build}", VersionStanding.Current, Start.AddHours(build)));
            var fates = VersionHygiene.Decide(versions, keep: 5);
            Assert.All(fates.Where(fate => fate.Goes), fate => Assert.Equal(VersionStanding.Drained, versions.Single(version => version.BuildId == fate.BuildId).Standing));
            versions.RemoveAll(version => fates.Any(fate => fate.Goes && fate.BuildId == version.BuildId));
            Assert.InRange(versions.Count, 1, 8);
        }

        Assert.Equal(5, versions.Count(version => version.Standing == VersionStanding.Drained));
        Assert.Equal("200", versions.Single(version => version.Standing == VersionStanding.Current).BuildId);
    }

    private static (RolloutVerdict, double) Of(RolloutDecision decision) => (decision.Verdict, decision.Percentage);

    private static RolloutSight Sight(string? current, string? ramping, double percentage, RunCounts? runs = null, int minutes = 0) => new(
        "web", current, ramping, percentage, [new("1", VersionStanding.Current, Start.AddDays(-1)), new("2", VersionStanding.Inactive, Start)], [], runs ?? Well, new(100, 2, 0), Start.AddMinutes(minutes));
}
