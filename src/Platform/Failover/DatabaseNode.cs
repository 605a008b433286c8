namespace PlatformOps.Platform.Failover;

/// <summary>What one database node said of itself when it was asked. What it did not say is null: unknown.</summary>
public sealed record DatabaseNode
{
    /// <summary>The node's name; nodes are named after their region.</summary>
    public required string Name { get; init; }

    public required NodeRole Role { get; init; }

    /// <summary>Whether clients can write through it now: it holds the lease and lets them through.</summary>
    public required bool Writable { get; init; }

    /// <summary>Whether it let nobody through and holds no lease, and will not by itself: the wait for its lease is over.</summary>
    public required bool Fenced { get; init; }

    /// <summary>The highest epoch that it has seen; 0 when none.</summary>
    public required long Epoch { get; init; }

    /// <summary>PostgreSQL's timeline; null when the server is down.</summary>
    public int? Timeline { get; init; }

    /// <summary>On a primary the end of its write-ahead log, on a standby what it has received and flushed, in bytes (PostgreSQL's <c>pg_lsn</c> as a number).</summary>
    public long? ReceivedLsn { get; init; }

    /// <summary>On a standby what it has replayed, in bytes.</summary>
    public long? ReplayedLsn { get; init; }

    /// <summary>On a primary: a standby is streaming and commits wait for it.</summary>
    public bool? Synchronous { get; init; }

    /// <summary>Of a primary, also when its server has stopped: whether commits have waited for its standby since that was seen streaming, so that it has all that was acknowledged. Unlike <see cref="Synchronous"/> it stays true
    /// when the standby is gone. Null: its guard has not seen it, for example because it was started since.</summary>
    public bool? CommitsWaited { get; init; }

    /// <summary>On a standby: the WAL receiver is streaming. On a primary: a standby is connected and streaming.</summary>
    public bool? Streaming { get; init; }

    /// <summary>The last marker written on the primary that is visible here, by the primary's clock. What is newer may be lost with the primary.</summary>
    public DateTimeOffset? LastMarker { get; init; }

    /// <summary>What is wrong with it, as a sentence; null when nothing is.</summary>
    public string? Trouble { get; init; }

    /// <summary>What has to change for the node to be worth looking at again: everything but how far its log is, which always goes on.</summary>
    public string StateText() => $"{Role}|{Writable}|{Fenced}|{Epoch}|{Timeline}|{Synchronous}|{Streaming}|{Trouble}";
}

/// <summary>What a database node is.</summary>
public enum NodeRole
{
    /// <summary>It answers, and cannot tell.</summary>
    Unknown,
    Primary,
    Standby,

    /// <summary>The server process is not running; its guard or operator says so.</summary>
    Stopped,

    /// <summary>A standby is being made of it (rewind or clone).</summary>
    Rebuilding,
}
