namespace PlatformOps.Platform.Backups;

/// <summary>What a store that is only kept by snapshots can lose.</summary>
public static class SnapshotLoss
{
    /// <summary>The longest time in which a set was the newest whole one: what is lost when its store is lost just before the next set is there.</summary>
    /// <param name="startedAt">The moment whose state the set has.</param>
    /// <param name="others">The other whole sets.</param>
    /// <param name="now">The moment of a loss that is supposed.</param>
    public static TimeSpan Of(DateTimeOffset startedAt, IEnumerable<(DateTimeOffset StartedAt, DateTimeOffset FinishedAt)> others, DateTimeOffset now)
    {
        var until = others.Where(other => other.StartedAt > startedAt).Select(other => other.FinishedAt).Append(now).Min();
        return until > startedAt ? until - startedAt : TimeSpan.Zero;
    }
}
