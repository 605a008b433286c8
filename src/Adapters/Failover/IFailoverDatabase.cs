using PlatformOps.Platform.Failover;

namespace PlatformOps.Adapters.Failover;

/// <summary>A database with a node in each of two regions, one of them primary, that can change places: PostgreSQL behind guards, CloudNativePG, RDS.
/// Every call can be repeated: whoever called may have died before it heard the answer. Every changing call carries the epoch; a node that has seen a higher
/// one refuses with <see cref="AdapterFailureKind.Rejected"/>.</summary>
public interface IFailoverDatabase
{
    /// <summary>What a node says of itself. Changes nothing.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFailureKind.Unavailable"/>: it does not answer. That is unknown, not dead.</exception>
    Task<DatabaseNode> ObserveAsync(string node, CancellationToken ct);

    /// <summary>Answers as soon as the node differs from what was known of it, or after <paramref name="patience"/>; at once when <paramref name="known"/> is null.</summary>
    /// <exception cref="AdapterException">The connection broke or was refused: seen at once, not after the patience.</exception>
    Task<DatabaseNode> WatchAsync(string node, DatabaseNode? known, TimeSpan patience, CancellationToken ct);

    /// <summary>Lets nobody through any more, ends sessions and stops the server. With <paramref name="drain"/> the standby first gets everything that was committed.</summary>
    /// <param name="drain">How long to wait for sessions' transactions and for the standby; zero: not at all.</param>
    /// <returns>The node, fenced, with the end of its write-ahead log.</returns>
    Task<DatabaseNode> FenceAsync(string node, long epoch, TimeSpan drain, CancellationToken ct);

    /// <summary>Takes back a fence before the point of no return: the node serves again as it did, in the epoch that it has.</summary>
    Task<DatabaseNode> UnfenceAsync(string node, long epoch, CancellationToken ct);

    /// <summary>Makes the node primary of the epoch that the witness names it for: waits until nobody else can hold a lease (<see cref="LeaseRules.WaitFor"/>), promotes,
    /// takes the lease, and proves it by a write of the epoch that waits for no standby.</summary>
    /// <returns>The node, writable.</returns>
    Task<DatabaseNode> PromoteAsync(string node, long epoch, CancellationToken ct);

    /// <summary>The same when people have asked for it by force: where nothing ends by itself with a lease, the other node is not waited for when nobody can tell how it is. It may
    /// then go on taking writes that are lost. Where a lease protects it is no other thing than <see cref="PromoteAsync"/>.</summary>
    Task<DatabaseNode> PromoteUnfencedAsync(string node, long epoch, CancellationToken ct) => PromoteAsync(node, epoch, ct);

    /// <summary>What only <paramref name="node"/> has, of before the promotion of <paramref name="primary"/>: kept as files before anything is rewound.
    /// Repeated, also when the node follows by now, it answers what was found; of a node that follows and had nothing kept in this epoch, that there is nothing.</summary>
    Task<Divergence> ExportDivergenceAsync(string node, string primary, long epoch, CancellationToken ct);

    /// <summary>Makes a standby of the node that follows <paramref name="primary"/>: by rewinding, else by cloning. Answers while it goes on too, so that progress can be shown.</summary>
    /// <returns>The node; done when it is a streaming standby.</returns>
    Task<DatabaseNode> FollowAsync(string node, string primary, long epoch, CancellationToken ct);

    /// <summary>Whether commits on the primary wait for the standby.</summary>
    Task<DatabaseNode> SetSynchronousAsync(string node, bool synchronous, long epoch, CancellationToken ct);
}

/// <summary>What exists on the old primary only.</summary>
/// <param name="FromLsn">Where the timelines part, in bytes.</param>
/// <param name="ToLsn">The end of the old primary's write-ahead log, in bytes.</param>
/// <param name="Transactions">How many committed transactions are in between.</param>
/// <param name="Rows">How many row changes they made.</param>
/// <param name="Location">Where the old primary's WAL of this range and what was decoded of it were put; null when there is nothing.</param>
public sealed record Divergence(long FromLsn, long ToLsn, int Transactions, int Rows, string? Location);
