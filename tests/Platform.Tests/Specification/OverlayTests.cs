using PlatformOps.Platform.Specification;
using PlatformOps.Platform.Tests.Catalog;

namespace PlatformOps.Platform.Tests.Specification;

/// <summary>What the overlays of the reference platform make of it.</summary>
public class OverlayTests
{
    [Theory]
    [InlineData("development", 1, DatabaseTopology.Single, MonitoringLevel.Basic, SecurityLevel.DevelopmentTls, 3, 1)]
    [InlineData("staging", 2, DatabaseTopology.Replica, MonitoringLevel.Full, SecurityLevel.ProductionLike, 6, 2)]
    [InlineData("production", 2, DatabaseTopology.HighlyAvailable, MonitoringLevel.Enterprise, SecurityLevel.ZeroTrust, 12, 5)]
    public void Says_how_large_and_how_strict_each_environment_is(
        string name, int regions, DatabaseTopology database, MonitoringLevel monitoring, SecurityLevel security, int nodes, int historyReplicas)
    {
        var environment = CommittedCatalog.Environment(name);

        Assert.Equal(
            (regions, database, monitoring, security, nodes, historyReplicas),
            (environment.Regions.Count, environment.Database, environment.Monitoring, environment.Security,
                environment.NodeClasses.Where(nodeClass => !nodeClass.Tainted).Sum(nodeClass => nodeClass.Count),
                (int)(long)environment.Components.Single(component => component.Name == "temporal-history").Parameters["replicas"]!));
        Assert.Equal(RegionRole.Primary, environment.Regions[0].Role);
    }

    [Fact]
    public void Gives_each_environment_its_guard_rails()
    {
        Assert.Equal(new GuardRails(0, 8, MayDestroy: true, TimeSpan.FromHours(24)), CommittedCatalog.Environment("development").GuardRails);
        Assert.Equal(new GuardRails(1, 6, MayDestroy: true, TimeSpan.FromHours(24)), CommittedCatalog.Environment("staging").GuardRails);
        Assert.Equal(new GuardRails(1, 4, MayDestroy: false, TimeSpan.FromHours(24)), CommittedCatalog.Environment("production").GuardRails);
    }

    [Fact]
    public void Merges_key_by_key_and_leaves_what_an_overlay_does_not_say()
    {
        var development = CommittedCatalog.Environment("development");
        var history = development.Components.Single(component => component.Name == "temporal-history").Parameters;

        Assert.Equal((1, 512), ((long)history["replicas"]!, (long)history["historyShards"]!));
        Assert.Equal(new ScalingRange("elasticsearch", 1, 3), development.Scaling.Single(range => range.Component == "elasticsearch"));
        Assert.Equal(new ScalingRange("redis", 1, 10), development.Scaling.Single(range => range.Component == "redis"));
        Assert.Equal((FailoverMode.Off, TimeSpan.FromHours(1)), (development.Failover.Database, development.Failover.Rto));
    }

    [Fact]
    public void Has_the_backup_objectives_of_the_reference_in_every_environment()
    {
        foreach (var environment in CommittedCatalog.Reference.Specification!.Environments)
        {
            Assert.Equal(
                [
                    new BackupObjective("elasticsearch", TimeSpan.FromHours(1), TimeSpan.FromDays(7), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1)),
                    new("kubernetes-state", TimeSpan.FromHours(24), TimeSpan.FromDays(14), TimeSpan.FromHours(1), TimeSpan.FromHours(24)),
                    new("postgresql", TimeSpan.Zero, TimeSpan.FromDays(30), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(1)),
                ],
                environment.Backups.OrderBy(backup => backup.Store, StringComparer.Ordinal));
        }
    }
}
