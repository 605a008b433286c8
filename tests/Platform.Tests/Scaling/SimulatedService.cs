using PlatformOps.Platform.Scaling;

namespace PlatformOps.Platform.Tests.Scaling;

/// <summary>A service under a load that changes over a day: replicas share it evenly, new ones take a while to become ready, and what cannot be served waits.</summary>
/// <param name="load">Work that arrives per second, by the second of the day.</param>
/// <param name="capacity">Work that one replica can do per second.</param>
internal sealed class SimulatedService(Func<double, double> load, double capacity, int replicas)
{
    public static readonly DateTimeOffset Midnight = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Time between looks.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    /// <summary>Until a new replica is ready: an image that has to be pulled and a start.</summary>
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(60);

    private readonly List<DateTimeOffset> readyAt = [.. Enumerable.Repeat(Midnight, replicas)];

    public double Backlog { get; private set; }

    public int Replicas => readyAt.Count;

    /// <summary>What happened, oldest first.</summary>
    public List<(DateTimeOffset At, int From, int To)> Changes { get; } = [];

    /// <summary>Seconds in which work waited although the range had room for more replicas.</summary>
    public double BehindSeconds { get; private set; }

    public int Ready(DateTimeOffset now) => readyAt.Count(ready => ready <= now);

    public double Load(DateTimeOffset now) => load((now - Midnight).TotalSeconds % 86_400);

    /// <summary>A look, with whatever is wrong with it.</summary>
    public ObservedScaling Look(DateTimeOffset now, Func<SignalReading, SignalReading>? through = null)
    {
        var ready = Ready(now);
        var cpu = ready == 0 ? 0 : Math.Min(100, 100 * (Load(now) + Backlog) / (ready * capacity));
        SignalReading[] signals = [new("cpu", cpu, now), new("backlog", Backlog, now)];
        return new(Replicas, ready, [.. signals.Select(signal => through?.Invoke(signal) ?? signal)], null, now);
    }

    public void Scale(int to, DateTimeOffset now)
    {
        Changes.Add((now, Replicas, to));
        while (Replicas < to)
            readyAt.Add(now + StartUp);
        if (Replicas > to)
            readyAt.RemoveRange(to, Replicas - to);
    }

    public void Pass(DateTimeOffset now)
    {
        var (arrived, done) = (Load(now) * Every.TotalSeconds, Ready(now) * capacity * Every.TotalSeconds);
        Backlog = Math.Max(0, Backlog + arrived - done);
        if (Backlog > 0)
            BehindSeconds += Every.TotalSeconds;
    }
}
