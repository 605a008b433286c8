using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>How a set is shown, which one is verified next, and what disagreements between catalog and repository mean.</summary>
public sealed class BackupSetTests
{
    [Theory]
    [InlineData(BackupStanding.Complete, 1)]
    [InlineData(BackupStanding.Unproven, 8)]
    public void A_whole_set_that_nobody_has_verified_in_time_is_shown_as_unproven(BackupStanding expected, double daysOld) =>
        Assert.Equal(expected, Standing(Sets.Of("s", daysOld)));

    [Fact]
    public void What_matters_most_is_shown_first()
    {
        var set = Sets.Of("s", 20);
        Assert.Equal(BackupStanding.Verified, Standing(set.Verified(daysAgo: 6)));
        Assert.Equal(BackupStanding.Unproven, Standing(set.Verified(daysAgo: 7)));
        Assert.Equal(BackupStanding.Damaged, Standing(set.Verified(proved: false)));
        Assert.Equal(BackupStanding.Held, Standing(set.Verified() with { Hold = new("ada", "why") }));
        Assert.Equal(BackupStanding.Damaged, Standing(set.Verified(proved: false) with { Hold = new("ada", "why") }));
        Assert.Equal(BackupStanding.Marked, Standing(set with { MarkedAt = Sets.Now }));
        Assert.Equal(BackupStanding.Partial, Standing(Sets.Of("s", 1, BackupOutcome.Partial)));
        Assert.Equal(BackupStanding.Failed, Standing(Sets.Of("s", 1, BackupOutcome.Failed)));
        Assert.Equal(BackupStanding.Running, Standing(Sets.Of("s", 1, BackupOutcome.Running)));
    }

    [Fact]
    public void A_set_that_is_not_whole_is_never_good_whatever_was_found_about_it() =>
        Assert.False(Sets.Of("s", 1, BackupOutcome.Partial).Verified().Good || Sets.Of("s", 1, BackupOutcome.Partial).Verified().Proved);

    [Fact]
    public void The_newest_unverified_set_is_verified_first_and_then_the_one_whose_proof_is_oldest()
    {
        BackupSet[] sets = [Sets.Of("a", 20).Verified(daysAgo: 9), Sets.Of("b", 10), Sets.Of("c", 5), Sets.Of("d", 3).Verified(proved: false), Sets.Of("e", 1, BackupOutcome.Partial)];
        var choice = VerificationPlanner.Choose(sets, Sets.Definition, Sets.Now);
        Assert.Equal("c", choice.Set);
        Assert.Equal(["c", "b", "a"], choice.Unproven);
        sets = [sets[0], sets[1].Verified(), sets[2].Verified(daysAgo: 1)];
        Assert.Equal(("a", "Its proof is of 2026-02-20 00:00:00Z: older than 168h."), (VerificationPlanner.Choose(sets, Sets.Definition, Sets.Now) is var next ? next.Set : "", next.Why));
        sets[0] = sets[0].Verified();
        Assert.Null(VerificationPlanner.Choose(sets, Sets.Definition, Sets.Now).Set);
        Assert.Equal("There is no whole set that could be verified.", VerificationPlanner.Choose([], Sets.Definition, Sets.Now).Why);
    }

    [Fact]
    public void Every_set_is_chosen_within_the_time_in_which_it_has_to_be_proved()
    {
        // One verification a day, a set a day: none stays unproven for longer than there are sets.
        var sets = Enumerable.Range(0, 6).Select(day => Sets.Of($"s{day}", day)).ToList();
        for (var now = Sets.Now; now < Sets.Now.AddDays(6); now = now.AddDays(1))
        {
            var chosen = VerificationPlanner.Choose(sets, Sets.Definition, now).Set!;
            sets[sets.FindIndex(set => set.Id == chosen)] = sets.Find(set => set.Id == chosen)! with { Proof = new(true, now, "verify", []) };
        }

        Assert.All(sets, set => Assert.True(set.Proved));
    }

    [Fact]
    public void An_orphan_on_either_side_is_reported_and_nothing_goes_before_its_grace()
    {
        BackupSet[] catalog = [Sets.Of("there", 3), Sets.Of("gone", 2), Sets.Of("altered", 1), Sets.Of("unreadable", 1)];
        RepositorySet[] repository =
            [new("there", "digest of there", 1, Sets.Now), new("altered", "another", 1, Sets.Now), new("unreadable", null, 1, Sets.Now), new("stranger", "x", 1, Sets.Now)];
        var found = Compare(catalog, repository, []);
        Assert.Equal(
            [(ReconciliationKind.Altered, "altered"), (ReconciliationKind.NotInRepository, "gone"), (ReconciliationKind.Altered, "unreadable"), (ReconciliationKind.NotInCatalog, "stranger")],
            found.Select(finding => (finding.Kind, finding.Name)));
        Assert.Equal([null, null, null, Sets.Now.AddDays(1)], found.Select(finding => finding.MayGoAt));
        var later = Reconciliation.Compare(catalog, repository, new HashSet<string>(), found, TimeSpan.FromDays(1), Sets.Now.AddHours(5));
        Assert.Equal(found, later);
    }

    [Fact]
    public void A_set_in_the_making_is_no_orphan_and_one_that_nobody_makes_any_more_is_abandoned()
    {
        BackupSet[] catalog = [Sets.Of("making", 0, BackupOutcome.Running) with { Label = null }];
        RepositorySet[] repository = [new("20260301-000000F", "x", 1, Sets.Now)];
        Assert.Empty(Compare(catalog, repository, ["making"]));
        Assert.Empty(Reconciliation.Compare(catalog, repository, running: null, [], TimeSpan.FromDays(1), Sets.Now));
        Assert.Equal([ReconciliationKind.Abandoned, ReconciliationKind.NotInCatalog], Compare(catalog, repository, []).Select(finding => finding.Kind));
    }

    [Fact]
    public void What_was_not_measured_is_not_kept()
    {
        var results = BackupObjectives.Compare(Sets.Definition, TimeSpan.FromSeconds(61), null);
        Assert.Equal(["RPO 61.0 s of 60 s: not kept.", "RTO was not measured; 15m is declared."], results.Select(result => $"{result}"));
        Assert.All(BackupObjectives.Compare(Sets.Definition, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(15)), result => Assert.True(result.Kept));
    }

    private static IReadOnlyList<ReconciliationFinding> Compare(BackupSet[] catalog, RepositorySet[] repository, string[] running) =>
        Reconciliation.Compare(catalog, repository, running.ToHashSet(), [], TimeSpan.FromDays(1), Sets.Now);

    private static BackupStanding Standing(BackupSet set) => set.Standing(Sets.Definition.VerifyEvery, Sets.Now);
}
