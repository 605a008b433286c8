using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Failover;

namespace PlatformOps.Platform.Tests.Backups;

/// <summary>Whether a restore may rely on what keeps the database's failover still.</summary>
public class RestoreMaintenanceTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 3, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Needed = TimeSpan.FromMinutes(15);

    [Theory]
    [InlineData(null, 0, typeof(RestoreMaintenance.Open))]
    // It is over, whoever had opened it.
    [InlineData("ada", 0, typeof(RestoreMaintenance.Open))]
    [InlineData("ada", 15, typeof(RestoreMaintenance.Rely))]
    [InlineData("ada", 14, typeof(RestoreMaintenance.Refuse))]
    // One's own is there from the first attempt, and lasts longer when that was long ago.
    [InlineData("restore-1", 600, typeof(RestoreMaintenance.Rely))]
    [InlineData("restore-1", 14, typeof(RestoreMaintenance.Open))]
    // One of another restore is somebody else's.
    [InlineData("restore-2", 14, typeof(RestoreMaintenance.Refuse))]
    public void What_is_open_has_to_last_as_long_as_the_restore_may_take(string? by, int minutesLeft, Type decided) =>
        Assert.IsType(decided, Decide(by is null ? null : new Maintenance("new disks", by, Now.AddHours(-1), Now.AddMinutes(minutesLeft))));

    [Fact]
    public void Who_has_opened_it_until_when_and_what_to_do_are_told()
    {
        var why = Assert.IsType<RestoreMaintenance.Refuse>(Decide(new Maintenance("new disks", "ada", Now, Now.AddMinutes(5)))).Why;
        Assert.Equal(
            "ada has opened a maintenance (new disks) that ends 2026-01-01 03:05:00Z, and the restore may take until 2026-01-01 03:15:00Z: after the end production could fail over to the data that is replaced."
            + " Have it last longer (platformops maintenance production --for 24h --reason ...) or close it (platformops maintenance production --close), then retry the step.", why);
    }

    private static RestoreMaintenance Decide(Maintenance? known) => RestoreMaintenance.Decide(known, "production", "restore-1", Now, Needed);
}
