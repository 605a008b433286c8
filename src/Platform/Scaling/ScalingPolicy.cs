using System.Globalization;
using PlatformOps.Platform.Yaml;

namespace PlatformOps.Platform.Scaling;

/// <summary>How many replicas a component gets, from how busy it is.</summary>
/// <remarks>
/// Invariants: what is unknown never takes a replica away. More replicas come at once; fewer only when fewer have been enough for the whole stabilisation window. So a
/// replica that was added stays for at least that long, and the number cannot swing while the load does not. The range is never left.
/// </remarks>
public static class ScalingPolicy
{
    /// <summary>A number that is older than this says nothing about now: four of Prometheus's scrapes at its usual 30 seconds.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(2);

    /// <summary>How far beside its target a signal may be without consequences; as Kubernetes' HorizontalPodAutoscaler has it.</summary>
    private const double Tolerance = 0.1;

    /// <summary>Below this part of its target a component has no lack of replicas, whatever its latency is.</summary>
    private const double Idle = 0.5;

    /// <summary>The decision for one component. The same facts give the same answer.</summary>
    public static ScalingOutlook Decide(ScalingDefinition how, ScaleRange range, ObservedScaling seen, ScalingMemory memory)
    {
        if (seen is not { Replicas: { } replicas, Ready: { } ready })
            return new(ScalingDecision.Wait(seen.Replicas, "How many replicas there are could not be seen: nothing is changed on a guess."), memory);
        if (seen.Owner is { } owner)
            return new(ScalingDecision.Refuse(replicas, $"{owner} sets the number of replicas, and two who do would undo each other's work. Remove it, or take this component out of autoscaling."), memory);
        if (replicas < range.Minimum || replicas > range.Maximum)
        {
            var nearest = Math.Clamp(replicas, range.Minimum, range.Maximum);
            return new(ScalingDecision.Scale(replicas, nearest, $"{replicas} is outside of the range {range.Minimum}..{range.Maximum}."), memory);
        }

        var signals = how.Signals.Select(signal => Judge(signal, seen, replicas, ready)).ToList();
        if (signals.Find(signal => signal.Signal.Kind == SignalKind.Hold && signal.Value > signal.Signal.Target) is { } hold)
            return new(ScalingDecision.Wait(replicas, $"{hold.InWords}: nothing is scaled until that is over, since it would make it worse."), Stay());
        var unknown = signals.Where(signal => signal.Value is null).ToList();
        var asking = signals.Where(signal => signal.Wanted is not null).ToList();
        if (asking.Count == 0)
            return new(ScalingDecision.Wait(replicas, unknown.Count == 0
                ? "No signal says how many replicas are wanted."
                : $"Nothing is known of how busy it is: {Unknown(unknown)}."), Stay());

        var most = asking.MaxBy(signal => signal.Wanted)!;
        if (most.Wanted <= replicas && signals.Find(signal => signal.Signal.Kind == SignalKind.Ceiling && signal.Value > signal.Signal.Target) is { } high)
            return new(AboveCeiling(how, range, replicas, ready, high, asking, memory, seen.SeenAt), Stay());
        var looked = memory.With(unknown.Count == 0 ? most.Wanted!.Value : Math.Max(replicas, most.Wanted!.Value), seen.SeenAt, how.Stabilize);
        return new(
            most.Wanted > replicas ? Out(how, range, replicas, most.Wanted.Value, most.InWords)
            : most.Wanted == replicas ? ScalingDecision.Wait(replicas, $"{most.InWords}: {replicas} are right.")
            : In(how, range, replicas, ready, most, unknown, looked, seen.SeenAt),
            looked);

        // A look that does not know, or in which something is in the way, counts as one that wanted what there is.
        ScalingMemory Stay() => memory.With(replicas, seen.SeenAt, how.Stabilize);
    }

    /// <summary>More, as far as one step and the range allow.</summary>
    private static ScalingDecision Out(ScalingDefinition how, ScaleRange range, int replicas, int wanted, string because)
    {
        if (replicas == range.Maximum)
            return ScalingDecision.Wait(replicas, $"{because}: {wanted} are wanted, and {range.Maximum} is the most that the specification allows.");
        var to = Math.Min(Math.Min(wanted, range.Maximum), replicas + Step(replicas, how.StepOut));
        return ScalingDecision.Scale(replicas, to, $"{because}: {wanted} are wanted{Limited(wanted, to, range.Maximum)}.");
    }

