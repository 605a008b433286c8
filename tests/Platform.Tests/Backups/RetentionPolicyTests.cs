using CsCheck;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>What goes, and why everything else stays.</summary>
public sealed class RetentionPolicyTests
{
    [Fact]
    public void Ten_thousand_catalogs_lose_nothing_that_somebody_needs() => Sets.Any.Sample(sets =>
    {
        var verdicts = RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now);
        Assert.Equal(sets.Select(set => set.Id).Order(), verdicts.Select(verdict => verdict.Set).Order());
        Assert.All(verdicts, verdict => Assert.False(string.IsNullOrWhiteSpace(verdict.Why)));
        var swept = verdicts.Where(verdict => verdict.Action == RetentionAction.Sweep).Select(verdict => verdict.Set).ToList();
        var left = sets.Where(set => !swept.Contains(set.Id)).ToList();

        if (sets.Where(set => set.Proved).MaxBy(set => (set.StartedAt, set.Id)) is { } lastProved)
            Assert.Contains(lastProved, left);
        Assert.True(left.Count(set => set.Good) >= Math.Min(Sets.Definition.MinimumSets, sets.Count(set => set.Good)));
        foreach (var set in sets.Where(set => swept.Contains(set.Id)))
        {
            Assert.True(set.MarkedAt <= Sets.Now - Sets.Definition.Grace, "swept without a grace");
            Assert.NotEqual(BackupOutcome.Running, set.Outcome);
            Assert.False(set.Hold?.Holds(Sets.Now) ?? false, "swept from hold");
            Assert.DoesNotContain(set.Uses, use => use.Until > Sets.Now);
            Assert.DoesNotContain(set.Locations, location => location.LockedUntil > Sets.Now);
            Assert.DoesNotContain(left, other => other.DependsOn.Contains(set.Id));
            Assert.DoesNotContain(sets, other => other.DependsOn.Contains(set.Id) && swept.IndexOf(other.Id) > swept.IndexOf(set.Id));
            Assert.True(!set.Good || set.StartedAt < Sets.Now - Sets.Definition.Retention, "swept within the retention");
        }

        // The beginning of the retention can be restored as long as it could be.
        var begin = Sets.Now - Sets.Definition.Retention;
        if (sets.Any(set => set.Good && set.FinishedAt <= begin))
            Assert.Contains(left, set => set.Good && set.FinishedAt <= begin);
    }, iter: 10_000);

    [Fact]
    public void The_same_catalog_gives_the_same_verdicts_in_any_order() => Sets.Any.Sample(sets =>
        Assert.Equal(RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now), RetentionPolicy.Decide([.. sets.Reverse()], Sets.Definition, Sets.Now)), iter: 1000);

    [Fact]
    public void What_is_old_is_marked_waits_and_goes()
    {
        BackupSet[] sets = [Sets.Of("old", 60), Sets.Of("begin", 31), Sets.Of("last", 5).Verified(), Sets.Of("now", 1)];
        Assert.Equal((RetentionAction.Mark, "It is older than 720h. It goes in 24h, unless somebody holds it."), Of(sets, "old"));
        sets[0] = sets[0] with { MarkedAt = Sets.Now.AddHours(-23) };
        Assert.Equal((RetentionAction.Wait, "It is older than 720h. It goes at 2026-03-01 01:00:00Z, unless somebody holds it."), Of(sets, "old"));
        sets[0] = sets[0] with { MarkedAt = Sets.Now.AddHours(-24) };
        Assert.Equal((RetentionAction.Sweep, "It is older than 720h."), Of(sets, "old"));
        sets[0] = sets[0] with { Hold = new("ada", "an investigation") };
        Assert.Equal((RetentionAction.Unmark, "ada holds it: an investigation"), Of(sets, "old"));
    }

    [Fact]
    public void Says_why_each_other_one_stays()
    {
        BackupSet[] sets =
        [
            Sets.Of("proved", 80).Verified(), Sets.Of("base", 50), Sets.Of("held", 45) with { DependsOn = ["base"], Hold = new("ada", "an investigation", Sets.Now.AddDays(1)) },
            Sets.Of("read", 40) with { Uses = [new("restore-1", Sets.Now.AddHours(1))] }, Sets.Of("begin", 31), Sets.Of("young", 20), Sets.Of("one", 2), Sets.Of("two", 1), Sets.Of("making", 0, BackupOutcome.Running),
        ];
        Assert.Equal(
        [
            "It is the last one that was proved.", "held, which stays, needs it.", "ada holds it until 2026-03-02 00:00:00Z: an investigation", "restore-1 reads it.",
            "It is the one from which 2026-01-30 00:00:00Z, the beginning of the retention, can be restored.", "It is younger than 720h.",
            "It is one of the newest 2 good ones.", "It is one of the newest 2 good ones.", "It is being made.",
        ], RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now).Select(verdict => verdict.Why));
    }

    [Fact]
    public void Only_broken_sets_stay_until_something_good_came_after_them()
    {
        BackupSet[] sets = [Sets.Of("partial", 3, BackupOutcome.Partial), Sets.Of("damaged", 2).Verified(proved: false)];
        Assert.All(RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now), verdict => Assert.Equal(RetentionAction.Keep, verdict.Action));
        sets = [.. sets, Sets.Of("good", 1)];
        Assert.Equal((RetentionAction.Mark, "It is not whole, and a good one came after it. It goes in 24h, unless somebody holds it."), Of(sets, "partial"));
        Assert.Equal((RetentionAction.Mark, "verify-1 found it damaged, and a good one came after it. It goes in 24h, unless somebody holds it."), Of(sets, "damaged"));
        Assert.Equal((RetentionAction.Keep, "It is the last good one, and none was ever proved."), Of(sets, "good"));
    }

    private static (RetentionAction, string) Of(IReadOnlyList<BackupSet> sets, string id)
    {
        var verdict = Assert.Single(RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now), verdict => verdict.Set == id);
        return (verdict.Action, verdict.Why);
    }

    [Fact]
    public void A_set_whose_removal_was_begun_is_removed_and_counts_for_nothing()
    {
        var sets = new[] { Sets.Of("a", 60).Verified() with { MarkedAt = Sets.Now.AddDays(-2) }, Sets.Of("b", 50).Verified() with { MarkedAt = Sets.Now.AddDays(-2), Sweeping = true } };
        var verdicts = RetentionPolicy.Decide(sets, Sets.Definition, Sets.Now);
        Assert.Equal([new("a", RetentionAction.Unmark, "It is the last one that was proved."), new("b", RetentionAction.Sweep, "Its removal was begun.")], verdicts);
    }
}
