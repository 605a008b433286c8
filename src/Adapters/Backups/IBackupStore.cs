using PlatformOps.Platform.Backups;
using PlatformOps.Platform.Backups.ClusterState;

namespace PlatformOps.Adapters.Backups;

/// <summary>What every kind of store can do that is backed up: a new kind is one class. Every call can be repeated: whoever called may have died before it heard the answer, and what was begun goes on.</summary>
public interface IBackupStore : IDisposable
{
    /// <summary>Makes a set, or waits for the one that this operation is making, or finds it made.</summary>
    /// <param name="progress">Is called with how far it is, every few seconds.</param>
    Task<StoredBackup> MakeAsync(string operation, BackupMethod method, Action<string> progress, CancellationToken ct);

    /// <summary>What lies in the repository. Changes nothing.</summary>
    Task<RepositorySight> LookAsync(CancellationToken ct);

    /// <summary>Restores a set where nobody but this operation reaches it, with everything that the log has after it.</summary>
    /// <param name="operation">What is made carries it.</param>
    /// <param name="label">What the store's own tool calls the set.</param>
    /// <param name="target">The moment to restore to; null: the newest.</param>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Damaged"/>: it cannot be restored.</exception>
    Task<RestoredCopy> RestoreAsync(string operation, string label, DateTimeOffset? target, Action<string> progress, CancellationToken ct);

    /// <summary>Checks what was restored.</summary>
    /// <param name="rpo">What is older than this, counted from the order of the restore, has to be there.</param>
    Task<CopyFindings> ProbeAsync(string operation, TimeSpan rpo, Action<string> progress, CancellationToken ct);

    /// <summary>Removes everything that an operation restored. What another operation of the store left in quarantine goes too.</summary>
    /// <returns>What was there; a listing afterwards found nothing.</returns>
    Task<IReadOnlyList<string>> CleanUpAsync(string operation, CancellationToken ct);

    /// <summary>Removes a set from the repository. One that is not there is removed.</summary>
    Task RemoveAsync(string label, CancellationToken ct);
}

/// <summary>A set that was made.</summary>
/// <param name="Label">What the store's own tool calls it.</param>
/// <param name="Place">Where it lies.</param>
/// <param name="DependsOn">Labels of the sets that it needs.</param>
/// <param name="Missing">What should be in it and is not, one sentence each.</param>
public sealed record StoredBackup(
    string Label, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, RecoveryRange Range, long Bytes, BackupManifest Manifest, string Place, IReadOnlyList<string> DependsOn, IReadOnlyList<string> Missing)
{
    /// <summary>Where else it lies.</summary>
    public IReadOnlyList<BackupLocation> Copies { get; init; } = [];

    /// <summary>The snapshot of etcd in it; null: it has none.</summary>
    public EtcdSnapshot? Etcd { get; init; }
}

/// <summary>What lies in a repository.</summary>
/// <param name="Gaps">What is missing in the log.</param>
/// <param name="Broken">Sets that cannot be restored as things stand, by label, with why.</param>
/// <param name="NewestLog">When the newest piece of the log was archived; null: the store has none.</param>
public sealed record RepositorySight(IReadOnlyList<RepositorySet> Sets, IReadOnlyList<WalGap> Gaps, IReadOnlyDictionary<string, string> Broken, DateTimeOffset? NewestLog)
{
    /// <summary>What else is not as it has to be, one sentence each: sets can be restored all the same.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];
}

/// <param name="OrderedAt">When the restore was ordered: the moment of the loss that it stands for.</param>
/// <param name="Took">From the order to a store that answers.</param>
/// <param name="UpTo">The newest moment that it has.</param>
public sealed record RestoredCopy(DateTimeOffset OrderedAt, TimeSpan Took, DateTimeOffset UpTo);

/// <param name="Wrong">What speaks against it, one sentence each.</param>
/// <param name="Right">What was looked at and is as it has to be.</param>
/// <param name="Rpo">The age of the newest data in it when the restore was ordered; null: it could not be measured.</param>
public sealed record CopyFindings(IReadOnlyList<string> Wrong, IReadOnlyList<string> Right, TimeSpan? Rpo)
{
    /// <summary>What it has of Temporal, one for each of its databases.</summary>
    public IReadOnlyList<TemporalCopyCounts> Temporal { get; init; } = [];

    /// <summary>Why not all was looked at that has to be, such as its rows or a Temporal on it, as a sentence: then it is restored, and not proved. Null: all was.</summary>
    public string? Unread { get; init; }
}