    /// <summary>Fewer, when everything is known, everybody is ready, and fewer were enough for the whole window.</summary>
    private static ScalingDecision In(
        ScalingDefinition how, ScaleRange range, int replicas, int ready, Judged most, List<Judged> unknown, ScalingMemory memory, DateTimeOffset now)
    {
        if (unknown.Count > 0)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, but {Unknown(unknown)}. What is unknown takes no replica away.");
        if (ready != replicas)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, but {ready} of {replicas} are ready. None goes before all are.");
        if (replicas == range.Minimum)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, and {range.Minimum} is the fewest that the specification allows.");
        if (memory.ChangedAt is { } changed && now - changed < how.Cooldown)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, but the number was changed {Units.Format(Whole(now - changed))} ago. It stays for {Units.Format(how.Cooldown)}.");
        if (now - memory.Since!.Value < how.Stabilize)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, which has been watched for {Units.Format(Whole(now - memory.Since.Value))} of {Units.Format(how.Stabilize)}.");
        var enough = Math.Max(memory.Wanted.Max(look => look.Replicas), range.Minimum);
        if (enough >= replicas)
            return ScalingDecision.Wait(replicas, $"{most.InWords}: {most.Wanted} would be enough, but {enough} were wanted within the last {Units.Format(how.Stabilize)}.");
        var to = Math.Max(enough, replicas - Step(replicas, how.StepIn));
        return ScalingDecision.Scale(replicas, to, $"{most.InWords}: {enough} have been enough for {Units.Format(how.Stabilize)}{Limited(enough, to, range.Minimum)}.");
    }

    /// <summary>A latency is too high although the load does not ask for more: one step more helps only those who are busy and have all of their replicas.</summary>
    private static ScalingDecision AboveCeiling(
        ScalingDefinition how, ScaleRange range, int replicas, int ready, Judged high, List<Judged> asking, ScalingMemory memory, DateTimeOffset now)
    {
        if (ready < replicas)
            return ScalingDecision.Wait(replicas, $"{high.InWords}: {ready} of {replicas} replicas are ready, and the others may be the cure.");
        if (memory.ChangedAt is { } changed && now - changed < how.Cooldown)
            return ScalingDecision.Wait(replicas, $"{high.InWords}: the number was changed {Units.Format(Whole(now - changed))} ago, which may not have had its effect yet.");
        if (asking.TrueForAll(signal => signal.Load < Idle))
            return ScalingDecision.Wait(replicas, $"{high.InWords}, and nobody is busy ({string.Join(", ", asking.Select(signal => signal.InWords))}): more replicas would not help. Look at what they wait for.");
        return Out(how, range, replicas, replicas + Step(replicas, Math.Min(how.StepOut, 25)), high.InWords);
    }

    private static Judged Judge(ScalingSignal signal, ObservedScaling seen, int replicas, int ready)
    {
        var reading = seen.Signals.FirstOrDefault(known => known.Name == signal.Name);
        if (reading is not { Value: { } value, At: { } at } || !double.IsFinite(value) || value < 0)
            return new(signal, null, null, null, reading?.Trouble ?? "it says nothing");
        if (seen.SeenAt - at > FreshFor)
            return new(signal, null, null, null, $"its last number is {Units.Format(Whole(seen.SeenAt - at))} old");
        // Replicas that are not ready carry nothing of an average yet; they count again as soon as they do.
        double? load = signal.Kind switch
        {
            SignalKind.Average when ready > 0 => value / signal.Target * ready / Math.Max(replicas, 1),
            SignalKind.Total => value / (signal.Target * Math.Max(replicas, 1)),
            _ => null,
        };
        int? wanted = load switch
        {
            null => null,
            >= 1 - Tolerance and <= 1 + Tolerance => replicas,
            // So that a number which is whole but for its last bits is not rounded up.
            var part => (int)Math.Ceiling(Math.Min(part.Value * Math.Max(replicas, 1), 1_000_000) - 1e-9),
        };
        return new(signal, value, load, wanted, null);
    }

    /// <summary>How many replicas a step may be: at least one, or nothing would ever move.</summary>
    private static int Step(int replicas, int percent) => Math.Max(1, (int)Math.Min((long)replicas * percent / 100, 1_000_000));

    private static string Limited(int wanted, int to, int limit) =>
        to == wanted ? "" : to == limit ? $"; {limit} is the limit of the specification" : $"; {to} is as far as one step goes";

    private static string Unknown(List<Judged> unknown) => string.Join(", and ", unknown.Select(signal => $"{signal.Signal.Name} is unknown ({signal.Trouble?.TrimEnd('.')})"));

    private static TimeSpan Whole(TimeSpan duration) => TimeSpan.FromSeconds(Math.Round(duration.TotalSeconds));

    /// <param name="Load">As a part of what the replicas can carry; null: it does not say.</param>
    /// <param name="Wanted">How many replicas it asks for; null: it does not say.</param>
    private sealed record Judged(ScalingSignal Signal, double? Value, double? Load, int? Wanted, string? Trouble)
    {
        public string InWords => string.Create(CultureInfo.InvariantCulture, $"{Signal.Name} is {Value:0.##}{Signal.Unit} (target {Signal.Target:0.##}{Signal.Unit}{(Signal.Kind == SignalKind.Total ? " for each" : "")})");
    }
}
