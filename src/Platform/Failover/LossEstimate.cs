using System.Globalization;

namespace PlatformOps.Platform.Failover;

/// <summary>What a failover would lose, as far as it is known before.</summary>
/// <param name="Nothing">True when it is certain that nothing acknowledged is lost: commits waited for the standby, or it has all that the primary ever wrote.</param>
/// <param name="Bytes">Write-ahead log that the standby lacks of what was last seen on the primary; null: unknown.</param>
/// <param name="Duration">From the last marker that the standby has to the moment at which the primary was last seen; null: unknown.</param>
/// <param name="LastMarker">The last marker that the standby has, by the primary's clock.</param>
public sealed record LossEstimate(bool Nothing, long? Bytes, TimeSpan? Duration, DateTimeOffset? LastMarker)
{
    /// <summary>As a sentence.</summary>
    public string InWords => Nothing
        ? "Nothing that was acknowledged is lost."
        : $"Up to {(Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes") : "an unknown number of bytes")} of the write-ahead log as last seen, and what was written after, {(Duration is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s") : "an unknown time")} in all, may be lost. {(LastMarker is { } marker ? $"The last marker that is safe is of {marker:O}." : "No marker is known.")}";

    /// <summary>Compares what was last seen of both.</summary>
    /// <param name="primary">The primary as it was last seen; null: never.</param>
    /// <param name="primarySeenAt">When.</param>
    /// <param name="standby">The standby as it is now.</param>
    public static LossEstimate Of(DatabaseNode? primary, DateTimeOffset? primarySeenAt, DatabaseNode standby)
    {
        // A fenced primary writes no more, so that the end of its log is the end; of one that was serving more may have come after.
        var complete = primary is { Fenced: true, ReceivedLsn: { } end } && standby.ReceivedLsn >= end;
        if (complete || primary is { Synchronous: true } or { CommitsWaited: true })
            return new(true, 0, TimeSpan.Zero, standby.LastMarker);
        return new(
            false,
            primary?.ReceivedLsn is { } wrote && standby.ReceivedLsn is { } has ? Math.Max(0, wrote - has) : null,
            primarySeenAt is { } seen && standby.LastMarker is { } marker ? seen > marker ? seen - marker : TimeSpan.Zero : null,
            standby.LastMarker);
    }
}
