using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>What kind of set is made.</summary>
public sealed class MethodChoiceTests
{
    private static readonly BackupDefinition Definition = Sets.Definition with
    {
        Schedules = [new(BackupMethod.Full, TimeSpan.FromDays(7), TimeSpan.Zero), new(BackupMethod.Differential, TimeSpan.FromDays(1), TimeSpan.Zero)],
    };

    [Fact]
    public void Without_a_good_full_set_everything_is_copied_whatever_was_asked()
    {
        BackupSet[] useless = [Sets.Of("partial", 1, BackupOutcome.Partial), Sets.Of("damaged", 2).Verified(proved: false), Sets.Of("going", 3) with { MarkedAt = Sets.Now }];
        Assert.All(
            new BackupMethod?[] { null, BackupMethod.Differential, BackupMethod.Incremental },
            asked => Assert.Equal((BackupMethod.Full, "There is no good full set that another one could stand on."), Of(useless, asked)));
    }

    [Fact]
    public void What_is_due_goes_by_the_age_of_the_last_full_one()
    {
        Assert.Equal((BackupMethod.Differential, "It stands on the full one of 2026-02-23 00:00:00Z."), Of([Sets.Of("full", 6)], null));
        Assert.Equal((BackupMethod.Full, "The last full one is of 2026-02-22 00:00:00Z: older than 168h."), Of([Sets.Of("full", 7)], null));
        Assert.Equal((BackupMethod.Incremental, "It stands on the full one of 2026-02-22 00:00:00Z."), Of([Sets.Of("full", 7)], BackupMethod.Incremental));
        Assert.Equal((BackupMethod.Full, "It was asked for."), Of([Sets.Of("full", 1)], BackupMethod.Full));
        Assert.Equal((BackupMethod.Full, "The store has only full ones."), MethodChoice.Of([Sets.Of("full", 1)], Sets.Definition, null, Sets.Now) is var choice ? (choice.Method, choice.Why) : default);
    }

    private static (BackupMethod, string) Of(BackupSet[] sets, BackupMethod? asked)
    {
        var choice = MethodChoice.Of(sets, Definition, asked, Sets.Now);
        return (choice.Method, choice.Why);
    }
}
