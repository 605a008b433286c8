using PlatformOps.Adapters.Aws.Databases;

namespace PlatformOps.Adapters.Failover;

/// <summary>Which of an environment's instances of RDS is the primary.</summary>
public static class RdsPrimary
{
    /// <summary>The instance that is no replica. After a failover and until the old one is a replica again there are two such: the one that a failover has closed, or that is of a lower epoch, is not it.</summary>
    /// <returns>Null: none is, or it cannot be told which.</returns>
    public static DatabaseInstance? Among(IReadOnlyCollection<DatabaseInstance> instances)
    {
        var writable = instances.Where(instance => instance.ReplicaOf is null && !instance.Tags.ContainsKey(RdsMarks.OpenGroups)).ToList();
        return writable.GroupBy(instance => RdsMarks.EpochOf(instance.Tags)).MaxBy(epoch => epoch.Key)?.ToList() is [var primary] ? primary : null;
    }
}
