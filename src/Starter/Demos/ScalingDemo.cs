using System.Globalization;
using PlatformOps.Platform.Scaling;
using PlatformOps.Starter.CommandLine;

namespace PlatformOps.Starter.Demos;

/// <summary>What came of it.</summary>
/// <param name="Outcome"><c>held</c>: the number did not swing, and no activity was cut off; <c>failed</c> otherwise.</param>
/// <param name="Decisions">How many decisions were taken; each has its reason.</param>
/// <param name="Oscillations">How often a change took back the one before it within half an hour.</param>
/// <param name="ScaleInCausedRetries">Activities that a worker which went could not end in the time that it had.</param>
/// <param name="TargetMissSeconds">Seconds in which activities waited for a worker.</param>
internal sealed record ScalingDemoResult(string Outcome, int Decisions, int Oscillations, int ScaleInCausedRetries, double TargetMissSeconds);

/// <summary>A day of load on the business workers of the reference platform, simulated minute by minute: the rules that <c>Autoscale</c> decides by, on workers that are busy with activities of up to half an hour.</summary>
/// <param name="how">The workers' <c>scaling</c> in the catalog, filled in.</param>
/// <param name="range">That of the specification.</param>
/// <param name="seed">The same seed gives the same day.</param>
internal sealed class ScalingDemo(Terminal terminal, ScalingDefinition how, ScaleRange range, int seed)
{
    /// <summary>Activities that a worker does at the same time.</summary>
    private const int Slots = 20;

    private static readonly DateTimeOffset Midnight = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30), StartUp = TimeSpan.FromSeconds(60), Oscillation = TimeSpan.FromMinutes(30), Longest = TimeSpan.FromMinutes(30), Grace = TimeSpan.FromMinutes(31);

    // A stand-in for people, not a secret: the day has to be the same for the same seed.
#pragma warning disable CA5394
    private readonly Random random = new(seed);
#pragma warning restore CA5394

    private readonly SortedDictionary<string, Worker> workers = new(StringComparer.Ordinal);
    private readonly Queue<TimeSpan> waiting = [];
    private int born, retries, oscillations;
    private double missed;

    /// <summary>Lives the day.</summary>
    public ScalingDemoResult Run()
    {
        for (var replica = 0; replica < 3; replica++)
            Hire(Midnight);
        terminal.Line($"A day of {how.Workload}, a look every {Every.TotalSeconds:0} s; {Slots} activities for each worker, which take from one minute to half an hour; range {range.Minimum}..{range.Maximum}.");
        terminal.Line("Little at night, much by day, and a surge from 10:00 to 11:30.");
        var (memory, decisions, last) = (ScalingMemory.Empty, 0, (ScalingDecision?)null);
        DateTimeOffset? changedAt = null;
        for (var now = Midnight; now < Midnight.AddDays(1); now += Every)
        {
            Pass(now);
            var outlook = ScalingPolicy.Decide(how, range, Look(now), memory);
            var decision = ScalingGuards.Apply(how.Workload!.Name, how, outlook.Decision, new() { Tasks = Tasks() }, [.. workers.Keys]);
            (memory, decisions) = (outlook.Memory, decisions + 1);
            if (decision is not { Verdict: ScalingVerdict.Scale, From: { } from, To: { } to })
                continue;
            terminal.Line($"{now:HH:mm:ss}  {from,3} to {to,3}  {decision.Why}");
            Change(from, to, now);
            if (last is { From: { } was, To: { } then } && now - changedAt < Oscillation && (then > was) != (to > from))
                oscillations++;
            (memory, last, changedAt) = (memory.Changed(now), decision, now);
        }

        terminal.Line($"{decisions} decisions; {retries} activities were cut off by a worker that went; activities waited for a worker in {missed:0} s of the day.");
        return new(oscillations == 0 && retries == 0 ? "held" : "failed", decisions, oscillations, retries, missed);
    }

    /// <summary>Activities end, others begin, and those that find no slot wait.</summary>
    private void Pass(DateTimeOffset now)
    {
        foreach (var worker in workers.Values)
            worker.Until.RemoveAll(end => end <= now);
        // Activities in the hour of most, all slots at the target of the reference: about eight workers' worth by day, one by night, and four more in the surge.
        var hour = (now - Midnight).TotalHours;
        var wanted = (20 + (130 * (1 - Math.Cos(2 * Math.PI * hour / 24)) / 2) + (hour is >= 10 and < 11.5 ? 80 : 0)) / (15.5 * 60 / Every.TotalSeconds);
        for (var arrived = Poisson(wanted); arrived > 0; arrived--)
            waiting.Enqueue(TimeSpan.FromMinutes(1 + (Chance() * (Longest.TotalMinutes - 1))));
        foreach (var worker in workers.Values.Where(worker => worker.ReadyAt <= now).OrderBy(worker => worker.Until.Count))
        {
            while (worker.Until.Count < Slots && waiting.TryDequeue(out var length))
                worker.Until.Add(now + length);
        }

        if (waiting.Count > 0)
            missed += Every.TotalSeconds;
    }

    private ObservedScaling Look(DateTimeOffset now)
    {
        var ready = workers.Values.Where(worker => worker.ReadyAt <= now).ToList();
        var used = ready.Sum(worker => worker.Until.Count);
        return new(workers.Count, ready.Count, [.. how.Signals.Select(signal => new SignalReading(signal.Name, signal.Name switch
        {
            "slots" => ready.Count == 0 ? 0 : 100.0 * used / (ready.Count * Slots),
            "backlog" => waiting.Count,
            "cpu" => ready.Count == 0 ? 0 : 60.0 * used / (ready.Count * Slots),
            _ => 0,
        }, now))], null, now);
    }

    /// <summary>The pods have the time to end what they began that the catalog gives them.</summary>
    private WorkerTasks Tasks() => new(workers.ToDictionary(worker => worker.Key, worker => new WorkerLoad(worker.Value.Until.Count, 0, 0)), Grace);

    private void Change(int from, int to, DateTimeOffset now)
    {
        for (; from < to; from++)
            Hire(now + StartUp);
        foreach (var spare in ScalingGuards.Spare(how, Tasks(), from - to))
        {
            // It takes nothing new, and ends what ends within its time.
            retries += workers[spare].Until.Count(end => end > now + Grace);
            workers.Remove(spare);
        }
    }

    private void Hire(DateTimeOffset readyAt) => workers[string.Create(CultureInfo.InvariantCulture, $"{how.Workload!.Name}-{born++:0000}")] = new(readyAt);

    private int Poisson(double mean)
    {
        var (limit, product, count) = (Math.Exp(-mean), Chance(), 0);
        for (; product > limit; count++)
            product *= Chance();
        return count;
    }

#pragma warning disable CA5394
    private double Chance() => random.NextDouble();
#pragma warning restore CA5394

    /// <param name="ReadyAt">From when on it takes activities.</param>
    private sealed record Worker(DateTimeOffset ReadyAt)
    {
        /// <summary>When each of its activities ends.</summary>
        public List<DateTimeOffset> Until { get; } = [];
    }
}
