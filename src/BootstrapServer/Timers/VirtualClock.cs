namespace PlatformOps.BootstrapServer.Timers;

/// <summary>A clock that goes with another one, and can be moved ahead of it.</summary>
internal sealed class VirtualClock(TimeProvider real) : TimeProvider
{
    private long ahead;

    public override long TimestampFrequency => real.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => real.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => real.GetUtcNow().AddTicks(Interlocked.Read(ref ahead));

    public override long GetTimestamp() => real.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        real.CreateTimer(callback, state, dueTime, period);

    /// <summary>Moves ahead. Timers do not notice: who skips looks after what is due now.</summary>
    public void Skip(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);
}
