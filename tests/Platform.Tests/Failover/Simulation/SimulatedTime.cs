namespace PlatformOps.Platform.Tests.Failover.Simulation;

/// <summary>One real time for everybody, and what happens when. What happens at the same time happens in the order in which it was planned.</summary>
internal sealed class SimulatedTime
{
    private readonly PriorityQueue<Action, (long At, long Order)> due = new();
    private long order;

    /// <summary>Microseconds.</summary>
    public long Now { get; private set; }

    public void At(long at, Action happens) => due.Enqueue(happens, (Math.Max(at, Now), order++));

    public void After(long microseconds, Action happens) => At(Now + microseconds, happens);

    /// <summary>Lets everything happen until a time.</summary>
    public void RunUntil(long end)
    {
        while (due.TryPeek(out _, out var next) && next.At <= end)
        {
            var happens = due.Dequeue();
            Now = next.At;
            happens();
        }

        Now = end;
    }
}

/// <summary>A clock that no other one agrees with: its zero is its own, and so is its speed.</summary>
/// <param name="drift">How much faster than real time it runs, for example 0.004.</param>
internal sealed class SimulatedClock(SimulatedTime time, double drift, long skew)
{
    public TimeSpan Monotonic => TimeSpan.FromMicroseconds(time.Now * (1 + drift));

    public DateTimeOffset Wall => DateTimeOffset.UnixEpoch.AddDays(20_000) + TimeSpan.FromMicroseconds(time.Now + skew);

    /// <summary>The real time at which this clock will show something.</summary>
    public long RealTimeOf(TimeSpan monotonic) => (long)Math.Ceiling(monotonic.TotalMicroseconds / (1 + drift));

    /// <summary>Real microseconds that a duration of this clock takes.</summary>
    public long Real(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMicroseconds / (1 + drift));
}
