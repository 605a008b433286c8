namespace PlatformOps.Guard.Leasing;

/// <summary>The permission to let clients through, as long as it lasts. Asked before every single write, so asking costs one clock reading.</summary>
internal sealed class HeldLease(TimeProvider clock)
{
    private long until = long.MinValue;

    /// <summary>Whether it is held now. Of a process that was stopped in between, the answer is that of the moment after it went on.</summary>
    public bool Valid => clock.GetTimestamp() < Interlocked.Read(ref until);

    /// <summary>What is left of it; zero when nothing is.</summary>
    public TimeSpan Left => clock.GetElapsedTime(clock.GetTimestamp(), Interlocked.Read(ref until)) is { Ticks: > 0 } left && Interlocked.Read(ref until) != long.MinValue ? left : TimeSpan.Zero;

    /// <summary>The witness accepted a renewal.</summary>
    /// <param name="sent">The timestamp from before it was sent.</param>
    public void Extend(long sent, TimeSpan duration)
    {
        var end = sent + (long)(duration.TotalSeconds * clock.TimestampFrequency);
        if (end > Interlocked.Read(ref until))
            Interlocked.Exchange(ref until, end);
    }

    /// <summary>It is over at once.</summary>
    public void End() => Interlocked.Exchange(ref until, long.MinValue);
}
