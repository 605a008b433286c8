namespace PlatformOps.Guard.Postgres;

/// <summary>What the server said of itself.</summary>
/// <param name="Recovering">It is a standby.</param>
/// <param name="Received">On a primary what is flushed, on a standby what it has received and flushed, in bytes.</param>
/// <param name="Replayed">In bytes.</param>
/// <param name="Streaming">On a primary: the other node's server streams from it. On a standby: it streams.</param>
/// <param name="Synchronous">The other node's server streams, and commits wait for it.</param>
/// <param name="StandbyLacks">Of a primary: what the other node's server has not flushed yet, in bytes; null: it does not stream, or this is a standby.</param>
/// <param name="Epoch">The highest epoch that was written into this database; 0: none.</param>
internal sealed record ServerView(bool Recovering, int Timeline, long Received, long Replayed, bool Streaming, bool Synchronous, DateTimeOffset? Marker, long Epoch, long? StandbyLacks);
