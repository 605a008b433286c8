using System.Globalization;

namespace PlatformOps.Platform.Scaling;

/// <summary>What a number is that somebody wants to change, and who may change it.</summary>
/// <param name="Immutable">Why it can be set once and never be changed; null: it can.</param>
/// <param name="How">The component's <c>scaling</c>, filled in; null: it has none.</param>
/// <param name="Range">The specification's; null: it states none.</param>
/// <param name="Declared">The number that the specification declares; null: none.</param>
public sealed record ScaledSubject(string Component, string Region, string Parameter, string? Immutable, ScalingDefinition? How, ScaleRange? Range, int? Declared)
{
    public override string ToString() => $"{Component}@{Region}";
}

/// <summary>Whether a number that somebody asks for may be set, and whether it did well. What the change has consequences for, <see cref="ScalingGuards"/> say.</summary>
public static class ScaleRules
{
    /// <summary>A signal may be so far above its target before it counts as missed; that of <see cref="ScalingPolicy"/>.</summary>
    private const double Missed = 1.1;

    /// <summary>The decision about a number that somebody asks for. The same facts give the same answer.</summary>
    public static ScalingDecision Decide(ScaledSubject subject, ObservedScaling seen, int wanted)
    {
        var (name, replicas) = ($"{subject.Parameter} of {subject.Component}", seen.Replicas);
        if (subject.Immutable is { } why)
            return ScalingDecision.Refuse(replicas, $"{name} can be set once and never be changed: {why}");
        if (subject.How is not { Workload: not null } how || how.Parameter != subject.Parameter)
            return ScalingDecision.Refuse(replicas, $"{name} is not a number of replicas. State components.{subject.Component}.{subject.Parameter}: {Word(wanted)} in the specification, then: platformops provision.");
        if (subject.Range is not { } range)
            return ScalingDecision.Refuse(replicas, $"The specification gives {subject.Component} no range, so that only the specification changes its number. State scaling.{subject.Component} with minimum and maximum.");
        if (wanted < range.Minimum || wanted > range.Maximum)
            return ScalingDecision.Refuse(replicas, $"{wanted} is outside of the range {range.Minimum}..{range.Maximum} that the specification gives {subject.Component} (scaling.{subject.Component}).");
        if (replicas is not { } there)
            return ScalingDecision.Refuse(null, $"{how.Workload} is not there, or says no number of replicas. Provision it first.");
        if (seen.Owner is { } owner)
            return ScalingDecision.Refuse(there, $"{owner} sets the number of replicas, and would take it back. Change its limits, or remove it.");
        return there == wanted
            ? ScalingDecision.Wait(there, $"There are to be {wanted} already.")
            : ScalingDecision.Scale(there, wanted, $"{wanted} were asked for.");
    }

    /// <summary>What has become worse since a change because of it, as a sentence; null: nothing is known to have.</summary>
    /// <param name="before">The signals as they were before the change.</param>
    /// <param name="from">How many replicas there were then.</param>
    /// <remarks>More replicas can only do harm to what they share, which signals of kind hold tell. Fewer can be too few. Whatever was missed before, or is unknown, is not held against the change.</remarks>
    public static string? Breach(ScalingDefinition how, IReadOnlyList<SignalReading> before, int from, ObservedScaling now)
    {
        if (now.Replicas is not { } there || there == from)
            return null;
        foreach (var signal in how.Signals.Where(signal => (signal.Kind == SignalKind.Hold) == there > from))
        {
            if (Load(signal, before, from) is { } was && Load(signal, now.Signals, there) is { } load && was <= Missed && load > Missed)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{signal.Name} was {Value(signal, before):0.##}{signal.Unit} with {from} and is {Value(signal, now.Signals):0.##}{signal.Unit} with {there} (target {signal.Target:0.##}{signal.Unit}{(signal.Kind == SignalKind.Total ? " for each" : "")}).");
        }

        return null;
    }

    /// <summary>As a part of the target; null: unknown.</summary>
    private static double? Load(ScalingSignal signal, IReadOnlyList<SignalReading> readings, int replicas) => Value(signal, readings) switch
    {
        null => null,
        var value when signal.Kind == SignalKind.Total => value / (signal.Target * Math.Max(replicas, 1)),
        var value when signal.Target == 0 => value > 0 ? double.PositiveInfinity : 0,
        var value => value / signal.Target,
    };

    private static double? Value(ScalingSignal signal, IReadOnlyList<SignalReading> readings) =>
        readings.FirstOrDefault(reading => reading.Name == signal.Name)?.Value is { } value && double.IsFinite(value) ? value : null;

    private static string Word(int number) => number.ToString(CultureInfo.InvariantCulture);
}
