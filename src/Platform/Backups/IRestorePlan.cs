namespace PlatformOps.Platform.Backups;

/// <summary>What a restore of one store would do, as people approve it, whatever the store is.</summary>
public interface IRestorePlan
{
    /// <summary>The id of the set.</summary>
    string Set { get; }

    /// <summary>What people approve. The same facts give the same hash.</summary>
    string Hash { get; }
}
