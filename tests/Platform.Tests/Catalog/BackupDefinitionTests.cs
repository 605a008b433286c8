using PlatformOps.Platform.Backups;

namespace PlatformOps.Platform.Tests.Catalog;

/// <summary><c>backups</c> of the catalog.</summary>
public sealed class BackupDefinitionTests
{
    [Fact]
    public void The_reference_platforms_database_is_declared_as_the_reference_promises()
    {
        var backup = Assert.Single(CommittedCatalog.Catalog.Find("postgresql")!.Backups);
        Assert.Equal(
            ("postgresql", StoreKind.Postgresql, true, TimeSpan.FromDays(30), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15)), (backup.Name, backup.Store, backup.Continuous, backup.Retention, backup.Rpo, backup.Rto));
        Assert.Equal([new(BackupMethod.Full, TimeSpan.FromDays(7), TimeSpan.FromHours(1)), new BackupSchedule(BackupMethod.Differential, TimeSpan.FromDays(1), TimeSpan.FromHours(1))], backup.Schedules);
    }

    [Theory]
    [InlineData("name: db, store: oracle, schedules: [{every: 1h}], retention: 7d, rpo: 1h, rto: 1h", "backups[0].store", "postgresql, elasticsearch, kubernetes-state, vault")]
    [InlineData("name: db, store: vault, schedules: [{every: 24h}], retention: 7d, rpo: 1h, rto: 1h", "backups[0].rpo", "1h cannot be kept")]
    [InlineData("name: db, store: vault, schedules: [], retention: 7d, rpo: 1h, rto: 1h", "backups[0].schedules", "has no full set")]
    [InlineData("name: db, store: vault, schedules: [{every: 30d}], retention: 7d, rpo: 30d, rto: 1h", "backups[0].retention", "is shorter than the time between two full sets")]
    [InlineData("name: db, store: vault, schedules: [{every: 1h}, {every: 1h, method: incremental}], retention: 7d, rpo: 1h, rto: 1h", "backups[0].schedules", "only postgresql")]
    [InlineData("name: db, store: vault, schedules: [{every: 1h, at: 1h}], retention: 7d, rpo: 1h, rto: 1h", "backups[0].schedules", "at is to be shorter than every")]
    [InlineData("name: db, store: vault, schedules: [{every: 1h}], continuous: true, retention: 7d, rpo: 1h, rto: 1h", "backups[0].continuous", "only postgresql")]
    [InlineData("name: db, store: vault, schedules: [{every: 1h}], retention: 24h, rpo: 1h, rto: 1h", "backups[0].verifyEvery", "without ever having been proved")]
    [InlineData("name: db, store: vault, schedules: [{every: 1h}], retention: 7d, rpo: 1h, rto: 1h}, {name: db, store: vault, schedules: [{every: 1h}], retention: 7d, rpo: 1h, rto: 1h", "backups[0].name", "names are unique")]
    public void Says_what_is_wrong_with_it(string backups, string path, string expected)
    {
        var result = SmallCatalog.Read(new() { ["web"] = $"name: web\nbackups: [ {{{backups}}} ]" });
        Assert.Contains(result.Problems, problem => problem.Path == $"web.{path}" && problem.Message.Contains(expected, StringComparison.Ordinal));
    }
}
