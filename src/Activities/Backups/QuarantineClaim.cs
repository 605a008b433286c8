using PlatformOps.Adapters.Backups;
using PlatformOps.Platform.Backups;

namespace PlatformOps.Activities.Backups;

/// <summary>Whose a quarantine is.</summary>
/// <param name="Owner">The store: environment and region.</param>
/// <param name="Label">The set that is restored into it.</param>
/// <param name="Ordered">When its restore was ordered.</param>
internal sealed record QuarantineClaim(string Owner, string Operation, string Label, DateTimeOffset Ordered)
{
    /// <summary>What is lost when the store is lost just before the next set after this one is there.</summary>
    /// <param name="startedAt">The moment whose state this set has.</param>
    /// <param name="whole">By label when a set was begun and finished; null: it is not whole.</param>
    public async Task<TimeSpan> LostAsync(StoredSets sets, DateTimeOffset startedAt, Func<string, Task<(DateTimeOffset StartedAt, DateTimeOffset FinishedAt)?>> whole, CancellationToken ct)
    {
        var others = new List<(DateTimeOffset StartedAt, DateTimeOffset FinishedAt)>();
        foreach (var label in (await sets.ListAsync(ct)).Keys.Where(label => label != Label))
        {
            if (await whole(label) is { } other)
                others.Add(other);
        }

        return SnapshotLoss.Of(startedAt, others, Ordered);
    }
}
